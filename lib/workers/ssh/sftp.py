"""What is done with files over SFTP: bounded, through no link, and with as few waits as may be.

In the thread of the connections. Each question of SFTP is a round trip; those that need no answer of each
other are asked at once, and a server takes them in the order they were sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncssh

from lib.spool import HostUnreachable, InvalidSpoolData

_MANY_NAMES: Final = 64  # a longer folder comes in several answers: what moves meanwhile might be missed
_MOST_NAMES: Final = 10_000
_SHORT: Final = 1 << 15  # bytes that any server sends in one answer
_AT_ONCE: Final = 32  # questions
_DEEPEST: Final = 32  # folders in each other that are removed
_GONE: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)


@dataclass(frozen=True, slots=True)
class Plain:
    """A regular file as it was looked at: its size in bytes, and when it was changed last."""

    size: int
    changed: int


async def names_in(sftp: asyncssh.SFTPClient, folder: str) -> list[str]:
    """Names in a folder, empty when there is none.

    Raises:
        HostUnreachable: it has more than 10,000.
    """
    found = list[str]()
    try:
        async for item in sftp.scandir(folder):
            name = item.filename
            if isinstance(name, bytes):
                name = name.decode("utf-8", "surrogateescape")
            if name not in (".", ".."):
                found.append(name)
            if len(found) > _MOST_NAMES:
                raise HostUnreachable(f"The folder {folder} on the machine has over {_MOST_NAMES} names.")
    except _GONE:
        return []
    return found


async def names_in_each(
    sftp: asyncssh.SFTPClient, root: str, folders: Sequence[str]
) -> Mapping[str, list[str]]:
    """Names in each folder below `root`, looked at in this order."""
    listed = await asyncio.gather(*(names_in(sftp, beneath(root, folder)) for folder in folders))
    found = dict(zip(folders, listed, strict=True))
    long = next((at for at, names in enumerate(listed) if len(names) >= _MANY_NAMES), len(folders))
    for folder in folders[
        long + 1 :
    ]:  # answers of several folders came mixed: those behind are looked at anew
        found[folder] = await names_in(sftp, beneath(root, folder))
    return found


async def standing(sftp: asyncssh.SFTPClient, root: str, paths: Sequence[str]) -> list[str]:
    """Those of `paths` at which anything stands."""
    looked = await asyncio.gather(*(_stands(sftp, beneath(root, path)) for path in paths))
    return [path for path, stands in zip(paths, looked, strict=True) if stands]


async def _stands(sftp: asyncssh.SFTPClient, path: str) -> bool:
    try:
        await sftp.lstat(path)
    except _GONE:
        return False
    return True


async def plain(sftp: asyncssh.SFTPClient, root: str, path: str) -> Plain:
    """Look at a regular file, and that it is reached through no link. A FIFO is not opened: that would hang.

    Raises:
        FileNotFoundError: nothing stands there.
        InvalidSpoolData: no plain file does.
    """
    parts = path.split("/")
    ways = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    looked = await asyncio.gather(*(sftp.lstat(beneath(root, way)) for way in ways), return_exceptions=True)
    for way, found in zip(ways, looked, strict=True):
        if isinstance(found, _GONE):
            raise FileNotFoundError(path)
        if isinstance(found, BaseException):
            raise found
        mode = found.permissions or 0
        if not (stat.S_ISREG(mode) if way == path else stat.S_ISDIR(mode)):
            raise InvalidSpoolData(f"{path} in the spool is no plain file.")
    last = looked[-1]
    assert not isinstance(last, BaseException), "raised above"
    return Plain(last.size or 0, last.mtime or 0)


async def opened(sftp: asyncssh.SFTPClient, root: str, path: str) -> asyncssh.SFTPClientFile:
    """Open for reading what `plain` has looked at. Raises FileNotFoundError."""
    try:
        return await sftp.open(beneath(root, path), "rb", encoding=None, block_size=0)
    except _GONE:
        raise FileNotFoundError(path) from None


async def span(file: asyncssh.SFTPClientFile, offset: int, size: int, piece: int = _SHORT) -> bytes:
    """At most `size` bytes from `offset` on; less only at the file's end. Asked for in pieces at once."""
    parts, at, end = list[bytes](), offset, offset + size
    while at < end:
        starts = range(at, min(end, at + _AT_ONCE * piece), piece)
        got = await asyncio.gather(*(file.read(min(piece, end - start), start) for start in starts))
        for start, data in zip(starts, got, strict=True):
            asked = min(piece, end - start)
            part = _bytes(data)[:asked]  # a server may send more than was asked for
            parts.append(part)
            at = start + len(part)
            if not part:
                return b"".join(parts)
            if len(part) < asked:  # it sends less at once: go on from there, unless that is the end
                piece = len(part)
                break
    return b"".join(parts)


async def read_whole(sftp: asyncssh.SFTPClient, root: str, path: str, limit: int) -> bytes:
    """All of a file of at most `limit` bytes. Raises FileNotFoundError, InvalidSpoolData."""
    looked = await plain(sftp, root, path)
    if looked.size > limit:
        raise too_large(path, limit)
    file = await opened(sftp, root, path)
    if looked.size < _SHORT:
        data, _ = await asyncio.gather(file.read(looked.size + 1, 0), file.close())
        if len(data) == looked.size:
            return _bytes(data)
        file = await opened(sftp, root, path)  # it grew, or it is a server of small answers
    try:
        whole = await span(file, 0, limit + 1)
    finally:
        await file.close()
    if len(whole) > limit:
        raise too_large(path, limit)
    return whole


async def read_part(sftp: asyncssh.SFTPClient, root: str, path: str, limit: int, offset: int) -> bytes:
    """At most `limit` bytes from `offset` on. Raises FileNotFoundError, InvalidSpoolData."""
    await plain(sftp, root, path)
    file = await opened(sftp, root, path)
    try:
        return await span(file, offset, limit)
    finally:
        await file.close()


async def make_folders(sftp: asyncssh.SFTPClient, root: str, folder: str) -> None:
    """Make a folder below `root`, and `root` too, with those on the way."""
    path = "/" if root.startswith("/") else ""
    for part in beneath(root, folder).split("/"):
        path = posixpath.join(path, part)
        if part and not await _stands(sftp, path):
            # somebody else was first; else the next step says what is wrong
            with contextlib.suppress(asyncssh.SFTPFailure):
                await sftp.mkdir(path, asyncssh.SFTPAttrs(permissions=0o700))


async def write_draft(file: asyncssh.SFTPClientFile, data: bytes) -> None:
    """Fill a file that was opened, have it on the disk, and close it, in one wait: all in this order."""
    starts = range(0, max(1, len(data)), _SHORT)
    pieces = [file.write(data[start : start + _SHORT], start) for start in starts]
    results = await asyncio.gather(*pieces, file.fsync(), file.close(), return_exceptions=True)
    for result in results:
        if isinstance(result, asyncssh.SFTPOpUnsupported):
            continue  # a server without fsync: a power cut there may take the job back, its lease runs out
        if isinstance(result, BaseException):
            raise result


async def remove(sftp: asyncssh.SFTPClient, path: str, depth: int = 0) -> None:
    """Remove a file, or a folder with all in it; a link is removed, never followed. Gone is success."""
    try:
        await sftp.remove(path)
        return
    except _GONE:
        return
    except asyncssh.SFTPError as error:
        if depth > _DEEPEST or not await _is_folder(sftp, path):
            raise error from None
    await _empty(sftp, path, depth)
    try:
        await sftp.rmdir(path)
    except _GONE:
        return


async def _empty(sftp: asyncssh.SFTPClient, path: str, depth: int) -> None:
    try:
        names = await names_in(sftp, path)
        await _remove_all(sftp, path, names, depth)
    except asyncssh.SFTPPermissionDenied:  # its writer took away the right to
        await sftp.chmod(path, stat.S_IRWXU)
        await _remove_all(sftp, path, await names_in(sftp, path), depth)


async def _remove_all(sftp: asyncssh.SFTPClient, path: str, names: Sequence[str], depth: int) -> None:
    for start in range(0, len(names), _AT_ONCE):
        inner = (posixpath.join(path, name) for name in names[start : start + _AT_ONCE] if "/" not in name)
        await asyncio.gather(*(remove(sftp, each, depth + 1) for each in inner))


async def _is_folder(sftp: asyncssh.SFTPClient, path: str) -> bool:
    try:
        return stat.S_ISDIR((await sftp.lstat(path)).permissions or 0)
    except _GONE:
        return False


def _bytes(data: bytes | str) -> bytes:
    """What was read; files are opened without an encoding."""
    return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data


def beneath(root: str, path: str) -> str:
    """The path as the server knows it."""
    return f"{root}/{path}" if path else root


def too_large(path: str, limit: int) -> InvalidSpoolData:
    """The sentence for a file over its bound."""
    return InvalidSpoolData(f"{path} in the spool is over {limit} bytes.")
