"""The files of a spool on a machine that is reached by SSH."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import posixpath
import secrets
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import asyncssh

from lib.spool import HostUnreachable, InvalidSpoolData
from lib.spool.errors import unusable
from lib.spool.layout import CLIENT_BELL, WORKER_BELL
from lib.units import MIB
from lib.workers.ssh import sftp as over
from lib.workers.ssh.connecting import printable
from lib.workers.ssh.control import Control, Place
from lib.workers.ssh.local_bell import LocalBell
from lib.workers.ssh.machine import SshMachine

T = TypeVar("T")

_TRIES: Final = 4  # of a copy whose connection breaks
_SPAN: Final = MIB  # bytes of a copy that have to come within the time of one question
_GONE: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)

Listing = Mapping[str, Sequence[str]]


class SftpFiles:
    """`lib.spool.Files` over SFTP. What was written is on the machine's disk when the call returns.

    What stands in the spool is the machine's to say, and it may lie: sizes are bounded, nothing but plain
    files is opened, and nothing that is read there decides where anything is written here.

    Threads: any; `close` when no other call goes on.
    Raises: HostUnreachable where the machine does not answer or refuses (a full disk); else as `Files`.
    """

    def __init__(
        self, machine: SshMachine, place: Place, *, on_end: Callable[[], None] = lambda: None
    ) -> None:
        """`on_end` is called, in the thread of the connections, when the end of a worker may be heard of."""
        self._machine, self._root = machine, place.spool
        self._bell = LocalBell()
        self._ahead = _LookAhead()
        self.control = Control(machine, place, rung=self._bell.ring, ended=on_end)

    def list(self, folder: str) -> list[str]:
        """Names in `folder`."""
        return self._do(lambda sftp: over.names_in(sftp, over.beneath(self._root, folder)))

    def scan(self, folders: Sequence[str]) -> Listing:
        """Names in each of `folders`: those looked at ahead, if nothing was changed from here since then."""
        begun = self._ahead.take(folders)
        if begun is not None:
            try:
                return begun.result(2 * self._machine.options.call_s)
            except (concurrent.futures.CancelledError, concurrent.futures.TimeoutError):
                pass
        return self._do(lambda sftp: over.names_in_each(sftp, self._root, folders))

    def look_ahead(self, folders: Sequence[str]) -> None:
        """Begin to look at what the next `scan` of these folders will ask for, and wait for nothing.

        Whoever visits many machines in turn so waits for the slowest of them, not for their sum.
        """
        self._ahead.put(
            folders,
            lambda: self._machine.thread.begin(
                self._machine.asked(
                    lambda sftp: self._refusing(sftp, lambda it: over.names_in_each(it, self._root, folders))
                )
            ),
        )

    def present(self, paths: Sequence[str]) -> Sequence[str]:
        """Those of `paths` at which anything stands; a link is looked at, not followed."""
        return self._do(lambda sftp: over.standing(sftp, self._root, paths)) if paths else []

    def read(self, path: str, limit: int, offset: int | None = None) -> bytes:
        """The whole file, or a part of it."""
        if offset is None:
            return self._do(lambda sftp: over.read_whole(sftp, self._root, path, limit))
        return self._do(lambda sftp: over.read_part(sftp, self._root, path, limit, offset))

    def write(self, path: str, data: bytes, unless: Sequence[str] = ()) -> bool:
        """Write to a temporary name beside it, sync, rename; the look at `unless` costs no further wait."""
        self._ahead.drop()
        spans = -(-len(data) // _SPAN)  # a recording takes longer than a job file
        return self._do(lambda sftp: self._write(sftp, path, data, unless), spans=spans)

    def rename(self, source: str, target: str) -> None:
        """Move within the root, making the folder it goes to."""
        self._ahead.drop()
        self._do(lambda sftp: self._rename(sftp, source, target))

    def remove_tree(self, path: str) -> None:
        """Remove a file or a folder; a link is removed, never followed."""
        self._ahead.drop()
        self._do(lambda sftp: over.remove(sftp, over.beneath(self._root, path)))

    def fetch(self, path: str, local: Path, limit: int) -> None:
        """Copy a plain file to `local`; a copy whose connection breaks goes on where it was."""
        try:
            with local.open("wb") as target:
                self._copy(path, target, limit)
        except FileNotFoundError as error:
            if error.filename is None:  # of the machine's file: of ours it would be said
                raise
            raise unusable(local, error) from None
        except OSError as error:
            raise unusable(local, error) from None

    def ring(self, bell: str) -> None:
        """Wake who waits at `bell`, here or there. Waits for nothing."""
        if bell == CLIENT_BELL:
            self._bell.ring()
        elif bell == WORKER_BELL:
            self.control.ring()

    def wait(self, bell: str, timeout_s: float) -> None:
        """Wait for a ring that comes over the connection."""
        if bell != CLIENT_BELL:
            return
        if not self._bell.hangs:
            self.listen(bell)
            return  # what happened before was not heard: look first
        self._bell.wait(timeout_s)

    def listen(self, bell: str) -> int | None:
        """A descriptor that is readable when the machine's bell has rung, or may have."""
        if bell != CLIENT_BELL:
            return None
        descriptor = self._bell.fileno()
        self.control.start()
        return descriptor

    def heard(self, bell: str) -> None:
        """Take the rings in."""
        if bell == CLIENT_BELL:
            self._bell.hear()

    def close(self) -> None:
        """End the session on the machine; its worker stays."""
        self.control.close()
        self._ahead.drop()
        self._bell.close()

    # --- one question ------------------------------------------------------------------------------------

    def _do(self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]], *, spans: int = 1) -> T:
        limit = max(spans, 1) * self._machine.options.call_s
        return self._machine.with_sftp(lambda sftp: self._refusing(sftp, work), limit)

    async def _refusing(
        self, sftp: asyncssh.SFTPClient, work: Callable[[asyncssh.SFTPClient], Awaitable[T]]
    ) -> T:
        """Say in a sentence what the machine refuses. A broken connection is the caller's to tell."""
        try:
            return await work(sftp)
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
            raise
        except asyncssh.SFTPError as error:
            raise HostUnreachable(
                f"{self._machine.name} refuses work in its folder {self._root} ({printable(error.reason)}): "
                "look whether its disk is full, and whose the folder is."
            ) from None

    async def _write(self, sftp: asyncssh.SFTPClient, path: str, data: bytes, unless: Sequence[str]) -> bool:
        target = over.beneath(self._root, path)
        draft = posixpath.join(posixpath.dirname(target), f".{secrets.token_hex(8)}.part")
        opening = asyncio.ensure_future(self._new(sftp, draft, posixpath.dirname(path)))
        try:
            taken = await over.standing(sftp, self._root, unless)
        finally:
            file = await opening
        try:
            if not taken:
                await over.write_draft(file, data)
                await sftp.posix_rename(draft, target)
                return True
        except BaseException:
            await _try_remove(sftp, draft)
            raise
        await asyncio.gather(file.close(), _try_remove(sftp, draft))
        return False

    async def _new(self, sftp: asyncssh.SFTPClient, path: str, folder: str) -> asyncssh.SFTPClientFile:
        """A new file; its folder is made when it turns out to be missing."""
        try:
            return await sftp.open(path, "xb", encoding=None, block_size=0)
        except _GONE:
            await over.make_folders(sftp, self._root, folder)
            return await sftp.open(path, "xb", encoding=None, block_size=0)

    async def _rename(self, sftp: asyncssh.SFTPClient, source: str, target: str) -> None:
        old, new = over.beneath(self._root, source), over.beneath(self._root, target)
        try:
            await sftp.posix_rename(old, new)
        except _GONE:
            if not await over.standing(sftp, self._root, [source]):
                raise FileNotFoundError(source) from None
            await over.make_folders(sftp, self._root, posixpath.dirname(target))
            try:
                await sftp.posix_rename(old, new)
            except _GONE:
                raise FileNotFoundError(source) from None

    # --- a copy ------------------------------------------------------------------------------------------

    def _copy(self, path: str, target: BinaryIO, limit: int) -> None:
        known: over.Plain | None = None
        for left in reversed(range(_TRIES)):
            looked = self._do(lambda sftp: over.plain(sftp, self._root, path))
            if looked.size > limit:
                raise over.too_large(path, limit)
            if looked != known:  # else what has come so far is the beginning of it
                target.seek(0)
                target.truncate()
            known = looked
            try:
                self._copy_on(path, target, looked.size)
                return
            except HostUnreachable:
                if not left:
                    raise

    def _copy_on(self, path: str, target: BinaryIO, size: int) -> None:
        """Copy from where `target` ends to the size that was looked at, a span at a time."""
        file = self._do(lambda sftp: over.opened(sftp, self._root, path))
        try:
            while (at := target.tell()) < size:
                data = self._do(partial(_next_span, file, at, min(_SPAN, size - at)))
                if not data:
                    raise InvalidSpoolData(f"{path} in the spool became shorter while it was copied.")
                target.write(data)
        except HostUnreachable:
            raise  # the session that it was open in is gone
        except BaseException:
            with contextlib.suppress(HostUnreachable):  # what went wrong first is what is told
                self._do(lambda _: file.close())
            raise
        self._do(lambda _: file.close())


class _LookAhead:
    """A listing that was begun before it was asked for. Used once, and not after a change.

    Threads: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: tuple[tuple[str, ...], concurrent.futures.Future[Listing]] | None = None

    def put(self, folders: Sequence[str], begin: Callable[[], concurrent.futures.Future[Listing]]) -> None:
        """Begin one in place of any before it, which would tell of an earlier time."""
        with self._lock:
            self._begun = tuple(folders), begin()

    def take(self, folders: Sequence[str]) -> concurrent.futures.Future[Listing] | None:
        """What was begun for these folders."""
        with self._lock:
            begun, self._begun = self._begun, None
        return begun[1] if begun is not None and begun[0] == tuple(folders) else None

    def drop(self) -> None:
        """What was begun is out of date."""
        with self._lock:
            self._begun = None


async def _next_span(file: asyncssh.SFTPClientFile, at: int, size: int, _: asyncssh.SFTPClient) -> bytes:
    return await over.span(file, at, size)


async def _try_remove(sftp: asyncssh.SFTPClient, path: str) -> None:
    """Remove a draft; where that fails, the next session on the machine does."""
    with contextlib.suppress(asyncssh.Error, OSError):
        await sftp.remove(path)
