"""Which pages are made, and of which beats: `pages.json` (docs/reference/pages.md), read with suspicion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.records import MadeRecord, SpokenRecord, record_from
from lib.records.reading import Fields
from synth.order_file import read_order

FORMAT: Final = 1
_MOST_BYTES: Final = 1024 * 1024 * 1024
_MOST_PAGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class ShownBeat:
    """One beat of a page. `files` and `peaks` are of its record's takes; None where there is none.

    `note` is a sentence about what is wrong with it, `about` one of who speaks. One without a record was not
    spoken; `state` says why in a word.
    """

    title: str
    text: str
    state: str = "done"
    note: str = ""
    record: MadeRecord | None = None
    files: tuple[Path | None, ...] = ()
    peaks: tuple[Path | None, ...] = ()
    about: str = ""

    @property
    def spoken(self) -> SpokenRecord | None:
        """Its record, where it is one of speech."""
        return self.record if isinstance(self.record, SpokenRecord) else None


@dataclass(frozen=True, slots=True)
class ListenPage:
    """One page: where it goes, what it is called, a sentence of introduction, and its beats in order."""

    file: Path
    title: str
    beats: tuple[ShownBeat, ...]
    lead: str = ""


def read_pages(path: Path) -> tuple[ListenPage, ...]:
    """Read the list; files in it are relative to its folder.

    Raises:
        BadInput: it cannot be read, or something in it is wrong; the sentence says what.
    """
    return read_order(
        path,
        lambda fields: _pages_of(fields, path.absolute().parent),
        called="list of pages",
        page="pages.md",
        form=FORMAT,
        most=_MOST_BYTES,
    )


def _pages_of(fields: Fields, folder: Path) -> tuple[ListenPage, ...]:
    entries = fields.objects("pages")
    if not 0 < len(entries) <= _MOST_PAGES:
        fields.refuse("pages", f"must hold 1 to {_MOST_PAGES} of them")
    return tuple(_page_of(entry, folder) for entry in entries)


def _page_of(fields: Fields, folder: Path) -> ListenPage:
    beats = fields.objects("beats")
    return ListenPage(
        file=_path(fields, "file", fields.text("file"), folder),
        title=fields.text("title"),
        beats=tuple(_beat_of(beat, folder) for beat in beats),
        lead=fields.text("lead", ""),
    )


def _beat_of(fields: Fields, folder: Path) -> ShownBeat:
    record = record_from(fields.mapping("record")) if fields.has("record") else None
    takes = 0 if record is None else len(record.takes)
    return ShownBeat(
        title=fields.text("title"),
        text=fields.text("text"),
        state=fields.text("state", "done"),
        note=fields.text("note", ""),
        record=record,
        files=_paths(fields, "files", takes, folder),
        peaks=_paths(fields, "peaks", takes, folder),
        about=fields.text("about", ""),
    )


def _paths(fields: Fields, name: str, count: int, folder: Path) -> tuple[Path | None, ...]:
    """One place for each take, None for an empty text; none at all stands for none of any."""
    places = fields.texts(name)
    if len(places) not in (0, count):
        fields.refuse(name, f"must hold {count} of them, one for each take")
    found = [_path(fields, name, place, folder) if place else None for place in places]
    return tuple(found) or (None,) * count


def _path(fields: Fields, name: str, place: str, folder: Path) -> Path:
    if not place or "\0" in place:
        fields.refuse(name, "must name a file")
    return folder / place
