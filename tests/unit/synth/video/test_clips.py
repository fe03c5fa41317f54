"""Silent clips of pictures: made once, made anew where something changed, and whole (P10)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest

from lib.errors import BadInput, TryAgain
from lib.files import take_folder_lock
from synth.video.clip_file import read_clips
from synth.video.clips import MadeClip, make_clips
from tests.unit.synth.video.studio import paint


class ClipDesk:
    """A folder with pictures and a list of two clips, which tests change."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "clips"
        self.clips: list[dict[str, Any]] = []
        for number, seconds in enumerate((0.5, 0.7)):
            paint(folder / f"{number}.png", number)
            self.clips.append({"file": f"{number}.mp4", "picture": f"{number}.png", "seconds": seconds})

    def make(self) -> list[MadeClip]:
        wanted = {"format": 1, "size": [96, 64], "fps": 10, "clips": self.clips}
        (self.folder / "clips.json").write_text(json.dumps(wanted))
        return make_clips(read_clips(self.folder / "clips.json"), self.out, 1, lambda done, total: None)


@pytest.fixture
def desk(tmp_path: Path) -> ClipDesk:
    return ClipDesk(tmp_path)


def test_a_clip_lasts_as_long_as_asked_and_is_silent(desk: ClipDesk) -> None:
    made = desk.make()

    assert [(each.file, each.frames, each.seconds, each.made) for each in made] == [
        *(("0.mp4", 5, 0.5, True), ("1.mp4", 7, 0.7, True))
    ]
    with av.open(str(desk.out / "1.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert len(list(container.decode(video=0))) == 7


def test_only_what_changed_is_made_anew(desk: ClipDesk) -> None:
    before = desk.make()
    paint(desk.folder / "1.png", 9)
    after = desk.make()

    assert [each.made for each in after] == [False, True]
    assert [a.sha256 == b.sha256 for a, b in zip(before, after, strict=True)] == [True, False]


def test_a_clip_that_somebody_wrote_into_is_put_right(desk: ClipDesk) -> None:
    before = desk.make()
    with (desk.out / "0.mp4").open("r+b") as file:  # as an editor that saves in place
        file.seek(60)
        file.write(b"x" * 200)
    after = desk.make()

    assert [each.sha256 for each in after] == [each.sha256 for each in before]


def test_a_broken_picture_is_one_sentence_and_no_clip(desk: ClipDesk) -> None:
    (desk.folder / "1.png").write_bytes((desk.folder / "1.png").read_bytes()[:-300])

    with pytest.raises(BadInput, match=r"1\.png is damaged"):
        desk.make()

    assert not list(desk.out.glob("*.mp4"))


def test_two_do_not_make_clips_in_one_folder(desk: ClipDesk) -> None:
    desk.make()
    assert take_folder_lock(desk.out / ".clips") is not None

    with pytest.raises(TryAgain, match="Another video-synth works in"):
        desk.make()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"file": "../x.mp4"}, "must be a name of letters"),
        ({"picture": "a\nerror: b.png"}, "must name a file, without control"),
        ({"seconds": 0}, "must be above 0"),
        ({"move": "jump"}, "must be one of"),
        ({"file": "1.mp4"}, "must not name a file twice"),
    ],
)
def test_a_list_that_is_wrong_is_refused(desk: ClipDesk, change: dict[str, Any], told: str) -> None:
    desk.clips[0] |= change

    with pytest.raises(BadInput, match=told):
        desk.make()
