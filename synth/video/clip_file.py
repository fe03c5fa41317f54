"""A list of clips to make of pictures (docs/reference/picture-orders.md), read with suspicion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lib.records.reading import Fields
from synth.order_file import read_order
from synth.video.moves import MOVES, KenBurns, named_move
from synth.video.timeline import FITS, is_file_name

FORMAT: Final = 1
_MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_CLIPS: Final = 10_000
_LONGEST_S: Final = 600.0
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.mp4")
_KEYS_OF_LIST: Final = ("format", "size", "fps", "clips")
_KEYS: Final = ("file", "picture", "seconds", "move", "fit")


@dataclass(frozen=True, slots=True)
class Clip:
    """A picture, moved for so many seconds, as a file."""

    file: str
    picture: Path
    seconds: float
    move: KenBurns
    fit: str


@dataclass(frozen=True, slots=True)
class ClipList:
    """What all clips share, and each of them. Sizes in pixels."""

    width: int
    height: int
    fps: int
    clips: tuple[Clip, ...]


def read_clips(path: Path) -> ClipList:
    """Read the file; pictures in it are relative to its folder.

    Raises:
        BadInput: it cannot be read, or something in it is wrong; the sentence says what.
    """
    return read_order(
        path,
        lambda fields: _clips_of(fields, path.parent),
        called="list of clips",
        page="picture-orders.md",
        form=FORMAT,
        most=_MOST_BYTES,
    )


def _clips_of(fields: Fields, folder: Path) -> ClipList:
    fields.only(_KEYS_OF_LIST)
    size = fields.items("size")
    if len(size) != 2 or not all(type(side) is int and 64 <= side <= 4096 and side % 2 == 0 for side in size):
        fields.refuse("size", "must be two even numbers of pixels, 64 to 4096: [1280, 720]")
    fps = fields.whole("fps", least=1) if fields.has("fps") else 30
    if fps > 60:
        fields.refuse("fps", "must be at most 60")
    items = fields.items("clips")
    if not 0 < len(items) <= _MOST_CLIPS:
        fields.refuse("clips", f"must be a list of 1 to {_MOST_CLIPS}")
    clips = tuple(_clip_of(item, at, folder) for at, item in enumerate(items))
    if len({clip.file for clip in clips}) < len(clips):
        fields.refuse("clips", "must not name a file twice")
    return ClipList(size[0], size[1], fps, clips)


def _clip_of(item: Any, at: int, folder: Path) -> Clip:
    fields = Fields(item, f"clips[{at}]").only(_KEYS)
    name, picture = fields.text("file"), fields.text("picture")
    if not _NAME.fullmatch(name):
        fields.refuse("file", "must be a name of letters, digits, '.', '_' and '-' that ends in .mp4")
    if not is_file_name(picture):
        fields.refuse("picture", "must name a file, without control characters")
    seconds = fields.number("seconds")
    if not 0 < seconds <= _LONGEST_S:
        fields.refuse("seconds", f"must be above 0 and at most {_LONGEST_S:g}")
    move = named_move(fields.text("move", ""), at)
    if move is None:
        fields.refuse("move", f"must be one of {', '.join(MOVES)}")
    fit = fields.text("fit", "cover")
    if fit not in FITS:
        fields.refuse("fit", f"must be one of {', '.join(FITS)}")
    return Clip(name, folder / picture, seconds, move, fit)
