"""What qwen3 knows without its packages: budgets, batches, its folder of checkpoints, and what is missing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadConfiguration, MissingExtra
from lib.voices import VoiceKind, VoiceRegistry
from synth.engines import EngineLost, create_engine
from synth.engines.qwen3.budget import (
    SAMPLES_PER_FRAME,
    batches,
    expected_frames,
    frame_budget,
    missed_its_end,
)
from synth.engines.qwen3.checkpoints import HASHES, find_checkpoint
from synth.engines.qwen3.device import Device, check_computes
from synth.engines.qwen3.engine import Qwen3Engine
from synth.engines.qwen3.source import ModelSource
from synth.speech.sample_voice import voice_of_model

CUSTOM, BASE = "Qwen3-TTS-12Hz-1.7B-CustomVoice", "Qwen3-TTS-12Hz-1.7B-Base"
DESIGN = "Qwen3-TTS-12Hz-1.7B-VoiceDesign"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def weights(path: Path, size: int = 64) -> None:
    """A file in the format of weights, with one tensor of zeros."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))


def checkpoint(folder: Path, kind: str = "custom_voice", size: str = "1b7", **config: Any) -> Path:
    """A folder with all files of a checkpoint."""
    (folder / "speech_tokenizer").mkdir(parents=True)
    told = {
        "model_type": "qwen3_tts",
        "tokenizer_type": "qwen3_tts_tokenizer_12hz",
        "tts_model_type": kind,
        "tts_model_size": size,
    }
    (folder / "config.json").write_text(json.dumps({**told, **config}))
    for name in ("generation_config.json", "tokenizer_config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    for name in ("config.json", "preprocessor_config.json"):
        (folder / "speech_tokenizer" / name).write_text("{}")
    weights(folder / "model.safetensors")
    weights(folder / "speech_tokenizer/model.safetensors")
    return folder


class TestABudget:
    def test_is_three_times_what_the_text_takes(self) -> None:
        text = "x" * 280  # 20 s, 250 frames
        assert expected_frames(text) == 250
        assert frame_budget(text) == 750

    def test_leaves_room_for_a_word(self) -> None:
        assert frame_budget("Yes.") == 100

    def test_is_larger_for_letters_that_are_syllables(self) -> None:
        assert frame_budget("今" * 100) == 3 * frame_budget("x" * 100)

    @pytest.mark.parametrize(("frames", "missed"), [(98, False), (99, True), (100, True), (180, True)])
    def test_that_is_spent_tells_a_missed_end(self, frames: int, missed: bool) -> None:
        """The last token is never heard; a longer text of the batch lets this one run further."""
        assert missed_its_end(frames * SAMPLES_PER_FRAME, "Yes.", most_frames=200) is missed

    def test_of_a_call_counts_where_it_is_smaller(self) -> None:
        assert missed_its_end(49 * SAMPLES_PER_FRAME, "x" * 280, most_frames=50)


class TestBatches:
    def test_hold_texts_of_a_length_and_every_text_once(self) -> None:
        texts = ["x" * length for length in (300, 5, 290, 7, 150, 6, 280)]
        assert list(batches(texts, 3)) == [[1, 5, 3], [4, 6, 2], [0]]

    def test_of_no_texts_are_none(self) -> None:
        assert list(batches([], 8)) == []


class TestACheckpoint:
    def test_is_found_in_a_folder_of_several_or_is_the_folder(self, tmp_path: Path) -> None:
        inside = checkpoint(tmp_path / CUSTOM)
        for source in (tmp_path, inside):
            found = find_checkpoint(source, CUSTOM)
            assert (found.folder, found.kind, len(found.weights)) == (inside, VoiceKind.BUILT_IN, 2)
        assert found.weights_bytes == sum(path.stat().st_size for path in inside.rglob("*.safetensors"))

    def test_that_makes_voices_from_descriptions_is_one_of_its_own(self, tmp_path: Path) -> None:
        checkpoint(tmp_path / DESIGN, kind="voice_design")
        assert find_checkpoint(tmp_path, DESIGN).kind is VoiceKind.DESIGNED
        checkpoint(tmp_path / "other" / DESIGN)
        with pytest.raises(BadConfiguration, match=f"of kind 'custom_voice' .* and {DESIGN} is needed"):
            find_checkpoint(tmp_path / "other", DESIGN)

    def test_that_is_not_there_is_named_with_those_that_are(self, tmp_path: Path) -> None:
        checkpoint(tmp_path / CUSTOM)
        with pytest.raises(BadConfiguration, match=rf"holds no {BASE}; it has: {CUSTOM}\."):
            find_checkpoint(tmp_path, BASE)

    @pytest.mark.parametrize(
        "missing",
        [
            "generation_config.json",
            "tokenizer.json",
            "model.safetensors",
            "speech_tokenizer/model.safetensors",
        ],
    )
    def test_that_misses_a_file_is_incomplete(self, tmp_path: Path, missing: str) -> None:
        checkpoint(tmp_path / CUSTOM)
        (tmp_path / CUSTOM / missing).unlink()
        with pytest.raises(BadConfiguration, match=f"incomplete: it misses {missing.rpartition('/')[2]}"):
            find_checkpoint(tmp_path, CUSTOM)

    def test_whose_weights_were_cut_short_says_by_how_much(self, tmp_path: Path) -> None:
        path = checkpoint(tmp_path / CUSTOM) / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(BadConfiguration, match=r"was cut short: it has \d+ bytes of \d+"):
            find_checkpoint(tmp_path, CUSTOM)

    @pytest.mark.parametrize("data", [b"", b"<html>404</html>", b"\xff" * 40])
    def test_whose_weights_are_something_else_is_a_sentence(self, tmp_path: Path, data: bytes) -> None:
        (checkpoint(tmp_path / CUSTOM) / "model.safetensors").write_bytes(data)
        with pytest.raises(BadConfiguration, match="holds no weights that can be read"):
            find_checkpoint(tmp_path, CUSTOM)

    def test_in_shards_has_all_that_its_index_names(self, tmp_path: Path) -> None:
        folder = checkpoint(tmp_path / CUSTOM)
        (folder / "model.safetensors").unlink()
        index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        weights(folder / "model-1-of-2.safetensors")
        with pytest.raises(BadConfiguration, match=r"misses model-2-of-2\.safetensors"):
            find_checkpoint(tmp_path, CUSTOM)
        weights(folder / "model-2-of-2.safetensors")
        assert len(find_checkpoint(tmp_path, CUSTOM).weights) == 3

    @pytest.mark.parametrize(
        ("config", "told"),
        [
            ({"tokenizer_type": "qwen3_tts_tokenizer_25hz"}, "'qwen3_tts_tokenizer_25hz'"),
            ({"model_type": "qwen2"}, "'qwen2'"),
            ({"tts_model_type": "base"}, f"of kind 'base' .* and {CUSTOM} is needed"),
            ({"tts_model_type": "voice_design"}, "of kind 'voice_design'"),
            ({"tts_model_size": "0b6"}, "size '0b6'"),
        ],
    )
    def test_of_another_version_kind_or_size_is_refused(
        self, tmp_path: Path, config: dict[str, str], told: str
    ) -> None:
        checkpoint(tmp_path / CUSTOM, **config)
        with pytest.raises(BadConfiguration, match=told):
            find_checkpoint(tmp_path, CUSTOM)

    def test_has_the_hash_of_its_weights_as_revision(self, tmp_path: Path) -> None:
        one = find_checkpoint(checkpoint(tmp_path / "a" / CUSTOM), CUSTOM)
        other = find_checkpoint(checkpoint(tmp_path / "b" / CUSTOM), CUSTOM)
        assert one.revision() == other.revision()
        weights(other.weights[1], 65)
        assert one.revision() != other.revision()

    def test_that_is_not_what_its_hashes_say_is_refused(self, tmp_path: Path) -> None:
        found = find_checkpoint(checkpoint(tmp_path / CUSTOM), CUSTOM)
        (found.folder / HASHES).write_text(f"{'0' * 64}  config.json\n")
        with pytest.raises(BadConfiguration, match=r"config\.json is not the file that .*SHA256SUMS names"):
            found.revision()

    @pytest.mark.parametrize("line", ["what", f"{'0' * 64}  ../../etc/passwd"])
    def test_with_hashes_that_are_none_is_refused(self, tmp_path: Path, line: str) -> None:
        found = find_checkpoint(checkpoint(tmp_path / CUSTOM), CUSTOM)
        (found.folder / HASHES).write_text(f"{line}\n")
        with pytest.raises(BadConfiguration, match="is no hash of a file in its folder"):
            found.revision()


class Gpu:
    """What is asked of torch to hear whether a GPU still computes."""

    class OutOfMemoryError(RuntimeError):
        pass

    def __init__(self, error: Exception | None = None) -> None:
        self.cuda, self._error = self, error

    def synchronize(self, device: str) -> None:
        if self._error is not None:
            raise self._error

    def ones(self, count: int, *, device: str) -> Gpu:
        return self

    def item(self) -> float:
        return 1.0


class TestAGpu:
    gpu = Device("cuda:0", None, "sdpa", "Some GPU")

    def test_that_computes_nothing_any_more_is_lost(self) -> None:
        broken = Gpu(RuntimeError("CUDA error: an illegal memory access was encountered\nMore."))
        with pytest.raises(
            EngineLost, match=r"cuda:0 \(Some GPU\) .* an illegal memory access was encountered\. "
        ):
            check_computes(broken, self.gpu)

    def test_that_computes_or_is_merely_full_is_not(self) -> None:
        check_computes(Gpu(), self.gpu)
        check_computes(Gpu(Gpu.OutOfMemoryError("CUDA out of memory")), self.gpu)

    def test_is_not_asked_where_there_is_none(self) -> None:
        check_computes(Gpu(RuntimeError("no driver")), Device("cpu", None, "sdpa", "CPU"))


class TestTheSettingOfTheModel:
    @pytest.mark.parametrize(
        ("setting", "told"),
        [
            ("", "needs QWEN_MODEL"),
            ("/nowhere/at/all", "neither a folder nor a hub id"),
            ("gpt2", "neither a folder nor a hub id"),
            (f"Qwen/{CUSTOM}", "without a commit"),
            (f"Qwen/{CUSTOM}@main", "neither a folder nor a hub id"),
            (f"Qwen/{CUSTOM}@{COMMIT}", f"need {BASE}, and QWEN_MODEL names {CUSTOM}"),
        ],
    )
    def test_that_cannot_do_is_a_sentence(self, setting: str, told: str) -> None:
        with pytest.raises(BadConfiguration, match=told):
            ModelSource(setting).checkpoint(BASE)

    def test_begins_with_the_first_that_is_there(self, tmp_path: Path) -> None:
        checkpoint(tmp_path / BASE, kind="base")
        assert ModelSource(str(tmp_path)).first_of([CUSTOM, BASE]) == BASE
        assert ModelSource(str(tmp_path / BASE)).first_of([CUSTOM, BASE]) == BASE
        assert ModelSource(f"Qwen/{BASE}@{COMMIT}").first_of([CUSTOM, BASE]) == BASE

    def test_takes_any_with_speakers_before_one_that_only_clones(self, tmp_path: Path) -> None:
        """A sample is spoken before anybody knows of a recording."""
        small = CUSTOM.replace("1.7B", "0.6B")
        checkpoint(tmp_path / BASE, kind="base")
        checkpoint(tmp_path / small, size="0b6")
        assert ModelSource(str(tmp_path)).first_of(Qwen3Engine()._names()) == small

    def test_takes_one_that_designs_before_one_that_only_clones(self, tmp_path: Path) -> None:
        """And says its word with a description of its own: no voice of the registry is needed."""
        checkpoint(tmp_path / BASE, kind="base")
        checkpoint(tmp_path / DESIGN, kind="voice_design")
        found = ModelSource(str(tmp_path)).first_of(Qwen3Engine()._names())
        assert found == DESIGN
        voice, profile = voice_of_model(found, VoiceRegistry(), "qwen3")
        assert (voice.kind, profile) == (VoiceKind.DESIGNED, "balanced")
        assert voice.design

    def test_that_only_designs_names_what_a_speaker_needs(self) -> None:
        only = f"Qwen/{DESIGN}@{COMMIT}"
        assert ModelSource(only).first_of(Qwen3Engine()._names()) == DESIGN
        with pytest.raises(BadConfiguration, match=f"need {CUSTOM}, and QWEN_MODEL names {DESIGN}; add"):
            ModelSource(only).checkpoint(CUSTOM)


class TestWithoutItsPackages:
    def test_the_sentence_names_the_command_that_installs_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
        engine = create_engine("qwen3", {"QWEN_MODEL": ""})

        with pytest.raises(MissingExtra, match=r"The engine qwen3 \(it misses torch\) needs packages"):
            engine.load()

    def test_it_says_what_it_speaks_all_the_same(self) -> None:
        engine = create_engine("qwen3")
        assert engine.speakers()["Ryan"] == "ryan"
        assert len(engine.languages()) == 10
        assert (engine.limits().batch, engine.limits().seed_varies) == (8, True)
