"""A beatsheet of which every beat can be spoken here (Q15)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.jobs.enqueue_beatsheet import load_speakable_beatsheet
from lib.jobs.plan import RegistryCheck
from lib.jobspec import InvalidJobFile
from lib.voices import VoiceRegistry


@pytest.fixture
def voices(tmp_path: Path) -> RegistryCheck:
    return RegistryCheck(VoiceRegistry([tmp_path / "voices"]), "hibari")


def sheet(folder: Path, *beats: dict[str, Any]) -> Path:
    path = folder / "tides.json"
    path.write_text(json.dumps({"topic": "tides", "beats": beats}, indent=1))
    return path


def test_beats_that_can_be_spoken_become_jobs(tmp_path: Path, voices: RegistryCheck) -> None:
    path = sheet(tmp_path, {"id": "a", "text": "Hello."}, {"id": "b", "text": "Bye.", "speaker": "Ryan"})

    specs = load_speakable_beatsheet(path, voices, voice="newsroom").specs

    assert [(spec.request_id, spec.voice, spec.speaker) for spec in specs] == [
        ("tides:a", "newsroom", None),
        ("tides:b", None, "Ryan"),
    ]


def test_wrong_beats_and_beats_nobody_can_speak_are_listed_together(
    tmp_path: Path, voices: RegistryCheck
) -> None:
    path = sheet(
        tmp_path,
        {"id": "a", "text": "Hello.", "speaker": "Ryna"},
        {"id": "b", "text": "Hello.", "txt": "?"},
        {"id": "c", "text": "Guten Tag.", "language": "German"},
    )

    with pytest.raises(InvalidJobFile) as caught:
        load_speakable_beatsheet(path, voices, voice="newsroom")

    found = [(problem.line, problem.job, problem.field) for problem in caught.value.problems]
    assert found == [(7, "a", "speaker"), (12, "b", "txt"), (17, "c", "language")]


def test_a_wrong_voice_given_for_all_beats_is_told_once(tmp_path: Path, voices: RegistryCheck) -> None:
    path = sheet(tmp_path, {"id": "a", "text": "Hello."}, {"id": "b", "text": "Bye."})

    with pytest.raises(InvalidJobFile) as caught:
        load_speakable_beatsheet(path, voices, voice="newsrom")

    assert [(problem.line, problem.job, problem.field) for problem in caught.value.problems] == [
        (None, None, "voice")
    ]
