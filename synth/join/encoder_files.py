"""The file behind an encoder that writes the sound and no more: what belongs in front of it is put there.

libsndfile writes four tags and neither chapters nor pictures. What is missing cannot be added later without
copying hours of audio, so it is put in while the encoder writes. What goes wrong waits in `refusal`
until the encoder has let go: raised in the middle, it would be lost on its way through C.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from synth.audio.encode import EncodingFailed
from synth.audio.ogg import SERIAL, checksum
from synth.join.cover import Cover

_BUFFER: Final = 1 << 20  # bytes
_FLAC_COMMENTS_AT: Final = 42  # after "fLaC" and the stream's facts, which never differ in length
_COMMENTS, _PICTURE, _LAST = 4, 6, 0x80  # kinds of metadata blocks, and the mark of the last one
_MOST_IN_PAGE: Final = 255 * 255  # bytes
_PAGE_HEAD: Final = 27
_CONTINUED: Final = 1


class EncoderFile:
    """Takes what an encoder writes. `head` goes before all of it."""

    def __init__(self, path: Path, head: bytes = b"") -> None:
        self.refusal: OSError | EncodingFailed | None = None
        self._file = path.open("wb", buffering=_BUFFER)
        self._at = self._end = 0  # as the encoder sees it
        self._shift = len(head)
        self._put(0, head)

    def write(self, data: bytes) -> int:
        """All of it; after a refusal, none."""
        self._put(self._at + self._shift, data)
        return self._passed(len(data))

    def seek(self, offset: int, whence: int = 0) -> int:
        """As a file's."""
        self._at = offset + (0, self._at, self._end)[whence]
        return self._at

    def tell(self) -> int:
        """Where the encoder is."""
        return self._at

    def finish(self) -> None:
        """What is still to be written, once the encoder has ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as refusal:
            self.refusal = self.refusal or refusal
        if self.refusal is not None:
            raise self.refusal

    def _passed(self, length: int) -> int:
        self._at += length
        self._end = max(self._end, self._at)
        return length

    def _put(self, place: int, data: bytes) -> None:
        try:
            if self.refusal is None:
                if self._file.tell() != place:
                    self._file.seek(place)
                self._file.write(data)
        except OSError as refusal:
            self.refusal = refusal


class FlacFile(EncoderFile):
    """Puts comments and a picture in the place of the encoder's own comments."""

    def __init__(self, path: Path, comments: Sequence[str], cover: Cover | None) -> None:
        super().__init__(path)
        self._comments, self._cover = comments, cover

    def write(self, data: bytes) -> int:
        """All of it; the encoder's comments, which come in one piece, are replaced."""
        place = self._at
        if place < _FLAC_COMMENTS_AT:
            self._put(place, data)
        elif place == _FLAC_COMMENTS_AT:
            ours = self._metadata(data)
            self._shift = len(ours) - len(data)
            self._put(place, ours)
        else:
            self._put(place + self._shift, data)
        return self._passed(len(data))

    def _metadata(self, theirs: bytes) -> bytes:
        if theirs[0] != _LAST | _COMMENTS or int.from_bytes(theirs[1:4], "big") + 4 != len(theirs):
            self.refusal = EncodingFailed("The FLAC encoder writes a header that is not known here.")
        comments = _comments(_vendor(theirs[4:]), self._comments)
        blocks = [(_COMMENTS, comments)]
        if self._cover is not None:
            blocks.append((_PICTURE, self._cover.flac_block()))
        blocks[-1] = (blocks[-1][0] | _LAST, blocks[-1][1])
        return b"".join(bytes([kind]) + len(body).to_bytes(3, "big") + body for kind, body in blocks)


class OpusFile(EncoderFile):
    """Replaces the page of tags, and numbers all pages anew; equal audio gives equal bytes."""

    def __init__(self, path: Path, comments: Sequence[str], cover: Cover | None) -> None:
        super().__init__(path)
        picture = [] if cover is None else [_picture_comment(cover)]
        self._comments = [*comments, *picture]
        self._waiting = bytearray()
        self._pages = 0  # that the encoder wrote
        self._number = 0  # of the next page of ours
        self._written = 0

    def write(self, data: bytes) -> int:
        """Keep what is no whole page yet."""
        self._waiting += data
        while self.refusal is None and (length := self._page_length()) is not None:
            page = bytes(self._waiting[:length])
            del self._waiting[:length]
            self._take(page)
        return self._passed(len(data))

    def finish(self) -> None:
        """See that nothing is left over."""
        if self._waiting and self.refusal is None:
            self.refusal = EncodingFailed("The Opus encoder ended inside an Ogg page.")

    def _page_length(self) -> int | None:
        """The length of the page at hand; None while it is not whole. Source: RFC 3533, section 6."""
        data = self._waiting
        if len(data) < _PAGE_HEAD:
            return None
        if data[:4] != b"OggS":
            self.refusal = EncodingFailed("The Opus encoder wrote something else than Ogg pages.")
            return None
        head = _PAGE_HEAD + data[_PAGE_HEAD - 1]
        length = head + sum(data[_PAGE_HEAD:head])
        return length if len(data) >= max(head, length) else None

    def _take(self, page: bytes) -> None:
        body = page[_PAGE_HEAD + page[_PAGE_HEAD - 1] :]
        self._pages += 1
        if self._pages == 2:
            tags = b"OpusTags" + _comments(_vendor(body[8:]), self._comments)
            for packet_page in _pages_of(tags):
                self._page(packet_page)
        else:
            self._page(page)

    def _page(self, page: bytes) -> None:
        numbered = bytearray(page)
        struct.pack_into("<III", numbered, 14, SERIAL, self._number, 0)
        struct.pack_into("<I", numbered, 22, checksum(numbered))
        self._put(self._written, bytes(numbered))
        self._number += 1
        self._written += len(numbered)


def _vendor(comments: bytes) -> bytes:
    length = int.from_bytes(comments[:4], "little")
    return comments[4 : 4 + length]


def _comments(vendor: bytes, comments: Sequence[str]) -> bytes:
    """Source: https://xiph.org/vorbis/doc/v-comment.html."""
    encoded = [comment.encode() for comment in comments]
    head = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(encoded))
    return head + b"".join(struct.pack("<I", len(each)) + each for each in encoded)


def _picture_comment(cover: Cover) -> str:
    return f"METADATA_BLOCK_PICTURE={base64.b64encode(cover.flac_block()).decode()}"


def _pages_of(packet: bytes) -> Iterator[bytes]:
    """The pages of one packet, without numbers. The packet ends on the last; the position of others is -1."""
    for first in range(0, len(packet) + 1, _MOST_IN_PAGE):
        part = packet[first : first + _MOST_IN_PAGE]
        last = len(part) < _MOST_IN_PAGE
        lacing = bytes([255] * (len(part) // 255)) + (bytes([len(part) % 255]) if last else b"")
        kind = _CONTINUED if first else 0
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, kind, 0 if last else -1, 0, 0, 0, len(lacing))
        yield head + lacing + part
