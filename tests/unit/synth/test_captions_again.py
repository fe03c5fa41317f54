"""`voice-synth caption` renders captions again and leaves what it reads as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.captions import FORMATS, Cue, render
from lib.errors import BadInput
from synth.caption_files import caption_again

CUES = (Cue(0.0, 6.0, "Dr. Smith paid $42.50 in New York, which was rather too much.", "engine"),)


def captions(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(render(CUES, 6.0, "captions.json"))
    return path


def test_the_captions_that_are_read_stay_as_they_are(tmp_path: Path) -> None:
    source = captions(tmp_path / "x.captions.json")
    before = source.read_bytes()

    made = caption_again([source], FORMATS, 14, None)

    assert [file.path.name for file in made] == ["x.srt", "x.vtt"]
    assert source.read_bytes() == before


def test_the_captions_that_are_read_are_no_target(tmp_path: Path) -> None:
    source = captions(tmp_path / "x.captions.json")
    before = source.read_bytes()

    with pytest.raises(BadInput, match=r"x\.captions\.json would be written over, and it is read here"):
        caption_again([source], ["captions.json"], 14, tmp_path)

    assert source.read_bytes() == before


def test_two_sources_with_one_target_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    first, second = captions(tmp_path / "a/x.captions.json"), captions(tmp_path / "b/x.captions.json")
    out = tmp_path / "out"
    out.mkdir()

    with pytest.raises(BadInput, match=r"^Two records have \S+x\.srt as their captions"):
        caption_again([first, second], FORMATS, 42, out)

    assert not list(out.iterdir())


def test_a_source_is_no_target_of_another_one(tmp_path: Path) -> None:
    first, second = captions(tmp_path / "a/x.captions.json"), captions(tmp_path / "b/x.captions.json")
    before = second.read_bytes()

    with pytest.raises(BadInput):
        caption_again([first, second], ["captions.json"], 14, tmp_path / "b")

    assert second.read_bytes() == before
    assert not list(tmp_path.rglob("*.srt"))
