"""What a font file says of itself: family, weight, axes, and which characters it has.

Pillow tells none of the last three before a font is opened at a size, and never the characters. Source: the
tables `name`, `OS/2`, `fvar`, `cmap` and `ttcf` of https://learn.microsoft.com/typography/opentype/spec.
"""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

_COLLECTION: Final = b"ttcf"
_KINDS: Final = (b"\x00\x01\x00\x00", b"OTTO", b"true")
_OUTLINES: Final = (b"glyf", b"CFF ", b"CFF2")
_MOST_FACES: Final = 64  # of a collection; the largest that are sold have 36
_MOST_TABLES: Final = 256
_MOST_RANGES: Final = 200_000
_FAMILY, _TYPOGRAPHIC_FAMILY = 1, 16
_ITALIC_BIT: Final = 1  # of fsSelection
_LAST_CODE: Final = 0x10FFFF


class BrokenFont(ValueError):
    """A file is no font that can be read."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The characters of a font, as ranges in ascending order."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]  # each with its last one

    def __contains__(self, char: str) -> bool:
        code = ord(char)
        at = bisect_right(self.starts, code) - 1
        return at >= 0 and code <= self.ends[at]

    def __len__(self) -> int:
        return sum(end - start + 1 for start, end in zip(self.starts, self.ends, strict=True))


@dataclass(frozen=True, slots=True)
class FontFace:
    """One face of a font file. `axes` maps a tag to its least, usual and greatest value."""

    path: Path
    index: int
    family: str
    weight: int  # 1 to 1000; 400 is regular, 700 bold
    is_italic: bool
    coverage: Coverage = field(repr=False, compare=False)
    axes: Mapping[str, tuple[float, float, float]] = field(default_factory=dict, compare=False)


def read_faces(path: Path) -> list[FontFace]:
    """The faces of a file, in the file's order.

    Raises:
        BrokenFont: it is no TrueType or OpenType font, cannot be read, or has no Unicode characters.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _faces(path, data)
    except (OSError, struct.error, ValueError) as error:
        raise BrokenFont(f"{path.name}: {error}") from error


def _faces(path: Path, data: mmap.mmap) -> list[FontFace]:
    known: dict[bytes, Coverage] = {}  # the faces of a collection share their tables
    return [_face(path, index, _tables(data, at), known) for index, at in enumerate(_offsets(data))]


def _offsets(data: mmap.mmap) -> list[int]:
    if data[:4] in _KINDS:
        return [0]
    if data[:4] != _COLLECTION:
        raise BrokenFont("it is no TrueType or OpenType font")
    (count,) = struct.unpack_from(">I", data, 8)
    return list(struct.unpack_from(f">{min(count, _MOST_FACES)}I", data, 12))


def _face(path: Path, index: int, tables: dict[str, bytes], known: dict[bytes, Coverage]) -> FontFace:
    names = _names(tables.get("name", b""))
    weight, is_italic = _style(tables.get("OS/2", b""))
    if "outlines" not in tables:
        raise BrokenFont("it has no outlines, as fonts of coloured emoji")
    table = tables.get("cmap", b"")
    coverage = known[table] if table in known else known.setdefault(table, _coverage(table))
    if not coverage.starts:
        raise BrokenFont("it has no table of Unicode characters")
    family = names.get(_TYPOGRAPHIC_FAMILY) or names.get(_FAMILY) or path.stem
    return FontFace(path, index, family, weight, is_italic, coverage, _axes(tables.get("fvar", b"")))


def _tables(data: mmap.mmap, at: int) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">H", data, at + 4)
    found = {}
    for number in range(min(count, _MOST_TABLES)):
        tag, _, offset, length = struct.unpack_from(">4sIII", data, at + 12 + 16 * number)
        if tag in _OUTLINES:
            found["outlines"] = b""
        if tag in (b"name", b"OS/2", b"fvar", b"cmap"):
            found[tag.decode("ascii")] = data[offset : offset + length]
    return found


def _names(table: bytes) -> dict[int, str]:
    """The names in English, or in the first language there is; Unicode records only."""
    if not table:
        return {}
    _, count, base = struct.unpack_from(">HHH", table)
    found: dict[int, str] = {}
    for number in range(count):
        platform, _, language, name, length, offset = struct.unpack_from(">6H", table, 6 + 12 * number)
        if platform in (0, 3) and (name not in found or language == 0x409):
            raw = table[base + offset : base + offset + length]
            found[name] = raw.decode("utf-16-be", "replace")
    return found


def _style(table: bytes) -> tuple[int, bool]:
    if len(table) < 64:
        return 400, False
    (weight,) = struct.unpack_from(">H", table, 4)
    (selection,) = struct.unpack_from(">H", table, 62)
    return min(max(weight, 1), 1000), bool(selection & _ITALIC_BIT)


def _axes(table: bytes) -> dict[str, tuple[float, float, float]]:
    """In the file's order, in which their values are given later."""
    if not table:
        return {}
    offset, _, count, size = struct.unpack_from(">4H", table, 4)
    found = {}
    for number in range(count):
        tag, least, usual, most = struct.unpack_from(">4siii", table, offset + size * number)
        found[tag.decode("latin-1")] = (least / 65536, usual / 65536, most / 65536)
    return found


def _coverage(table: bytes) -> Coverage:
    """Of the widest Unicode subtable: format 12 has every plane, format 4 the first."""
    if not table:
        return Coverage((), ())
    (count,) = struct.unpack_from(">H", table, 2)
    best: tuple[int, int] = (0, 0)
    for number in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", table, 4 + 8 * number)
        (kind,) = struct.unpack_from(">H", table, offset)
        if kind in (4, 12) and (platform == 0 or (platform == 3 and encoding in (1, 10))):
            best = max(best, (kind, offset))
    kind, offset = best
    if kind == 0:
        return Coverage((), ())
    return _merged(_groups(table, offset) if kind == 12 else _segments(table, offset))


def _groups(table: bytes, at: int) -> list[tuple[int, int]]:
    """Ranges that touch are joined here already: a font of Chinese has 16,000 of them."""
    (count,) = struct.unpack_from(">I", table, at + 12)
    rows = np.frombuffer(table, ">u4", 3 * min(count, _MOST_RANGES), at + 16).reshape(-1, 3).astype(np.int64)
    starts, ends = rows[:, 0] + (rows[:, 2] == 0), np.minimum(rows[:, 1], _LAST_CODE)
    first = np.ones(len(rows), bool)
    first[1:] = starts[1:] != ends[:-1] + 1
    last = np.roll(first, -1)
    return list(zip(starts[first].tolist(), ends[last].tolist(), strict=True))


def _segments(table: bytes, at: int) -> list[tuple[int, int]]:
    (double,) = struct.unpack_from(">H", table, at + 6)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", table, at + 14)
    starts = struct.unpack_from(f">{count}H", table, at + 16 + double)
    deltas = struct.unpack_from(f">{count}H", table, at + 16 + 2 * double)
    where = at + 16 + 3 * double
    offsets = struct.unpack_from(f">{count}H", table, where)
    found: list[tuple[int, int]] = []
    for number, (start, end, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        if offset == 0:
            found += [(code, code) for code in range(start, end + 1) if (code + delta) & 0xFFFF]
            continue
        glyphs = where + 2 * number + offset
        for code in range(start, end + 1):
            place = glyphs + 2 * (code - start)
            if place + 2 <= len(table) and table[place : place + 2] != b"\0\0":
                found.append((code, code))
    return [pair for pair in found if pair[0] != 0xFFFF]


def _merged(ranges: list[tuple[int, int]]) -> Coverage:
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted(ranges):
        if end < start:
            continue
        if ends and start <= ends[-1] + 1:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return Coverage(tuple(starts), tuple(ends))
