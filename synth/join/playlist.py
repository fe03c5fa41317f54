"""What is to be joined: `playlist.json` (docs/reference/playlist.md), read with suspicion."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.captions import Cue
from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.foreign import parse_json
from lib.jobspec import printable
from lib.records import InvalidRecord
from lib.records.reading import Fields
from lib.records.takes import cues_from
from synth.audio.tags import Tags

FORMAT: Final = 1
_MOST_BYTES: Final = 256 * 1024 * 1024
_MOST_BEATS: Final = 100_000
_LONGEST_GAP_S: Final = 60.0
_LONGEST_TITLE: Final = 255  # bytes: what the chapter list of an MP4 holds of one
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: What joins and parts letters in Persian, Hindi and emoji, says which way a bracket points, and makes a
#: flag: text is not the same without. What turns the text behind it round stays out.
_NEEDED: Final = frozenset(map(chr, (0x200C, 0x200D, 0x200E, 0x200F, 0x061C, *range(0xE0020, 0xE0080))))


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
    try:
        data = read_plain(path, _MOST_BYTES, follow=True)
    except NotPlain:
        raise BadInput(f"{path} is no file; name a playlist, see docs/reference/playlist.md.") from None
    except OSError as error:
        raise BadInput(f"The playlist {path} cannot be read: {error.strerror}.") from None
    try:
        if len(data) > _MOST_BYTES:
            raise ValueError("it is too long")
        fields = Fields(parse_json(data))
        if fields.whole("format") != FORMAT:
            fields.refuse("format", f"is not {FORMAT}")
        return _playlist_of(fields, path)
    except (InvalidRecord, ValueError, RecursionError) as error:
        raise BadInput(f"{path} is no playlist: {str(error).rstrip('.')}.") from None


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
    if _hides_something(value):
        fields.refuse(name, "holds a line break or an invisible character; no player shows it")
    return value


def chapter_title(title: str, what: str) -> str:
    """The title, where players can show it. `what` has it, for the sentence. Raises BadInput."""
    if not any(character.isprintable() and not character.isspace() for character in title):
        raise BadInput(f"{_shown(what)} has no title for its chapter; give it one.")
    if _hides_something(title):
        raise BadInput(
            f"{_shown(what)} cannot have the chapter title {_shown(title)}: it holds a line break or an "
            "invisible character; type it anew."
        )
    length = len(title.encode())
    if length > _LONGEST_TITLE:
        raise BadInput(
            f"{_shown(what)} has a chapter title of {length} bytes; players read at most {_LONGEST_TITLE}. "
            "Shorten it."
        )
    return title


def _hides_something(text: str) -> bool:
    return any(
        unicodedata.category(character) in _INVISIBLE and character not in _NEEDED for character in text
    )


def _shown(text: str) -> str:
    """On one line, with nothing that a terminal would act on."""
    return f'"{printable(text if len(text) <= 80 else text[:79] + "…")}"'
