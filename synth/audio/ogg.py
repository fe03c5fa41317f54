"""The same audio as the same bytes: gives an Ogg file a fixed serial number.

libsndfile draws each Ogg stream's serial number at random, so equal Opus files would differ. Only one stream
is in our files, so any number serves. Source: RFC 3533, section 6 (page header, checksum).
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Final

SERIAL: Final = 1
_HEADER: Final = 27  # bytes before the segment table
_SERIAL_AT, _CHECKSUM_AT, _SEGMENTS_AT = 14, 22, 26
_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def fix_serial(path: Path) -> None:
    """Rewrite every page of an Ogg file with serial number 1 and the checksum that goes with it.

    Raises:
        ValueError: the file does not consist of whole Ogg pages.
    """
    with path.open("r+b") as file:
        while head := file.read(_HEADER):
            at = file.tell() - len(head)
            if len(head) < _HEADER or not head.startswith(b"OggS"):
                raise ValueError(f"{path.name} has no Ogg page at byte {at}")
            segments = file.read(head[_SEGMENTS_AT])
            body = file.read(sum(segments))
            if len(segments) != head[_SEGMENTS_AT] or len(body) != sum(segments):
                raise ValueError(f"{path.name} ends inside an Ogg page")
            page = bytearray(head + segments + body)
            struct.pack_into("<I", page, _SERIAL_AT, SERIAL)
            struct.pack_into("<I", page, _CHECKSUM_AT, 0)
            struct.pack_into("<I", page, _CHECKSUM_AT, checksum(page))
            file.seek(at)
            file.write(page)


def checksum(page: bytes | bytearray) -> int:
    """Ogg's CRC-32: zlib's with every bit order mirrored, beginning at 0 and not inverted at the end."""
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
