"""What is to be joined: `playlist.json` (docs/reference/playlist.md), read with suspicion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.captions import Cue
from lib.errors import BadInput
from lib.jobspec import printable
from lib.jobspec.episode_names import hides_something, title_trouble
from lib.records.reading import Fields
from lib.records.takes import cues_from
from synth.audio.tags import Tags
from synth.order_file import read_order

FORMAT: Final = 1
_MOST_BYTES: Final = 256 * 1024 * 1024
_MOST_BEATS: Final = 100_000
_LONGEST_GAP_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Beat:
    """One piece of audio, with the title of its chapter. What is None is not known."""

    title: str
    file: Path
    bytes: int | None = None
    sha256: str | None = None
    gap_after: float = 0.0  # seconds of silence before the next one
    true_peak_dbtp: float | None = None
    captions: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True)
class Playlist:
    """The beats in their order, and what the whole is called."""

    beats: tuple[Beat, ...]
    tags: Tags
    file: Path | None = None  # where it stands


def read_playlist(path: Path) -> Playlist:
    """Read it; files in it are relative to its folder.

    Raises:
        BadInput: it cannot be read, or something in it is wrong; the sentence says what.
    """
    return read_order(
        path,
        lambda fields: _playlist_of(fields, path),
        called="playlist",
        page="playlist.md",
        form=FORMAT,
        most=_MOST_BYTES,
    )


def _playlist_of(fields: Fields, path: Path) -> Playlist:
    gap = _gap(fields, "gap", 0.0)
    entries = fields.objects("beats")
    if not 0 < len(entries) <= _MOST_BEATS:
        fields.refuse("beats", f"must hold 1 to {_MOST_BEATS} of them")
    beats = tuple(_beat_of(entry, path.parent, gap) for entry in entries)
    names = ("title", "album", "artist", "comment")
    return Playlist(beats, Tags(**{name: _tag(fields, name) for name in names}), path)


def _beat_of(fields: Fields, folder: Path, gap: float) -> Beat:
    file = fields.text("file")
    if not file or "\0" in file:
        fields.refuse("file", "must name a file")
    return Beat(
        title=chapter_title(fields.text("title"), file),
        file=folder / file,
        bytes=fields.whole("bytes") if fields.has("bytes") else None,
        sha256=fields.sha256("sha256") if fields.has("sha256") else None,
        gap_after=_gap(fields, "gap_after", gap),
        true_peak_dbtp=fields.optional_number("true_peak_dbtp"),
        captions=cues_from(fields, float("inf")),
    )


def _gap(fields: Fields, name: str, usual: float) -> float:
    gap = fields.number(name, usual, least=0.0)
    if gap > _LONGEST_GAP_S:
        fields.refuse(name, f"must be at most {_LONGEST_GAP_S:.0f} seconds")
    return gap


def _tag(fields: Fields, name: str) -> str:
    value = fields.text(name, "")
    if hides_something(value):
        fields.refuse(name, "holds a line break or an invisible character; no player shows it")
    return value


def chapter_title(title: str, what: str) -> str:
    """The title, where players can show it. `what` has it, for the sentence. Raises BadInput."""
    trouble = title_trouble(title)
    if trouble is not None:
        raise BadInput(f"{_shown(what)} {trouble}")
    return title


def _shown(text: str) -> str:
    """On one line, with nothing that a terminal would act on."""
    return f'"{printable(text if len(text) <= 80 else text[:79] + "…")}"'
