"""A cover picture: PNG or JPEG, as it is in the file; nothing of it is decoded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.units import MIB

#: A picture stands before the sound in several formats, so that each listener loads it first.
MOST_BYTES: Final = 5 * MIB
_MOST_PIXELS: Final = 10_000  # on a side; a player that decodes more of them takes a gigabyte
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_FRONT: Final = 3  # "cover (front)" in every format
#: Markers of a JPEG's frame header, which holds its size: SOF0 to SOF15 without DHT, JPG and DAC.
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LINES: Final = 0xDA  # the marker behind which the picture itself stands
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


class NoPicture(BadInput):
    """A cover is no picture that a player shows, or is too large."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture's bytes, and what its header says."""

    data: bytes
    mime: str
    width: int
    height: int

    def id3_frame(self) -> bytes:
        """As the APIC frame of an ID3v2.3 tag. Source: https://id3.org/id3v2.3.0, section 4.15."""
        body = b"\0" + self.mime.encode() + b"\0" + bytes([_FRONT]) + b"\0" + self.data
        return b"APIC" + struct.pack(">IH", len(body), 0) + body

    def flac_block(self) -> bytes:
        """As a picture block's body. Source: https://www.rfc-editor.org/rfc/rfc9639#section-8.8."""
        mime = self.mime.encode()
        head = struct.pack(">II", _FRONT, len(mime)) + mime + struct.pack(">I", 0)
        return head + struct.pack(">IIIII", self.width, self.height, 24, 0, len(self.data)) + self.data


def read_cover(path: Path) -> Cover:
    """The picture in that file.

    Raises:
        NoPicture: it cannot be read, is neither PNG nor JPEG, or too large.
    """
    try:
        data = read_plain(path, MOST_BYTES, follow=True)
    except NotPlain:
        raise NoPicture(f"The cover {path} is no file; name a PNG or JPEG.") from None
    except OSError as error:
        raise NoPicture(f"The cover {path} cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise NoPicture(
            f"The cover {path} is larger than {MOST_BYTES // MIB} MiB, which every listener would load "
            "before the sound; make it smaller, 1400 to 3000 pixels wide."
        )
    mime, size, whole = _looked_at(data)
    if size is None or 0 in size:
        raise NoPicture(f"The cover {path} is no picture that players show; save it as PNG or JPEG.")
    if max(size) > _MOST_PIXELS:
        raise NoPicture(
            f"The cover {path} says that it is {size[0]} by {size[1]} pixels; at most {_MOST_PIXELS} by "
            f"{_MOST_PIXELS} are shown. Make it smaller, 1400 to 3000 pixels wide."
        )
    if not whole:
        raise NoPicture(f"The cover {path} is cut off or damaged; save it anew.")
    return Cover(data, mime, *size)


def _looked_at(data: bytes) -> tuple[str, tuple[int, int] | None, bool]:
    """What kind of picture it is, its width and height, and whether it is all there."""
    if data.startswith(_PNG):
        return "image/png", _png_size(data), _is_whole_png(data)
    return "image/jpeg", _jpeg_size(data), _is_whole_jpeg(data)


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 33 or data[8:16] != b"\0\0\0\rIHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _is_whole_png(data: bytes) -> bool:
    """Whether every chunk has its checksum, up to the last. Source: https://www.w3.org/TR/png-3/#5Chunk-layout."""
    at, kinds = len(_PNG), set[bytes]()
    while at + 12 <= len(data) and b"IEND" not in kinds:
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        kinds.add(data[at + 4 : at + 8])
        at = end + 4
    return {b"IDAT", b"IEND"} <= kinds


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    for kind, at in _segments(data):
        if kind in _FRAME_HEADERS and at + 9 <= len(data):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
    return None


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether it has lines and an end behind them; a small picture among its facts has an end of its own."""
    lines = next((at for kind, at in _segments(data) if kind == _LINES), len(data))
    return data.find(b"\xff\xd9", lines) > lines


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The kind and the place of each segment of a JPEG, up to its lines."""
    at = 2 if data.startswith(b"\xff\xd8\xff") else len(data)
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        yield kind, at
        if kind == _LINES:
            return
        at += 1 if kind == 0xFF else 2 if kind in _ALONE else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
