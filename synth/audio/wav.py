"""Adds what libsndfile leaves out of a WAV file: an `id3 ` chunk, for players that read no other tags.

libsndfile writes LIST INFO, whose letters many players take for those of an old code page, or skip. An
`id3 ` chunk holds the tags as an MP3 does. Source of the chunk: https://exiftool.org/TagNames/RIFF.html.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

_SIZE_AT: Final = 4  # the size of the whole file but for its first 8 bytes


def add_chunk(path: Path, data: bytes, *, name: bytes = b"id3 ") -> None:
    """Put `data` behind what a RIFF file holds, under `name`, and count it in; nothing for no data.

    Raises:
        OSError: the file cannot be written.
    """
    if not data:
        return
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        chunk = b"\0" * (end % 2) + name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        file.write(chunk)
        file.seek(_SIZE_AT)
        file.write(struct.pack("<I", end + len(chunk) - 8))
