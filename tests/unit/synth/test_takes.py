"""From a request to chosen takes, files and a record (V1, V6, V13), with an engine that hums."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from lib.clock import ManualClock, SystemClock
from lib.errors import BadInput
from lib.records import SpokenRecord
from lib.voices import TextRefused
from synth.audio.measures import TakeMeasures
from synth.engines import EngineLimits, Speech, Utterance
from synth.speech.performance import perform
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak, take_path
from synth.speech.takes import PieceFault, RawTake, Style, rank, style_of
from synth.verify import SignalFault
from tests.unit.synth.fakes import GAPPED, RATE, GappyEngine, HummingEngine, hum, request

STYLED = EngineLimits(300, 1, seed_varies=False, usual_rate=None)
SEEDED = EngineLimits(300, 1, seed_varies=True, usual_rate=None)


def nothing(done: int, total: int) -> None:
    pass


def spoken(asked: SpeakRequest, out: Path, engine: HummingEngine | None = None) -> SpokenRecord:
    return speak(asked, engine or HummingEngine(), SystemClock(), out, nothing)


def raw_take(*flags: str, deviation: float | None = 0.0) -> RawTake:
    measures = TakeMeasures(1.0, 15.0, deviation, 0.3, 0.1, 0.0, 0.0, -25.0)
    faults = tuple(PieceFault(1, SignalFault(flag, f"There is a {flag}.")) for flag in flags)
    return RawTake(Style(1), hum(0.1), RATE, measures, faults=faults)


class TestWhatIsAskedOfTheEngine:
    def test_pieces_are_spoken_in_order_with_who_speaks_them(self) -> None:
        engine = HummingEngine()

        perform(request("One. Two.\n\nThree."), engine, ManualClock(), nothing)

        assert [u.text for u in engine.spoken] == ["One.", "Two.", "Three."]
        asked = {(u.preset, u.language, u.profile) for u in engine.spoken}
        assert asked == {("heart", "English", "balanced")}

    def test_each_piece_of_each_take_has_its_own_seed(self) -> None:
        engine = HummingEngine()

        perform(request("One. Two. Three.", variants=3), engine, ManualClock(), nothing)

        assert len({u.seed for u in engine.spoken}) == 9

    def test_pieces_go_to_the_engine_in_its_batches(self) -> None:
        engine = HummingEngine(batch=4)

        perform(request("One. Two. Three.", variants=3), engine, ManualClock(), nothing)

        assert [len(call) for call in engine.calls] == [4, 4, 1]

    def test_progress_is_told_after_each_batch_to_the_last(self) -> None:
        told: list[tuple[int, int]] = []

        perform(request("One. Two."), HummingEngine(), ManualClock(), lambda *now: told.append(now))

        assert told == [(1, 2), (2, 2)]

    def test_what_progress_raises_ends_the_work(self) -> None:
        engine = HummingEngine()

        def enough(done: int, total: int) -> None:
            raise KeyError("enough")

        with pytest.raises(KeyError):
            perform(request("One. Two."), engine, ManualClock(), enough)
        assert len(engine.spoken) == 1

    def test_a_piece_that_comes_back_empty_fails_the_job(self) -> None:
        class Mute(HummingEngine):
            def _hum(self, utterance: Utterance) -> Speech:
                return Speech(hum(0.0), RATE, 0)

        with pytest.raises(TextRefused, match=r"made no sound of the text 'One.'") as caught:
            perform(request("One."), Mute(), ManualClock(), nothing)
        assert caught.value.reason == "no_speech"

    def test_a_piece_that_comes_back_silent_fails_the_job(self) -> None:
        class Silent(HummingEngine):
            def _hum(self, utterance: Utterance) -> Speech:
                return Speech(hum(1.0, level=0.0), RATE, 5)

        with pytest.raises(TextRefused, match="made no sound"):
            perform(request("One."), Silent(), ManualClock(), nothing)

    def test_sentences_in_another_script_are_left_out_with_a_warning(self) -> None:
        engine = HummingEngine()

        asked = request("It began well.\n\n你好。\n\nIt ended.")
        performance = perform(asked, engine, ManualClock(), nothing)

        assert [u.text for u in engine.spoken] == ["It began well.", "It ended."]
        assert any("'你好'" in warning for warning in performance.warnings)
        assert any("Sentences left out: 1" in warning for warning in performance.warnings)


def styles_of(asked: SpeakRequest, limits: EngineLimits) -> list[Style]:
    return [style_of(asked, limits, number) for number in range(asked.variants)]


class TestHowTakesDiffer:
    def test_the_first_take_is_plain(self) -> None:
        assert styles_of(request(variants=3, seed=5), STYLED)[0] == Style(5, 1.0, 1.0)

    def test_sixteen_takes_all_differ_in_what_can_be_heard(self) -> None:
        styles = styles_of(request(variants=16), STYLED)

        assert len({(style.speed, style.intonation) for style in styles}) == 16
        assert all(0.94 <= s.speed <= 1.06 and 0.9 <= s.intonation <= 1.1 for s in styles)

    def test_an_engine_whose_seeds_matter_varies_by_seed_alone(self) -> None:
        styles = styles_of(request(variants=16), SEEDED)

        assert len({style.seed for style in styles}) == 16
        assert {(style.speed, style.intonation) for style in styles} == {(1.0, 1.0)}

    def test_the_same_request_has_the_same_styles_and_another_text_has_others(self) -> None:
        assert styles_of(request(variants=4), STYLED) == styles_of(request(variants=4), STYLED)
        assert styles_of(request("Other."), STYLED)[0].seed != styles_of(request(), STYLED)[0].seed


class TestWhichTakeIsChosen:
    def test_without_select_best_it_is_the_first(self) -> None:
        assert rank([raw_take(), raw_take()], select_best=False) == [0, 1]
        assert rank([raw_take("gap"), raw_take("rate", "gap")], select_best=False) == [0, 1]

    def test_without_select_best_one_that_failed_gives_way_to_one_that_did_not(self) -> None:
        assert rank([raw_take("gap"), raw_take()], select_best=False) == [1, 0]

    def test_fewest_faults_win(self) -> None:
        assert rank([raw_take("gap"), raw_take("gap", "rate"), raw_take()], select_best=True) == [2, 0, 1]

    def test_then_the_one_nearest_to_the_usual_rate(self) -> None:
        takes = [raw_take(deviation=-0.2), raw_take(deviation=0.1), raw_take(deviation=0.15)]

        assert rank(takes, select_best=True) == [1, 0, 2]

    def test_then_the_first(self) -> None:
        takes = [raw_take(deviation=0.101), raw_take(deviation=0.099), raw_take(deviation=None)]

        assert rank(takes[:2], select_best=True) == [0, 1]
        assert rank(takes, select_best=True) == [2, 0, 1]


class TestTheFiles:
    def test_one_take_is_the_name_and_the_suffix(self, tmp_path: Path) -> None:
        """V1: without surprises, whatever the name holds."""
        made = spoken(request(), tmp_path / "new" / "v1.2")

        assert [p.name for p in (tmp_path / "new").iterdir()] == ["v1.2.wav"]
        assert made.chosen.audio.file == "v1.2.wav"

    @pytest.mark.parametrize("file_format", ["wav", "flac", "mp3", "opus"])
    def test_more_takes_are_numbered_from_two(self, tmp_path: Path, file_format: str) -> None:
        """V1."""
        spoken(request(variants=3, file_format=file_format), tmp_path / "beat")

        expected = [f"beat.{file_format}", f"beat.take-02.{file_format}", f"beat.take-03.{file_format}"]
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted(expected)

    def test_numbers_have_two_digits(self) -> None:
        assert take_path(Path("/x/a"), 16, "mp3") == Path("/x/a.take-16.mp3")

    def test_the_same_request_makes_the_same_bytes(self, tmp_path: Path) -> None:
        first, second = (spoken(request(variants=2), tmp_path / name) for name in "ab")

        assert [take.audio.sha256 for take in first.takes] == [take.audio.sha256 for take in second.takes]

    def test_nothing_is_written_when_the_text_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TextRefused):
            spoken(request("你好"), tmp_path / "new" / "beat")

        assert list(tmp_path.iterdir()) == []


class TestTheRecord:
    @pytest.fixture
    def made(self, tmp_path: Path) -> tuple[dict[str, Any], Path]:
        return spoken(request(variants=3, seed=9, select_best=True), tmp_path / "beat").to_json(), tmp_path

    def test_it_holds_what_is_promised(self, made: tuple[dict[str, Any], Path]) -> None:
        """V1."""
        promised = (
            "engine model revision voice speaker preset seed audio_seconds work_seconds real_time_factor "
            "sample_rate sha256 loudness_lufs true_peak_dbtp takes chosen warnings"
        )

        assert set(promised.split()) <= set(made[0])
        assert json.loads(json.dumps(made[0], allow_nan=False)) == made[0]

    def test_it_speaks_of_the_files_as_they_are(self, made: tuple[dict[str, Any], Path]) -> None:
        record, folder = made
        for take in record["takes"]:
            path = folder / take["file"]
            info = soundfile.info(str(path))
            assert hashlib.sha256(path.read_bytes()).hexdigest() == take["sha256"]
            assert (path.stat().st_size, info.samplerate) == (take["bytes"], record["sample_rate"])
            assert info.frames / info.samplerate == pytest.approx(take["audio_seconds"], abs=0.001)

    def test_the_chosen_take_stands_first_and_on_top(self, made: tuple[dict[str, Any], Path]) -> None:
        record, _ = made
        first = record["takes"][0]

        assert [take["take"] for take in record["takes"]] == [1, 2, 3]
        assert sorted(take["made"] for take in record["takes"]) == [1, 2, 3]
        assert record["chosen"]["made"] == first["made"]
        for key in ("file", "sha256", "audio_seconds", "loudness_lufs", "seed"):
            assert record[key] == first[key]

    def test_without_a_recogniser_nothing_has_passed(self, made: tuple[dict[str, Any], Path]) -> None:
        """V6."""
        assert made[0]["verdict"] == "UNVERIFIED"
        assert "recogniser" in made[0]["verdict_why"]

    def test_a_fault_of_the_chosen_take_is_a_warning(self, tmp_path: Path) -> None:
        record = spoken(request(GAPPED), tmp_path / "beat", GappyEngine())

        assert record.chosen.flags == ("gap",)
        assert record.warnings == (
            "Take 1 did not pass: made 2 times (It is silent for 1.5 s in the middle.).",
        )
        assert (record.verdict, record.verdict_why) == ("FAILED", "It is silent for 1.5 s in the middle.")


@pytest.mark.parametrize("variants", [0, 17])
def test_a_number_of_takes_out_of_range_is_refused(variants: int) -> None:
    with pytest.raises(BadInput, match="variants must be from 1 to 16"):
        request(variants=variants).check()
