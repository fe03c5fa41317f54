"""The connection to the server: scripts by digest, bounded retries, and errors as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import redis
from redis import exceptions as refused
from redis.backoff import NoBackoff
from redis.retry import Retry

from lib.clock import Clock, SystemClock
from lib.errors import BadConfiguration, Unavailable
from lib.jobqueue.errors import ServerFull
from lib.jobqueue.scripts import Script
from lib.jobqueue.wire import Argument, Command, Wire

IDLE_SLICE_S: Final = 10.0  # the longest a blocked read stays out without a look at the server
_ANSWER_WITHIN_S: Final = 10.0
_PASSING: Final = (
    refused.ConnectionError,
    refused.TimeoutError,
    refused.ReadOnlyError,
    refused.ClusterDownError,
    refused.TryAgainError,
)
_PASSING_WORDS: Final = (
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "NOREPLICAS",
    "BUSY ",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wait:
    """Waiting until a stream has an entry after the id given for it, at most `block_ms` (1 or more)."""

    after: Mapping[str, str]
    block_ms: int

    def command(self) -> Command:
        """As XREAD. Never BLOCK 0, which would wait for ever."""
        block = ("BLOCK", max(1, self.block_ms))
        return ("XREAD", "COUNT", 1, *block, "STREAMS", *self.after, *self.after.values())


def place_of(url: str) -> str:
    """The server's address for people: host and port, or the socket's path; never a password."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return parts.path
        return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    except ValueError:
        return "the given address"


class Transport:
    """One server, asked with patience.

    A call that fails for a passing reason (connection, loading, failover) is repeated for up to `patience_s`;
    callers pass only what is safe to repeat. Nothing is retried inside the client library.

    Raises, from every method:
        Unavailable: the server does not answer, or refuses for good.
    """

    def __init__(self, url: str, *, patience_s: float = 10.0, clock: Clock | None = None) -> None:
        self.place = place_of(url)
        self._patience_s = patience_s
        self._clock = clock or SystemClock()
        self._wire = self._open(url, _ANSWER_WITHIN_S)
        self._waiting = self._open(url, IDLE_SLICE_S + _ANSWER_WITHIN_S)
        self.ask: Callable[..., Any] = self._wire.ask

    def _open(self, url: str, timeout_s: float) -> Wire:
        settings: dict[str, Any] = {
            "protocol": 2,
            "decode_responses": True,
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": timeout_s,
        }
        if not url.startswith("unix:"):
            settings["socket_connect_timeout"] = 5.0
        try:
            return Wire(redis.ConnectionPool.from_url(url, **settings))
        except (ValueError, TypeError) as error:
            raise BadConfiguration(
                f"REDIS_URL for {self.place} is not usable: {error}; write it like redis://127.0.0.1:6379/0"
            ) from None

    def greet(self) -> None:
        """See that the server answers, without patience: a wrong address is said at once."""
        try:
            self.ask("PING")
        except refused.BusyLoadingError:
            self.repeat(lambda: self.ask("PING"))
        except refused.RedisError as error:
            raise self._unavailable(error) from None

    def evaluate(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        *,
        again: Sequence[Argument] | None = None,
        behind: Wait | None = None,
    ) -> Any:
        """Run a script, after a wait if one is given; `again` are the arguments of a repeat after a lost
        reply, if they differ.
        """
        first = True

        def attempt() -> Any:
            nonlocal first
            given = arguments if first or again is None else again
            waits, first = behind if first else None, False
            try:
                if waits is not None:
                    return self._wait_and_run(waits, script, keys, given)
                return self.ask("EVALSHA", script.sha, len(keys), *keys, *given)
            except refused.NoScriptError:
                return self.ask("EVAL", script.text, len(keys), *keys, *given)

        return self.repeat(attempt)

    def _wait_and_run(
        self, waits: Wait, script: Script, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Any:
        """Send both at once: the server runs the script the moment the wait ends."""
        run = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        return self._waiting.ask_all(waits.command(), run)[1]

    def wait(self, waits: Wait) -> None:
        """Return when there is an entry to see, or the wait's time is over."""
        self.repeat(lambda: self._waiting.ask(*waits.command()))

    def together(self, *commands: Command) -> list[Any]:
        """Several reads of one moment; their replies."""
        whole: tuple[Command, ...] = (("MULTI",), *commands, ("EXEC",))
        return list(self.repeat(lambda: self._wire.ask_all(*whole))[-1])

    def repeat(self, call: Callable[[], T]) -> T:
        """Call until it works, as long as the reason to fail is a passing one and patience lasts."""
        give_up = self._clock.monotonic() + self._patience_s
        pause = 0.02
        while True:
            try:
                return call()
            except refused.OutOfMemoryError:
                raise ServerFull(self.place) from None
            except refused.RedisError as error:
                if not _passing(error) or self._clock.monotonic() + pause > give_up:
                    raise self._unavailable(error) from error
                self._wire.drop()  # after a failover the address may lead elsewhere
                self._waiting.drop()
            self._clock.sleep(pause)
            pause = min(1.0, pause * 2)

    def _unavailable(self, error: Exception) -> Unavailable:
        if isinstance(error, (refused.AuthenticationError, refused.AuthorizationError)):
            reason = "refuses this user or password; check REDIS_URL"
        elif isinstance(error, refused.NoPermissionError):
            reason = f"does not permit this: {error}; docs/reference/redis-keys.md lists what the user needs"
        elif isinstance(error, (refused.ConnectionError, refused.TimeoutError)):
            reason = f"does not answer ({error}); start it, or correct REDIS_URL"
        else:
            reason = f"refuses: {error}"
        return Unavailable(f"the Redis server at {self.place} {reason}")

    def close(self) -> None:
        """Give back all connections."""
        self._wire.drop()
        self._waiting.drop()


def _passing(error: Exception) -> bool:
    if isinstance(error, (refused.AuthenticationError, refused.AuthorizationError)):
        return False
    return isinstance(error, _PASSING) or str(error).startswith(_PASSING_WORDS)
