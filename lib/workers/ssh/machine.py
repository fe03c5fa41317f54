"""One machine reached by SSH: blocking calls with deadlines over a connection that comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncssh

from lib.backoff import backoff_s
from lib.errors import JobRunnerError
from lib.spool import HostUnreachable
from lib.units import MIB
from lib.workers.ssh.address import SshAddress
from lib.workers.ssh.advice import FOR_OWN_MACHINES, ConnectionAdvice
from lib.workers.ssh.command_result import CommandResult
from lib.workers.ssh.connecting import KEEPALIVE_S, LOGIN_S, connect, printable
from lib.workers.ssh.known_hosts import KnownHosts
from lib.workers.ssh.remote_command import run_command
from lib.workers.ssh.thread import Overdue, SshThread

log = logging.getLogger(__name__)

T = TypeVar("T")

#: A line that broke, whatever the system calls that, and answers that asyncssh could not make sense of.
_BROKEN: Final = (asyncssh.Error, OSError, EOFError, ValueError, LookupError)


@dataclass(frozen=True, slots=True)
class SshOptions:
    """How long a machine is waited for, in seconds, and what is advised where it lets nobody in."""

    call_s: float = 10.0  # one question; a machine that takes longer is let go of and connected to anew
    keepalive_s: float = KEEPALIVE_S  # between signs of life; after three without an answer it is gone
    pause_s: float = 0.5  # before the next try to connect, doubled by each that fails up to the next
    longest_pause_s: float = 30.0
    advice: ConnectionAdvice = FOR_OWN_MACHINES


class SshMachine:
    """A machine of the user's. Nothing is connected before the first call.

    A call connects where there is no connection, and waits for it; once that has failed, tries go on behind
    the calls, with growing pauses, and the calls fail at once until one succeeds: a machine that is off does
    not hold up whoever looks after many.

    Threads: any.
    Raises: HostUnreachable where it does not answer (HostRefused, one of them, where somebody has to mend
        something), BadConfiguration where the file of known hosts cannot be used; `run` more.
    """

    def __init__(
        self,
        thread: SshThread,
        address: SshAddress,
        *,
        key_file: Path | None,
        known_hosts: KnownHosts,
        options: SshOptions = SshOptions(),
    ) -> None:
        """`key_file` is that of SSH_KEY_FILE; an address with a key of its own takes that."""
        self.address, self.options, self.call_s = address, options, options.call_s
        self._thread, self._known = thread, known_hosts
        self._key_file = address.key or key_file
        self._connection: asyncssh.SSHClientConnection | None = None  # these are the thread's alone
        self._sftp: asyncssh.SFTPClient | None = None
        self._attempt: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._opening = asyncio.Lock()
        self._failures, self._not_before = 0, 0.0
        self._trouble: JobRunnerError | None = None
        self._was_lost = False
        thread.at_end(self._close)

    @property
    def name(self) -> str:
        """`user@host:port`."""
        return str(self.address)

    @property
    def thread(self) -> SshThread:
        """The thread its connection lives in."""
        return self._thread

    def run(
        self, argv: Sequence[str], *, input: bytes = b"", timeout_s: float = 30.0, most: int = MIB
    ) -> CommandResult:
        """Run a program there, `input` on its stdin, to its end; stdout and stderr up to `most` bytes each.

        The words of `argv` reach it as they are, whatever stands in them. A program that takes longer than
        `timeout_s` seconds is ended there, with all processes of its session, before this returns.

        Raises:
            HostUnreachable: it does not answer; what was asked of it may have happened or not.
            RemoteTimedOut: it ran over its time and is ended.
        """
        options = self.options
        return self._call(
            self._as_sentences(run_command(self, argv, input=input, timeout_s=timeout_s, most=most)),
            timeout_s + LOGIN_S + 3 * options.call_s,
        )

    def with_sftp(
        self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]], timeout_s: float | None = None
    ) -> T:
        """Do `work` with the machine's files, in the thread. `timeout_s` None: that of one question."""
        limit = self.options.call_s if timeout_s is None else timeout_s
        return self._call(self.asked(work, limit), limit + LOGIN_S + self.options.call_s)

    def connect(self) -> None:
        """Be connected when this returns. It waits for a try of its own, whatever came of earlier ones.

        Raises:
            HostUnreachable: that try failed.
        """
        self._call(self._try_now(), LOGIN_S + 2 * self.options.call_s)

    def close(self) -> None:
        """Let go of the connection; a later call makes another."""
        with contextlib.suppress(RuntimeError, Overdue):
            self._thread.call(self._close(), self.options.call_s)

    # --- in the thread -----------------------------------------------------------------------------------

    async def connected(self) -> asyncssh.SSHClientConnection:
        """The connection, made where there is none. Raises as the class does."""
        connection = self._connection
        if connection is not None and not connection.is_closed():
            return connection
        self._forget("it was cut")
        if self._trouble is None:
            return await asyncio.shield(self._attempting())
        if asyncio.get_running_loop().time() >= self._not_before:
            self._attempting()
        raise _again(self._trouble)

    async def _try_now(self) -> None:
        if self._connection is None or self._connection.is_closed():
            await asyncio.shield(self._attempting())

    def _attempting(self) -> asyncio.Task[asyncssh.SSHClientConnection]:
        """The try that goes on, begun where none does."""
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._connect())
            self._attempt.add_done_callback(self._note)
        return self._attempt

    async def asked(
        self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]], timeout_s: float | None = None
    ) -> T:
        """As `with_sftp`."""
        limit = self.options.call_s if timeout_s is None else timeout_s
        return await self._as_sentences(self._ask(work, limit))

    async def _ask(self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]], limit: float) -> T:
        sftp = await self.sftp()
        try:
            async with asyncio.timeout(limit):
                return await work(sftp)
        except TimeoutError:
            self.let_go()
            raise self.silent(limit) from None

    async def sftp(self) -> asyncssh.SFTPClient:
        """The session of the machine's files. Raises as the class does."""
        async with self._opening:
            connection = await self.connected()
            if self._sftp is None:
                try:
                    async with asyncio.timeout(self.options.call_s):
                        self._sftp = await connection.start_sftp_client(path_errors="surrogateescape")
                except TimeoutError:
                    self.let_go()
                    raise self.silent(self.options.call_s) from None
            return self._sftp

    def let_go(self) -> None:
        """Cut the connection: it does not answer, and whoever waits for it shall not."""
        if self._connection is not None:
            self._connection.abort()
        self._forget("no answer came")

    def _forget(self, why: str) -> None:
        """Have no connection any more, and say so: a line that breaks often is to be seen in the log."""
        if self._connection is not None:
            log.warning("the connection to %s is lost (%s), it is made anew", self.name, why)
            self._was_lost = True
        self._connection = self._sftp = None

    def silent(self, waited_s: float) -> HostUnreachable:
        """The sentence for a machine that gave no answer."""
        return HostUnreachable(
            f"{self.name} gave no answer within {waited_s:.0f} s; it is connected to anew."
        )

    def broken(self, error: Exception) -> HostUnreachable:
        """The sentence for a connection that broke, or a machine that opens no further session on it."""
        why = printable(getattr(error, "reason", "") or str(error) or type(error).__name__)
        return HostUnreachable(f"The connection to {self.name} broke: {why}.")

    async def _connect(self) -> asyncssh.SSHClientConnection:
        options = self.options
        return await connect(
            self.address,
            self._key_file,
            self._known,
            keepalive_s=options.keepalive_s,
            advice=options.advice,
        )

    def _note(self, attempt: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
        """Remember what came of an attempt to connect."""
        self._attempt = None
        if attempt.cancelled():
            return
        error = attempt.exception()
        if error is None:
            self._connection, self._sftp = attempt.result(), None
            self._trouble, self._failures = None, 0
            if self._was_lost:
                log.info("the connection to %s is there again", self.name)
                self._was_lost = False
            return
        self._failures += 1
        self._trouble = error if isinstance(error, JobRunnerError) else self.broken(_an_exception(error))
        pause = backoff_s(
            self._failures, 1.0, base_s=self.options.pause_s, cap_s=self.options.longest_pause_s
        )
        self._not_before = asyncio.get_running_loop().time() + pause

    async def _close(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
        connection, self._connection, self._sftp = self._connection, None, None
        if connection is not None:
            connection.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await connection.wait_closed()

    def _call(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        try:
            return self._thread.call(work, timeout_s)
        except Overdue:
            raise self.silent(timeout_s) from None

    async def _as_sentences(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except FileNotFoundError:
            raise  # of a file there: the caller's to judge
        except _BROKEN as error:
            if isinstance(error, asyncssh.SFTPError | asyncssh.ChannelOpenError):
                self._sftp = None  # its session is of no use; the connection may be
            raise self.broken(error) from None


def _again(error: JobRunnerError) -> JobRunnerError:
    """The same error for another caller: a raised one gathers the traces of all."""
    return type(error)(error.message)


def _an_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else RuntimeError(str(error))
