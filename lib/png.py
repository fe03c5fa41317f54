"""PNG, written small and read with care: what a backend returns is checked before anybody stores it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
#: Bytes of a picture of 4096 x 4096 in 16 bits and four channels that does not compress, and some more.
MOST_BYTES: Final = 160 * 2**20
_MOST_SIDE: Final = 16_384
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CRITICAL: Final = frozenset({b"PLTE", b"IDAT", b"IEND"})  # behind the header; no others exist
#: Of an animation: whoever knows these would show another picture than whoever does not.
_MOVING: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_FILTERS: Final = 5  # 0 to 4 exist
#: Adam7: first column and row, and the steps between them, of each pass.
_PASSES: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_OTHER_LENGTH: Final = "is damaged: it has not as many pixels as its header says"
_INFLATE: Final = 2**20  # bytes at a time: a small file may hold gigabytes of zeros


class NotPng(ValueError):
    """The data is no whole PNG; the sentence goes on from "the picture"."""


def check_png(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG, in pixels, once all of it has been read.

    Every chunk is of a still picture, stands where it may and has its checksum; the pixels inflate to just as
    many bytes as the header promises, each row with a filter that exists; and nothing follows the end. So
    whoever reads it next sees one picture, of this size. Memory stays below a few megabytes whatever the file
    says.

    Raises:
        NotPng: it is something else, is cut off, damaged, or larger than 16384 pixels a side.
    """
    if len(data) > MOST_BYTES:
        raise NotPng(f"has {len(data)} bytes, more than {MOST_BYTES}")
    if not data.startswith(SIGNATURE):
        raise NotPng("is no PNG: it does not begin like one")
    chunks = _chunks(data)
    kind, header = next(chunks, (b"", memoryview(b"")))
    if kind != b"IHDR" or len(header) != 13:
        raise NotPng("is no PNG: it has no header")
    width, height, depth, colour, *methods = struct.unpack(">IIBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()) or methods[0] or methods[1] or methods[2] > 1:
        raise NotPng("is a PNG of a kind that does not exist")
    if not (0 < width <= _MOST_SIDE and 0 < height <= _MOST_SIDE):
        raise NotPng(f"has {width} x {height} pixels; at most {_MOST_SIDE} a side are read")
    rows = _rows(width, height, depth * _CHANNELS[colour], methods[2] == 1)
    _check_pixels(_in_order(chunks, depth, colour), rows)
    return width, height


def write_palette_png(
    width: int, rows: Sequence[bytes], palette: Sequence[tuple[int, int, int]], text: str = ""
) -> bytes:
    """A PNG of 8-bit palette indices, one bytes object of `width` for each row; `text` is its description."""
    raw = b"".join(b"\0" + row for row in rows)
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)
    colours = b"".join(bytes(colour) for colour in palette)
    said = b"Description\0\0\0\0\0" + text.encode("utf-8")
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", colours),
            *([_chunk(b"iTXt", said)] if text else []),
            _chunk(b"IDAT", zlib.compress(raw, 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and body of each chunk up to IEND, which ends the file."""
    view, at = memoryview(data), len(SIGNATURE)
    while at < len(data):
        if at + 12 > len(data):
            raise NotPng("is cut off")
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            raise NotPng("is cut off")
        kind, body = bytes(view[at + 4 : at + 8]), view[at + 8 : end - 4]
        if zlib.crc32(view[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise NotPng("is damaged: a checksum does not fit")
        yield kind, body
        at = end
        if kind == b"IEND":
            if at != len(data):
                raise NotPng("has something behind its end")
            return
    raise NotPng("is cut off: it has no end")


def _in_order(
    chunks: Iterator[tuple[bytes, memoryview]], depth: int, colour: int
) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks behind the header, each seen to be one that may stand there."""
    seen, before = set[bytes](), b""
    for kind, body in chunks:
        if kind in _MOVING or (not kind[0] & 0x20 and kind not in _CRITICAL):
            raise NotPng("has a second header, or a part that no still picture has")
        if kind in (b"PLTE", b"IDAT") and kind in seen and before != b"IDAT":
            raise NotPng("is damaged: its pixels or its palette stand in two places")
        colours, rest = divmod(len(body), 3)
        fits = not rest and 0 < colours <= 2 ** min(depth, 8) and colour not in (0, 4)
        if kind == b"PLTE" and (not fits or b"IDAT" in seen):
            raise NotPng("is damaged: its palette is none")
        if kind == b"IDAT" and colour == 3 and b"PLTE" not in seen:
            raise NotPng("is damaged: its palette is missing")
        seen.add(kind)
        before = kind
        yield kind, body


def _rows(width: int, height: int, bits: int, interlaced: bool) -> list[tuple[int, int]]:
    """How many rows of how many bytes follow each other, each with the byte of its filter."""

    def of(columns: int, rows: int) -> tuple[int, int]:
        return (rows, 1 + (columns * bits + 7) // 8) if columns > 0 and rows > 0 else (0, 1)

    if not interlaced:
        return [of(width, height)]
    return [of(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in _PASSES]


def _check_pixels(chunks: Iterator[tuple[bytes, memoryview]], rows: Sequence[tuple[int, int]]) -> None:
    promised, found = sum(count * size for count, size in rows), 0
    filters = _filter_places(rows)
    place = next(filters, promised)
    for block in _inflated(chunks):
        while place < min(promised, found + len(block)):
            if block[place - found] >= _FILTERS:
                raise NotPng("is damaged: a row has a filter that does not exist")
            place = next(filters, promised)
        found += len(block)
        if found > promised:
            break
    if found != promised:
        raise NotPng(_OTHER_LENGTH)


def _inflated(chunks: Iterator[tuple[bytes, memoryview]]) -> Iterator[bytes]:
    """The bytes of all rows, piece by piece."""
    inflater = zlib.decompressobj()
    for kind, body in chunks:
        rest = bytes(body) if kind == b"IDAT" else b""
        while rest and not inflater.eof:
            try:
                yield inflater.decompress(rest, _INFLATE)
            except zlib.error:
                raise NotPng("is damaged: its pixels do not inflate") from None
            rest = inflater.unconsumed_tail
    while not inflater.eof:  # what the inflater still holds back
        more = inflater.decompress(inflater.unconsumed_tail, _INFLATE)
        if not more:
            raise NotPng(_OTHER_LENGTH)
        yield more


def _filter_places(rows: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Where the byte of each row's filter stands."""
    at = 0
    for count, size in rows:
        yield from range(at, at + count * size, size)
        at += count * size
