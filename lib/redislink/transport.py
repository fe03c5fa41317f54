"""The connection to the server: scripts by digest, bounded retries, and errors as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from redis import exceptions as refused

from lib.clock import Clock, SystemClock
from lib.errors import Unavailable
from lib.redislink.address import NoPrimary, OneServer, ServerAddress, place_of, read_address
from lib.redislink.embedded import is_embedded
from lib.redislink.errors import ServerFull
from lib.redislink.refusals import refusal
from lib.redislink.scheme import Speaks, what_answers
from lib.redislink.scripts import Script
from lib.redislink.wire import Argument, Command, Wire, Words, words

IDLE_SLICE_S: Final = 10.0  # the longest a blocked read stays out without a look at the server
_ANSWER_WITHIN_S: Final = 10.0
_PROMOTED_SLICE_S: Final = 3.0  # both, where another server may take over from one that hangs
_PROMOTED_ANSWER_S: Final = 3.0
_REDIRECTED_AT_ONCE: Final = 3  # nodes that name each other are waited for
_PASSING: Final = (
    refused.ConnectionError,
    refused.TimeoutError,
    refused.ReadOnlyError,
    refused.ClusterDownError,
    refused.TryAgainError,
    refused.AskError,  # the slot is on its way to another node
)
_PASSING_WORDS: Final = (
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "NOREPLICAS",
    "UNBLOCKED",
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


class Transport:
    """One server, asked with patience.

    A call that fails for a passing reason (connection, loading, failover) is repeated for up to `patience_s`;
    callers pass only what is safe to repeat. Nothing is retried inside the client library.

    Raises, from every method:
        Unavailable: the server does not answer, or refuses for good.
    """

    def __init__(
        self, url: str, *, patience_s: float = 10.0, clock: Clock | None = None, origin: str = ""
    ) -> None:
        """`origin` says in errors where the URL came from, such as "REDIS_URL of the environment"."""
        self.place = place_of(url)
        self._url, self._origin = url, origin
        self._embedded = is_embedded(url)
        self._patience_s = patience_s
        self._clock = clock or SystemClock()
        self._address: ServerAddress = read_address(url, origin=origin)
        promotes = self._address.promotes
        answer_s = _PROMOTED_ANSWER_S if promotes else _ANSWER_WITHIN_S
        self.slice_s = _PROMOTED_SLICE_S if promotes else IDLE_SLICE_S
        self._wire = Wire(lambda: self._address.open(answer_s))
        self._waiting = Wire(lambda: self._address.open(self.slice_s + answer_s))
        self.ask: Callable[..., Any] = self._wire.ask
        self.cluster = False  # known after `greet`

    def greet(self) -> None:
        """See that the server answers, without patience: a wrong address is said at once.

        A node of a cluster is recognised, whatever the URL calls it.
        """
        try:
            self._look()
        except (refused.BusyLoadingError, NoPrimary):
            self.repeat(self._look)
        except refused.RedisError as error:
            answers = what_answers(self._url) if _unheard(error) else None
            raise self._unavailable(error, answers) from None

    def _look(self) -> None:
        self.ask("PING")
        self.cluster = "cluster_enabled:1" in str(self.ask("INFO", "cluster"))
        if self.cluster and isinstance(self._address, OneServer):
            self._address = self._address.as_cluster(self._other_nodes())

    def _other_nodes(self) -> list[tuple[str, int]]:
        """All nodes, so that the queue is found when the one that was named is gone."""
        try:
            ranges = self.ask("CLUSTER", "SLOTS")
        except refused.NoPermissionError:
            return []
        found = [(str(node[0]), int(node[1])) for item in ranges for node in item[2:]]
        return [(host, port) for host, port in found if host not in ("", "?")]

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
                return self.ask(_call(script, keys), *given)
            except refused.NoScriptError:
                return self.ask("EVAL", script.text, len(keys), *keys, *given)

        return self.repeat(attempt)

    def _wait_and_run(
        self, waits: Wait, script: Script, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Any:
        """Send both at once: the server runs the script the moment the wait ends."""
        return self._waiting.ask_all(waits.command(), (_call(script, keys), *arguments))[1]

    def wait(self, waits: Wait) -> None:
        """Return when there is an entry to see, or the wait's time is over."""
        self.repeat(lambda: self._waiting.ask(*waits.command()))

    def together(self, *commands: Command) -> list[Any]:
        """Several reads of one moment; their replies.

        Redis 7.0 refuses to queue any command while its memory is full, reads too. They are then sent without
        the bracket, at once: the server takes what has come from one client before it turns to the next.
        """
        whole: tuple[Command, ...] = (("MULTI",), *commands, ("EXEC",))

        def read() -> list[Any]:
            try:
                return list(self._wire.ask_all(*whole)[-1])
            except refused.OutOfMemoryError:
                return self._wire.ask_all(*commands)

        return self.repeat(read)

    def in_order(self, *commands: Command) -> list[Any]:
        """Several commands over one connection, one after the other; their replies. Not repeated."""
        return self._wire.ask_all(*commands)

    def repeat(self, call: Callable[[], T]) -> T:
        """Call until it works, as long as the reason to fail is a passing one and patience lasts."""
        give_up = self._clock.monotonic() + self._patience_s
        pause, redirected = 0.02, 0
        while True:
            try:
                return call()
            except refused.OutOfMemoryError:
                raise ServerFull(self.place) from None
            except refused.RedisError as error:
                if self._address.learn(error) and redirected < _REDIRECTED_AT_ONCE:
                    redirected += 1
                    self._drop()
                    continue
                if not _passing(error) or self._clock.monotonic() + pause > give_up:
                    raise self._unavailable(error) from error
                self._drop()  # after a failover the address may lead elsewhere
            self._clock.sleep(pause)
            pause = min(1.0, pause * 2)

    def _unavailable(self, error: Exception, answers: Speaks | None = None) -> Unavailable:
        return refusal(self.place, error, embedded=self._embedded, origin=self._origin, answers=answers)

    def close(self) -> None:
        """Give back all connections."""
        self._drop()

    def _drop(self) -> None:
        self._wire.drop()
        self._waiting.drop()


def _call(script: Script, keys: Sequence[str]) -> Words:
    """A script's call without its arguments."""
    return words("EVALSHA", script.sha, str(len(keys)), *keys)


def _unheard(error: Exception) -> bool:
    """Whether nothing was understood of what the server said, if it said anything."""
    if isinstance(error, (refused.AuthenticationError, refused.AuthorizationError)):
        return False
    return isinstance(error, (refused.ConnectionError, refused.TimeoutError, refused.InvalidResponse))


def _passing(error: Exception) -> bool:
    if isinstance(error, (refused.AuthenticationError, refused.AuthorizationError)):
        return False
    return isinstance(error, _PASSING) or str(error).startswith(_PASSING_WORDS)
