"""What is kept between two films is used again only where it is whole and what is asked for (I8)."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from lib.errors import TryAgain
from synth.video import soundtrack
from synth.video.soundtrack import DecodedNarration, OnBlock
from tests.unit.synth.video.studio import Studio, frames_of, paint, voice


def test_a_folder_of_pieces_that_has_other_files_keeps_them(studio: Studio) -> None:
    work = studio.folder / "work"
    work.mkdir()
    others = [work / name for name in ("holiday.mp4", "notes.json", "song.m4a")]
    for other in others:
        other.write_text("somebody's")

    studio.make(work=work)
    paint(studio.folder / "picture_1.png", 9)
    made = studio.make(work=work)

    assert [other.read_text() for other in others] == 3 * ["somebody's"]
    assert len(list(work.glob("*.mp4"))) == 1 + made.pieces


def test_a_picture_that_changes_meanwhile_is_not_kept_for_the_one_before(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = studio.folder / "picture_2.png"
    before = picture.read_bytes()
    read = soundtrack.read_narration

    def edited(path: Path, place: Path, on_block: OnBlock) -> DecodedNarration:
        paint(picture, 99)
        return read(path, place, on_block)

    with monkeypatch.context() as patch:
        patch.setattr("synth.video.assemble.read_narration", edited)
        with pytest.raises(TryAgain, match=r"picture_2\.png was changed"):
            studio.make()
    picture.write_bytes(before)
    made = studio.make()

    fresh = studio.make(work=studio.folder / "fresh")
    assert made.video.sha256 == fresh.video.sha256


@pytest.mark.parametrize("left", [0, 900])
def test_a_piece_that_a_power_cut_left_is_made_again(studio: Studio, left: int) -> None:
    whole = studio.make().video
    pieces = sorted((studio.out.parent / ".film.mp4.pieces").glob("*.mp4"))
    pieces[0].write_bytes(pieces[0].read_bytes()[:left])

    made = studio.make()

    assert (made.pieces_made, made.video) == (1, whole)


@pytest.mark.parametrize("suffix", [".m4a", ".json"])
def test_a_soundtrack_that_a_power_cut_left_is_made_again(studio: Studio, suffix: str) -> None:
    whole = studio.make().video
    (track,) = (studio.out.parent / ".film.mp4.pieces").glob(f"*{suffix}")
    track.write_bytes(track.read_bytes()[:20])

    assert studio.make().video == whole


def test_a_narration_shorter_than_a_frame_is_a_film_of_one(studio: Studio) -> None:
    soundfile.write(studio.folder / "voice.wav", voice([0.02]), 24_000)
    studio.timeline["scenes"] = studio.timeline["scenes"][:1]
    studio.timeline["captions"] = {}

    made = studio.make()

    assert made.frames == len(frames_of(studio.out)) == 1
