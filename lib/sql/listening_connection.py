"""One raw connection to Postgres whose every wait another thread can end."""

from __future__ import annotations

import select
import socket
import time

from psycopg import OperationalError, pq


class WaitEnded(Exception):
    """Somebody ended the wait; there is nothing to wait for any more."""


class Interrupt:
    """Ends waits for sockets. Threads: `set` from any; `wait` and `close` are of the one that waits."""

    def __init__(self) -> None:
        self._inside, self._outside = socket.socketpair()

    def set(self) -> None:
        """End the wait at hand and every one after it."""
        self._outside.close()  # which the other end sees for ever

    def wait(self, place: int | None, events: int, seconds: float | None) -> bool:
        """Wait for `events` of `select.poll` at a socket. False: nothing happened for so many seconds.

        Raises:
            WaitEnded: `set` was called.
        """
        poll = select.poll()
        inside = self._inside.fileno()
        poll.register(inside, select.POLLIN)
        if place is not None:
            poll.register(place, events)
        ready = poll.poll(None if seconds is None else max(0.0, seconds) * 1000)
        if any(each == inside for each, _ in ready):
            raise WaitEnded
        return bool(ready)

    def close(self) -> None:
        """Give back its sockets."""
        self._inside.close()
        self._outside.close()


class ListeningConnection:
    """An open connection. Threads: one, except that `interrupt` may be set by any.

    `parameters` are libpq's, as one text; `within_s` is how long the server has to answer what it is asked.

    Raises, from every method:
        WaitEnded: `interrupt` was set.
        OperationalError: the server is not there, refuses, does not answer in time, or has gone.
    """

    def __init__(self, parameters: str, interrupt: Interrupt, within_s: float) -> None:
        self._interrupt, self._within_s = interrupt, within_s
        self._server = pq.PGconn.connect_start(parameters.encode())
        try:
            self._finish_connecting()
        except BaseException:
            self.close()
            raise

    def _finish_connecting(self) -> None:
        give_up = time.monotonic() + self._within_s
        if self._server.status == pq.ConnStatus.BAD:
            raise self._trouble()
        events = select.POLLOUT  # what libpq asks to wait for before its first step
        while True:
            self._wait(events, give_up)
            step = self._server.connect_poll()
            if step == pq.PollingStatus.OK:
                return
            if step == pq.PollingStatus.FAILED:
                raise self._trouble()
            events = select.POLLIN if step == pq.PollingStatus.READING else select.POLLOUT

    def listen(self, channel: str) -> None:
        """Ask for what is said on a channel from now on."""
        give_up = time.monotonic() + self._within_s
        self._server.send_query(b"LISTEN " + pq.Escaping(self._server).escape_identifier(channel.encode()))
        failed = False
        while True:
            while self._server.is_busy():
                self._wait(select.POLLIN, give_up)
                self._server.consume_input()
            result = self._server.get_result()
            if result is None:
                break
            failed = failed or result.status != pq.ExecStatus.COMMAND_OK
        if failed:
            raise self._trouble()

    def heard(self) -> list[str]:
        """Wait until something is said, however long; the payloads in the order of the transactions."""
        while True:
            said = []
            while (note := self._server.notifies()) is not None:
                said.append(note.extra.decode("utf-8", "replace"))
            if said:
                return said
            self._wait(select.POLLIN, None)
            self._server.consume_input()

    def _wait(self, events: int, give_up: float | None) -> None:
        left = None if give_up is None else give_up - time.monotonic()
        if not self._interrupt.wait(self._server.socket, events, left):
            raise OperationalError(f"no answer in {self._within_s:g} seconds")

    def _trouble(self) -> OperationalError:
        return OperationalError(self._server.get_error_message())

    def close(self) -> None:
        """Close the connection."""
        self._server.finish()
