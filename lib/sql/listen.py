"""Waking those who wait for rows: what a transaction says when it commits, heard on a connection of its own.

Postgres only. On SQLite nobody is told, and whoever waits polls with growing pauses. What is said while a
connection is lost is lost as well, so whoever listens looks for itself after each connection, and every few
seconds to be safe.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Final

from sqlalchemy import Connection, make_url, text

from lib.backoff import backoff_s
from lib.errors import JobRunnerError
from lib.sql import failures
from lib.sql.address import DatabaseAddress

_LONGEST_NAME: Final = 63  # bytes; Postgres cuts off the rest of an identifier
_LONGEST_PAYLOAD: Final = 7999  # bytes
_DIGEST: Final = 16
#: A server that vanished without a word is noticed in half a minute, unless the address says otherwise.
_KEEPALIVES: Final = {"keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3"}


def channel_of(schema: str | None, topic: str) -> str:
    """The channel's name for a topic, apart from that of every other schema of the database.

    Postgres has channels for a whole database. A name that is too long ends in a hash of all of it.
    """
    name = f"{schema}.{topic}" if schema else topic
    raw = name.encode()
    if not raw or b"\0" in raw:
        raise ValueError("a channel needs a name without zero bytes")
    if len(raw) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(raw).hexdigest()[:_DIGEST]
    return raw[: _LONGEST_NAME - _DIGEST - 1].decode("utf-8", "ignore") + f"~{digest}"


def notify(connection: Connection, channel: str, payload: str = "") -> None:
    """Tell everybody who listens on `channel`, if and when this transaction commits. On SQLite: nobody.

    The same payload said twice in a transaction is heard once.

    Raises:
        ValueError: the payload is over 7999 bytes.
    """
    if len(payload.encode()) > _LONGEST_PAYLOAD:
        raise ValueError(f"a notification holds at most {_LONGEST_PAYLOAD} bytes")
    if connection.dialect.name != "sqlite":
        connection.execute(_NOTIFY, {"channel": channel, "payload": payload})


_NOTIFY: Final = text("SELECT pg_notify(:channel, :payload)")


class Listener:
    """Calls `wake` with each payload that is said on `channel`, and once with "" after each (re)connection.

    `wake` is called in the listener's own thread, must return soon and must not raise. A connection that is
    lost is opened again, with pauses that grow from the first of `pauses_s` to the second; `told` gets the
    sentence each time that fails. A server has `within_s` seconds to answer.
    Close it when done: that ends every wait of its thread at once.

    Threads: any, except that `close` is not called by `wake` or `told`.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        channel: str,
        wake: Callable[[str], None],
        *,
        told: Callable[[JobRunnerError], None] | None = None,
        chance: Callable[[], float] = random.random,
        pauses_s: tuple[float, float] = (0.1, 5.0),
        within_s: float = 5.0,
    ) -> None:
        # Needs the driver, which SQLite's users do not have.
        from lib.sql.listening_connection import Interrupt

        self._address, self._channel = address, channel
        self._wake, self._told, self._chance = wake, told, chance
        self._pauses_s, self._within_s = pauses_s, within_s
        self._parameters = _parameters(address)
        self._interrupt = Interrupt()
        self._failures = 0  # in a row
        self._thread = threading.Thread(target=self._run, name=f"listen {channel}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from psycopg import OperationalError

        from lib.sql.listening_connection import WaitEnded

        first, longest = self._pauses_s
        try:
            while True:
                try:
                    self._listen()
                except OperationalError as error:
                    self._failures += 1
                    if self._told is not None:
                        self._told(failures.unanswered(error, self._address))
                pause = backoff_s(self._failures, self._chance(), base_s=first, cap_s=longest)
                self._interrupt.wait(None, 0, pause)
        except WaitEnded:
            pass

    def _listen(self) -> None:
        """Connect, and call `wake` until the connection ends. Raises OperationalError, WaitEnded."""
        from lib.sql.listening_connection import ListeningConnection

        server = ListeningConnection(self._parameters, self._interrupt, self._within_s)
        with closing(server):
            server.listen(self._channel)
            self._failures = 0
            self._wake("")
            while True:
                for payload in server.heard():
                    self._wake(payload)

    def close(self) -> None:
        """Stop listening; the connection is closed on return."""
        self._interrupt.set()
        self._thread.join()
        self._interrupt.close()


def _parameters(address: DatabaseAddress) -> str:
    """The address as libpq reads it, the same way as SQLAlchemy's connections to it are made."""
    from psycopg.conninfo import make_conninfo

    url = make_url(address.url)
    _, options = url.get_dialect()().create_connect_args(url)
    options.pop("context", None)  # of the driver above libpq
    named = {"fallback_application_name": "job-runner listens", **_KEEPALIVES, **options}
    return make_conninfo(**named)
