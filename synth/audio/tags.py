"""What players show of a file: title, album, who speaks, and that no person did.

libsndfile writes the tags of WAV, FLAC and Ogg. For MP3 it hands UTF-8 to an encoder that takes it for
Latin-1, and the tag libraries we looked at carry a licence we cannot ship, so that one header is made here;
a WAV carries it too (`synth.audio.wav`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

#: Text frames of ID3v2.3. Source: https://id3.org/id3v2.3.0, sections 3 and 4.2.
_FRAMES: Final = {"title": b"TIT2", "album": b"TALB", "artist": b"TPE1"}
_UTF16: Final = b"\x01"
_UNDETERMINED: Final = b"und"  # the language of a comment
_MARK: Final = "\ufeff".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Tags:
    """Empty ones are left out."""

    title: str = ""
    album: str = ""
    artist: str = ""
    comment: str = ""

    def filled(self) -> dict[str, str]:
        """Those that say something, by the names that libsndfile knows."""
        values = {"title": self.title, "album": self.album, "artist": self.artist, "comment": self.comment}
        return {name: value for name, value in values.items() if value}


def id3_header(tags: Tags, more: bytes = b"") -> bytes:
    """The tags as ID3v2.3, for the beginning of an MP3 and a chunk of a WAV; nothing without tags.

    `more` are further frames, whole.
    """
    frames = b"".join(_frame(name, value) for name, value in tags.filled().items()) + more
    return b"ID3\x03\x00\x00" + _synchsafe(len(frames)) + frames if frames else b""


def text_frame(kind: bytes, value: str) -> bytes:
    """A frame that holds one text, such as TIT2."""
    body = _UTF16 + _MARK + value.encode("utf-16-le")
    return kind + struct.pack(">IH", len(body), 0) + body


def _frame(name: str, value: str) -> bytes:
    if name != "comment":
        return text_frame(_FRAMES[name], value)
    body = _UTF16 + _UNDETERMINED + _MARK + b"\x00\x00" + _MARK + value.encode("utf-16-le")
    return b"COMM" + struct.pack(">IH", len(body), 0) + body


def _synchsafe(size: int) -> bytes:
    """28 bits in four bytes whose first bit is never set, so that no player takes them for sound."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
