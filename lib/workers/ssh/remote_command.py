"""Runs one program on another machine to its end, or ends it there when its time is over.

A client that gives up does not end what it started: the program is told apart by the process number that it
reports first, and its whole session is ended by that.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
from collections.abc import Sequence
from typing import Final, Protocol

import asyncssh

from lib.spool import HostUnreachable
from lib.workers.ssh.command_result import CommandResult
from lib.workers.ssh.errors import RemoteTimedOut
from lib.workers.ssh.scripts import END_SESSION, REPORT_AND_RUN

_CHUNK: Final = 1 << 15  # bytes
_LONGEST_NUMBER: Final = 20  # characters of the line that a program reports itself with


class Reach(Protocol):
    """What is needed of a machine here.

    Threads: that of the connections.
    Raises: HostUnreachable from `connected`; the others nothing.
    """

    call_s: float

    @property
    def name(self) -> str:
        """`user@host:port`."""
        ...

    async def connected(self) -> asyncssh.SSHClientConnection:
        """The connection."""
        ...

    def let_go(self) -> None:
        """Cut the connection."""
        ...

    def silent(self, waited_s: float) -> HostUnreachable:
        """The sentence for a machine that gave no answer."""
        ...


async def run_command(
    machine: Reach, argv: Sequence[str], *, input: bytes, timeout_s: float, most: int
) -> CommandResult:
    """As `SshMachine.run`. In the thread of the connections."""
    connection = await machine.connected()
    process = await _started(machine, connection, ("sh", "-c", REPORT_AND_RUN, "sh", *argv))
    reading = _Reading(process, most + _LONGEST_NUMBER)
    try:
        async with asyncio.timeout(timeout_s):
            await reading.to_the_end(input)
    except TimeoutError:
        process.close()
        await _end(machine, connection, reading.number(), argv, timeout_s)
        raise RemoteTimedOut(
            f"{argv[0]!r} on {machine.name} ran over its {timeout_s:.0f} s and was ended there."
        ) from None
    status = _status(process)
    if status is None:
        raise HostUnreachable(
            f"The connection to {machine.name} broke while {argv[0]!r} ran there; it may have ended or not."
        )
    _, _, said = reading.out.partition(b"\n")
    cut = reading.cut or len(said) > most
    return CommandResult(status, bytes(said[:most]), bytes(reading.err[:most]), cut)


class _Reading:
    """What a program has written so far, up to a bound; what is over it is read and dropped."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes], most: int) -> None:
        self._process, self._most = process, most
        self.out, self.err = bytearray(), bytearray()
        self.cut = False

    async def to_the_end(self, input: bytes) -> None:
        """Feed the program and read what it writes until it ends."""
        await asyncio.gather(
            self._feed(input),
            self._read(self._process.stdout, self.out),
            self._read(self._process.stderr, self.err),
        )
        await self._process.wait_closed()

    def number(self) -> int | None:
        """The process number that the program reported; None where it is none."""
        line, end, _ = bytes(self.out[:_LONGEST_NUMBER]).partition(b"\n")
        return int(line) if end and line.isdigit() else None

    async def _feed(self, input: bytes) -> None:
        stdin = self._process.stdin
        try:
            if input:
                stdin.write(input)
                await stdin.drain()
            stdin.write_eof()
        except (OSError, asyncssh.Error):
            pass  # it ended without reading it: its status says why

    async def _read(self, stream: asyncssh.SSHReader[bytes], into: bytearray) -> None:
        while data := await stream.read(_CHUNK):
            room = self._most - len(into)
            into += data[:room]
            self.cut = self.cut or len(data) > room


async def _started(
    machine: Reach, connection: asyncssh.SSHClientConnection, argv: Sequence[str]
) -> asyncssh.SSHClientProcess[bytes]:
    limit = machine.call_s
    try:
        async with asyncio.timeout(limit):
            return await connection.create_process(shlex.join(argv), encoding=None)
    except TimeoutError:
        machine.let_go()
        raise machine.silent(limit) from None


async def _end(
    machine: Reach,
    connection: asyncssh.SSHClientConnection,
    number: int | None,
    argv: Sequence[str],
    timeout_s: float,
) -> None:
    """End the session of a program that runs over its time, and see that it has ended.

    Raises:
        HostUnreachable: the machine does not say so.
    """
    limit = machine.call_s
    told = f"{argv[0]!r} ran over its {timeout_s:.0f} s on {machine.name}, and may go on there"
    if number is None:
        machine.let_go()
        raise HostUnreachable(f"{told}: it never said that it began.")
    try:
        async with asyncio.timeout(limit):
            ending = ("sh", "-c", END_SESSION, "sh", str(number))
            process = await connection.create_process(shlex.join(ending), encoding=None)
            process.stdin.write_eof()
            await process.wait_closed()
    except (TimeoutError, OSError, asyncssh.Error):
        machine.let_go()
        raise HostUnreachable(f"{told}: it does not answer.") from None
    if _status(process) != 0:
        raise HostUnreachable(f"{told}: the machine could not end it.")


def _status(process: asyncssh.SSHClientProcess[bytes]) -> int | None:
    """The exit status as a shell has it; None where the machine never said one."""
    if process.exit_status is not None and process.exit_status >= 0:
        return process.exit_status
    told = process.exit_signal
    if told is None:
        return None
    number = getattr(signal, f"SIG{told[0]}", None)
    return 128 + int(number) if isinstance(number, signal.Signals) else 255
