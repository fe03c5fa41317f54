"""A cover picture: PNG or JPEG, as it is in the file; nothing of it is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.units import MIB

#: A picture stands before the sound in several formats, so that each listener loads it first.
MOST_BYTES: Final = 5 * MIB
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_FRONT: Final = 3  # "cover (front)" in every format
#: Markers of a JPEG's frame header, which holds its size: SOF0 to SOF15 without DHT, JPG and DAC.
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
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
    size = _png_size(data) if data.startswith(_PNG) else _jpeg_size(data)
    if size is None or 0 in size:
        raise NoPicture(f"The cover {path} is no picture that players show; save it as PNG or JPEG.")
    return Cover(data, "image/png" if data.startswith(_PNG) else "image/jpeg", *size)


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 33 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind in _FRAME_HEADERS:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 1 if kind == 0xFF else 2 if kind in _ALONE else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
