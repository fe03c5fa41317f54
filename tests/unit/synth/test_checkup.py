"""`voice-synth doctor`: what is wrong with an engine's machine becomes a finding, with what mends it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lib.clock import ManualClock
from lib.errors import BadConfiguration, ExitStatus, Unavailable
from lib.findings import Finding, exit_status_of
from lib.voices import VoiceRegistry, engine_facts
from synth import checkup
from synth.checkup import EngineCheckup, diagnose, examine
from synth.engines import EngineFailed, Utterance
from synth.engines.port import Aspect, LookedAt
from synth.engines.qwen3.driver import ask_driver
from synth.engines.qwen3.engine import Qwen3Engine
from synth.engines.qwen3.examination import Examination
from synth.engines.qwen3.source import ModelSource
from tests.unit.house import ROOT
from tests.unit.synth.fakes import HummingEngine
from tests.unit.synth.test_qwen3 import BASE, COMMIT, CUSTOM, checkpoint

BREAKS = {
    "D041": Aspect.PACKAGES,
    "D042": Aspect.DRIVER,
    "D043": Aspect.DEVICE,
    "D044": Aspect.MODEL,
    "D045": Aspect.DOWNLOAD,
    "D047": Aspect.MEMORY,
}


class Looking(HummingEngine):
    looks: Sequence[LookedAt] = ()

    def examine(self) -> Iterator[LookedAt]:
        return iter(self.looks)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Looking:
    made = Looking()
    monkeypatch.setattr(checkup, "create_engine", lambda name, settings: made)
    return made


def look_at(tmp_path: Path) -> tuple[EngineCheckup, list[Finding]]:
    seen = examine("hibari", {"MODELS_DIR": str(tmp_path / "not/there/yet")}, VoiceRegistry(), ManualClock())
    return seen, diagnose(seen)


class TestAnEngine:
    def test_with_all_that_it_needs_says_a_word(self, engine: Looking, tmp_path: Path) -> None:
        engine.looks = [LookedAt(Aspect.DRIVER, "570.86, one GPU")]
        seen, findings = look_at(tmp_path)
        assert findings == []
        assert dict(seen.seen())["driver"] == "570.86, one GPU"
        assert [each.text for each in engine.spoken] == ["Ready."]
        assert "of audio" in dict(seen.seen())["speech"]

    @pytest.mark.parametrize(("id_", "aspect"), BREAKS.items())
    def test_in_trouble_has_a_finding_of_its_own_and_is_not_loaded(
        self, engine: Looking, tmp_path: Path, id_: str, aspect: Aspect
    ) -> None:
        engine.looks = [LookedAt(aspect, trouble=BadConfiguration("It is broken."))]
        seen, findings = look_at(tmp_path)
        assert [(item.kind.id, item.sentence) for item in findings] == [(id_, "It is broken")]
        assert exit_status_of(findings) is ExitStatus.BAD_CONFIGURATION
        assert engine.loads == 0
        assert [what for what, _ in seen.seen()] == ["disk"]

    def test_that_waits_for_another_computer_may_be_asked_again(
        self, engine: Looking, tmp_path: Path
    ) -> None:
        engine.looks = [LookedAt(Aspect.MODEL, trouble=Unavailable("The share does not answer."))]
        assert exit_status_of(look_at(tmp_path)[1]) is ExitStatus.UNAVAILABLE

    def test_without_the_models_of_some_jobs_is_warned_of_and_speaks(
        self, engine: Looking, tmp_path: Path
    ) -> None:
        engine.looks = [LookedAt(Aspect.OTHER_MODELS, "not there: a large one")]
        _, findings = look_at(tmp_path)
        assert [(item.kind.id, item.sentence) for item in findings] == [("D046", "not there: a large one")]
        assert exit_status_of(findings) is ExitStatus.OK
        assert engine.spoken

    def test_that_would_have_to_download_first_does_not(self, engine: Looking, tmp_path: Path) -> None:
        engine.looks = [LookedAt(Aspect.DOWNLOAD, "one at the first start")]
        assert look_at(tmp_path)[1] == []
        assert engine.loads == 0

    def test_that_does_not_speak_says_why(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(utterance: Utterance) -> None:
            raise EngineFailed("It fell silent.")

        monkeypatch.setattr(checkup, "create_engine", lambda name, settings: Looking(before=fail))
        assert [(item.kind.id, item.sentence) for item in look_at(tmp_path)[1]] == [
            ("D049", "It fell silent")
        ]


def test_a_disk_that_is_nearly_full_is_a_warning(tmp_path: Path) -> None:
    def found(free: int) -> list[str]:
        return [item.kind.id for item in diagnose(EngineCheckup("hibari", "", (), tmp_path, free))]

    assert found(2**30) == []
    assert found(2**30 - 1) == ["D048"]


def test_every_finding_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/findings.md").read_text(encoding="utf-8")
    for kind in checkup.KINDS:
        assert f"| {kind.id} | {kind.severity.value} | {kind.title} |" in page
    assert {*BREAKS, "D046", "D048", "D049"} == {kind.id for kind in checkup.KINDS}


class TestModelsOfQwen3:
    @staticmethod
    def looks(source: ModelSource) -> dict[Aspect, Any]:
        names = list(Qwen3Engine()._names())
        made = Examination(engine_facts("qwen3"), source, "cpu", names)
        found: dict[Aspect, Any] = {}
        for look in made._models():
            found.setdefault(look.aspect, look.trouble.message if look.trouble else look.seen)
        return found

    def test_that_are_whole_are_told_with_their_version_and_others_with_who_needs_them(
        self, tmp_path: Path
    ) -> None:
        checkpoint(tmp_path / CUSTOM)
        seen = self.looks(ModelSource(str(tmp_path)))
        assert seen[Aspect.MODEL].startswith(f"{CUSTOM}, whole, ")
        assert "revision " in seen[Aspect.MODEL]
        assert f"{BASE} (cloned voices in balanced and quality)" in seen[Aspect.OTHER_MODELS]
        assert "0.6B-CustomVoice (speakers in fast)" in seen[Aspect.OTHER_MODELS]

    def test_with_a_byte_that_changed_are_refused(self, tmp_path: Path) -> None:
        weights = checkpoint(tmp_path / CUSTOM) / "model.safetensors"
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        (tmp_path / CUSTOM / "SHA256SUMS").write_text(f"{digest}  model.safetensors\n")
        assert "whole" in self.looks(ModelSource(str(tmp_path)))[Aspect.MODEL]
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
        assert "is not the file that" in self.looks(ModelSource(str(tmp_path)))[Aspect.MODEL]

    @pytest.mark.parametrize(
        ("folder", "told"), [("empty", "it has: no checkpoint"), ("missing", "neither a")]
    )
    def test_that_are_not_there_are_refused(self, tmp_path: Path, folder: str, told: str) -> None:
        (tmp_path / "empty").mkdir()
        assert told in self.looks(ModelSource(str(tmp_path / folder)))[Aspect.MODEL]

    def test_of_the_hub_are_told_with_their_size_until_they_are_there(self, tmp_path: Path) -> None:
        source = ModelSource(f"Qwen/{CUSTOM}@{COMMIT}", str(tmp_path / "models"))
        seen = self.looks(source)
        assert seen[Aspect.DOWNLOAD].startswith(f"{CUSTOM} at the first start, at most 4.2 GiB")
        assert Aspect.MODEL not in seen
        (checkpoint(tmp_path / f"models/{CUSTOM}@{COMMIT}") / "SHA256SUMS").write_text("")
        assert "whole" in self.looks(source)[Aspect.MODEL]

    def test_of_the_hub_that_came_wrong_before_are_refused(self, tmp_path: Path) -> None:
        source = ModelSource(f"Qwen/{CUSTOM}@{COMMIT}", str(tmp_path))
        (tmp_path / f"{CUSTOM}@{COMMIT}.refused").write_text("a is not of the hash that the hub names\n")
        assert "is refused: a is not of the hash" in self.looks(source)[Aspect.DOWNLOAD]

    def test_for_which_there_is_no_room_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("synth.engines.qwen3.examination.free_bytes", lambda folder: 4_499_999_999)
        source = ModelSource(f"Qwen/{CUSTOM}@{COMMIT}", str(tmp_path))
        assert self.looks(source)[Aspect.DOWNLOAD].endswith("and has 4.2 GiB free.")


class TestADriver:
    @pytest.fixture
    def nvidia_smi(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        place = tmp_path / "bin/nvidia-smi"
        place.parent.mkdir()
        monkeypatch.setenv("PATH", str(place.parent), prepend=os.pathsep)
        return place

    def says(self, place: Path, *lines: str, status: int = 0) -> None:
        body = "\n".join(f"echo '{line}'" for line in lines)
        place.write_text(f"#!/bin/sh\n{body}\nexit {status}\n")
        place.chmod(0o755)

    def test_tells_its_version_and_its_gpus(self, nvidia_smi: Path) -> None:
        self.says(nvidia_smi, "570.86.10, NVIDIA H200, 143771", "570.86.10, NVIDIA L4, 23034")
        found = ask_driver()
        assert (found.version, found.gpus) == ("570.86.10", (("NVIDIA H200", 143_771), ("NVIDIA L4", 23_034)))

    def test_that_fails_is_quoted(self, nvidia_smi: Path) -> None:
        self.says(nvidia_smi, "NVIDIA-SMI has failed because it could not communicate", status=9)
        with pytest.raises(BadConfiguration, match=r"exit status 9\): NVIDIA-SMI has failed because"):
            ask_driver()

    @pytest.mark.parametrize("line", ["", "570.86.10, NVIDIA H200, [N/A]", "No devices were found"])
    def test_without_a_gpu_is_refused(self, nvidia_smi: Path, line: str) -> None:
        self.says(nvidia_smi, line)
        with pytest.raises(BadConfiguration, match="lists no GPU"):
            ask_driver()

    def test_that_is_not_there_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(BadConfiguration, match="There is no nvidia-smi"):
            ask_driver()
