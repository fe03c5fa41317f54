"""Captions beside the audio of a manifest's folder: made of the record, and left where edited (V10)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lib.captions import Cue, read_json, rendered
from lib.manifest import Inputs, OutFolder, complete_captions, deliver, finished_result
from lib.records import Take
from tests.doubles import records
from tests.unit.manifest.jobs import spec
from tests.unit.manifest.test_results import Outbox, inputs_of
from tests.unit.manifest.test_results import folder as folder

CAPTIONS = ("srt", "vtt", "captions.json")


def _said(folder: OutFolder, spool: Path, said: str, **fields: Any) -> Inputs:
    inputs = inputs_of(spec(**fields))
    box = Outbox(spool, inputs, fields.get("variants", 1), said=said)
    deliver(folder, inputs, box.client, box.entry, box.result)
    return inputs


def test_captions_lie_beside_each_take(folder: OutFolder, tmp_path: Path) -> None:
    inputs = _said(folder, tmp_path / "spool", "Tom & Ann", variants=2)

    finished = finished_result(folder, inputs)

    assert finished is not None
    for take, name in zip(finished.record.takes, ("beat-001", "beat-001.take-02"), strict=True):
        assert isinstance(take, Take)
        assert [file.file for file in take.caption_files] == [f"{name}.{suffix}" for suffix in CAPTIONS]
        for file in take.caption_files:
            data = folder.path(f"topic/{file.file}").read_bytes()
            assert file == records.file_ref(file.file, data)
        assert "00:00:00.100 --> 00:00:01.200\nTom &amp; Ann" in folder.path(f"topic/{name}.vtt").read_text()
        assert "00:00:00,100 --> 00:00:01,200\nTom & Ann" in folder.path(f"topic/{name}.srt").read_text()
        told = read_json(folder.path(f"topic/{name}.captions.json").read_bytes())
        assert told == (1.5, take.captions)


def test_captions_that_are_missing_are_made_of_the_record_and_edited_ones_stay(
    folder: OutFolder, tmp_path: Path
) -> None:
    inputs = _said(folder, tmp_path / "spool", "Hello.")
    gone, edited = folder.path("topic/beat-001.srt"), folder.path("topic/beat-001.vtt")
    before = gone.read_bytes()
    gone.unlink()
    edited.write_text("WEBVTT\n\nby hand")

    finished = finished_result(folder, inputs)
    assert finished is not None, "the audio is as it was, so nothing is spoken again"
    assert not gone.exists(), "who only looks writes nothing"
    complete_captions(folder, inputs, finished)

    assert gone.read_bytes() == before
    assert edited.read_text() == "WEBVTT\n\nby hand"


def test_captions_that_all_lie_there_are_not_made_again(
    folder: OutFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = _said(folder, tmp_path / "spool", "Hello.", variants=2)
    made: list[object] = []

    def counted(cues: Sequence[Cue], audio_seconds: float) -> dict[str, bytes]:
        made.append(cues)
        return rendered(cues, audio_seconds)

    monkeypatch.setattr("lib.manifest.results.rendered", counted)
    finished = finished_result(folder, inputs)
    assert finished is not None
    complete_captions(folder, inputs, finished)
    assert not made

    folder.path("topic/beat-001.take-02.srt").unlink()
    complete_captions(folder, inputs, finished)
    second = finished.record.takes[1]
    assert isinstance(second, Take)
    assert made == [second.captions]


def test_new_audio_without_captions_leaves_no_old_ones_beside_it(folder: OutFolder, tmp_path: Path) -> None:
    _said(folder, tmp_path / "a", "Hello.", variants=2)

    _said(folder, tmp_path / "b", "")

    left = sorted(path.name for path in folder.path("topic").iterdir() if path.suffix in (".srt", ".vtt"))
    assert left == []
    assert sorted(path.name for path in folder.path("topic").glob("*.json")) == ["beat-001.peaks.json"]


def test_captions_of_a_delivery_that_was_killed_are_gone_with_its_audio(
    folder: OutFolder, tmp_path: Path
) -> None:
    """No record tells of them."""
    folder.write("topic/beat-001.srt", b"of audio that was replaced")

    _said(folder, tmp_path / "spool", "")

    assert not folder.path("topic/beat-001.srt").exists()
