"""SSH servers that do what a test tells them to: a machine that lies, floods, or falls silent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import asyncssh

from lib.workers.ssh import KnownHosts, SshAddress, SshMachine, SshOptions, SshThread

Process = asyncssh.SSHServerProcess[bytes]


@dataclass
class Script:
    """What the machine does otherwise than a plain one. `asked` counts the questions of SFTP by kind."""

    session: Callable[[Process], Awaitable[None]] | None = None  # in place of running the command
    read: Callable[[int, int], Awaitable[bytes]] | None = None  # of an offset and a size
    names: Callable[[], AsyncIterator[str]] | None = None  # in any folder
    size: int | None = None  # that every file is said to have
    close: Callable[[], None] | None = None  # before a file is closed
    asked: dict[str, int] = field(default_factory=dict)
    opened: list[Any] = field(default_factory=list)  # a broken connection leaves them open


class ScriptedServer:
    """One server whose files are those of `folder`, in a thread of its own."""

    def __init__(self, folder: Path, script: Script, key_file: Path) -> None:
        self.folder, self.script = folder, script
        self._key_file = key_file
        self._visitors = list[asyncssh.SSHServerConnection]()
        self._thread = SshThread()
        self._listener: asyncssh.SSHAcceptor = self._thread.call(self._listen(), 10)

    def machine(self, thread: SshThread, options: SshOptions | None = None) -> SshMachine:
        """A connection to it."""
        return SshMachine(
            thread,
            SshAddress("me", "127.0.0.1", self._listener.get_port()),
            key_file=self._key_file,
            known_hosts=KnownHosts(self.folder.parent / "known"),
            options=options or SshOptions(),
        )

    def close(self) -> None:
        """End it and its connections."""
        self._thread.call(self._stop(), 10)
        self._thread.close()
        for file in self.script.opened:
            file.close()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        script, folder = self.script, self.folder

        def files(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
            return _Sftp(channel, str(folder), script)

        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Visitors(self._visitors),
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            authorized_client_keys=f"{self._key_file}.pub",
            sftp_factory=files,
            process_factory=self._serve,
            encoding=None,
        )

    async def _stop(self) -> None:
        self._listener.close()
        await self._listener.wait_closed()
        for visitor in self._visitors:
            visitor.abort()
            await visitor.wait_closed()

    async def _serve(self, process: Process) -> None:
        if self.script.session is not None:
            await self.script.session(process)
        process.exit(0)


class _Visitors(asyncssh.SSHServer):
    def __init__(self, seen: list[asyncssh.SSHServerConnection]) -> None:
        self._seen = seen

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._seen.append(conn)


class _Sftp(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], folder: str, script: Script) -> None:
        super().__init__(channel, chroot=folder.encode())
        self._script = script

    def _count(self, what: str) -> None:
        self._script.asked[what] = self._script.asked.get(what, 0) + 1

    def lstat(self, path: bytes) -> Any:
        self._count("lstat")
        found = asyncssh.SFTPAttrs.from_local(cast(os.stat_result, super().lstat(path)))
        if self._script.size is not None and found.type == asyncssh.FILEXFER_TYPE_REGULAR:
            found.size = self._script.size
        return found

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        self._count("read")
        if self._script.read is not None:
            return await self._script.read(offset, size)
        return cast(bytes, super().read(file_obj, offset, size))

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        self._count("scandir")
        if self._script.names is None:
            async for found in super().scandir(path):
                yield found
            return
        async for name in self._script.names():
            attrs = asyncssh.SFTPAttrs(permissions=0o100644)
            yield asyncssh.SFTPName(name.encode(), name.encode(), attrs)

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        self._count("open")
        self._script.opened.append(super().open(path, pflags, attrs))
        return self._script.opened[-1]

    def close(self, file_obj: object) -> Any:
        if self._script.close is not None:
            self._script.close()
        return super().close(file_obj)

    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        self._count("write")
        return super().write(file_obj, offset, data)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
        self._count("rename")
        return super().posix_rename(oldpath, newpath)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> Any:
        self._count("mkdir")
        return super().mkdir(path, attrs)


async def never(*_: object) -> Any:
    """Answer nothing."""
    await asyncio.Event().wait()
