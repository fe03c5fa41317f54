"""A file as an answer: whole, or the part that a player asks for; never as what a browser would run."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from job_console.error_answers import refusal
from lib.errors import ExitStatus

_BLOCK: Final = 1 << 16
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
#: By the end of a file's name. What is not here is a download of unknown kind, whatever its stage said:
#: HTML, SVG and XML could speak with the rights of who looks at them.
TYPES: Final[Mapping[str, str]] = {
    "flac": "audio/flac",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "jsonl": "text/plain; charset=utf-8",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "md": "text/plain; charset=utf-8",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "png": "image/png",
    "srt": "text/plain; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "yaml": "text/plain; charset=utf-8",
    "yml": "text/plain; charset=utf-8",
}
_UNKNOWN: Final = "application/octet-stream"
#: Even where a browser shows it: nothing in it may run, load or be sent.
_POLICY: Final = "default-src 'none'; sandbox"
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]")


def safe_type(name: str) -> str:
    """The type that a file is served as, by its name alone."""
    return TYPES.get(name.rpartition(".")[2].lower(), _UNKNOWN)


def file_answer(stream: BinaryIO, size: int, name: str, tag: str, headers: Headers) -> Response:
    """An answer that reads `stream` and closes it. `tag` is of the content; `headers` are the request's.

    A range counts while `If-Range` names the same content. A stream that cannot go to a place is sent whole.
    """
    entity = f'"{tag}"'
    kind, shown = safe_type(name), _PLAIN.sub("_", name.rpartition("/")[2])
    how = "attachment" if kind == _UNKNOWN else "inline"
    said = {
        "Content-Disposition": f'{how}; filename="{shown}"',
        "Content-Security-Policy": _POLICY,
        "ETag": entity,
        "Cache-Control": "private, no-cache",
    }
    if entity in headers.get("if-none-match", ""):
        stream.close()
        return Response(status_code=304, headers=said)
    asked = headers.get("range")
    if asked is None or not stream.seekable() or headers.get("if-range", entity) != entity:
        accepts = "bytes" if stream.seekable() else "none"
        return _part(stream, 0, size, kind, {**said, "Accept-Ranges": accepts}, 200)
    span = _span(asked, size)
    if span is None:  # several, or no such kind: the whole is an answer, too
        return _part(stream, 0, size, kind, {**said, "Accept-Ranges": "bytes"}, 200)
    first, count = span
    if count <= 0:
        stream.close()
        sentence = f"the file has {size} bytes; ask for some of these"
        where = {"Content-Range": f"bytes */{size}"}
        return refusal(416, "NoSuchRange", sentence, ExitStatus.BAD_INPUT, where)
    stream.seek(first)
    said |= {"Accept-Ranges": "bytes", "Content-Range": f"bytes {first}-{first + count - 1}/{size}"}
    return _part(stream, first, count, kind, said, 206)


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """Where a range begins and its length (0: it lies outside); None where it is not one plain range."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found.groups() == ("", ""):
        return None
    if not found[1]:
        count = min(int(found[2]), size)
        return size - count, count
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return None
    return (first, min(last, size - 1) - first + 1) if first < size else (0, 0)


class FilePart(StreamingResponse):
    """A part of a stream, which is closed however the answer ends: a client that breaks off, too."""

    def __init__(
        self, stream: BinaryIO, count: int, status: int, headers: Mapping[str, str], kind: str
    ) -> None:
        super().__init__(_blocks(stream, count), status, headers, media_type=kind)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.close()


def _part(
    stream: BinaryIO, first: int, count: int, kind: str, said: Mapping[str, str], status: int
) -> Response:
    headers = {**said, "Content-Length": str(count)}
    return FilePart(stream, count, status, headers, kind)


async def _blocks(stream: BinaryIO, count: int) -> AsyncIterator[bytes]:
    while count:
        block = await run_in_threadpool(stream.read, min(count, _BLOCK))
        if not block:
            raise OSError("the file is shorter than it was")
        count -= len(block)
        yield block
