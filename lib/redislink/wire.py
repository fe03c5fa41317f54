"""Commands and replies over plain connections of the client library.

Its client object spends more on a command (pool checks, metrics, reply callbacks) than the server does; a
worker that wakes up for a job would feel that. So the queue takes connections and speaks over them itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from redis import exceptions as refused

Argument = str | int | float


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a command that are packed already: the same ones begin many commands."""

    count: int
    packed: str


Command = Sequence[Argument | Words]


class Wire:
    """Connections, made by `make` when needed, each used by one call at a time; any thread may call.

    A call that a signal handler makes in the middle of another takes a connection of its own.
    Replies are as the server sends them (RESP2), strings decoded.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._free: deque[Any] = deque()

    def ask(self, *command: Argument | Words) -> Any:
        """Send one command and return its reply.

        Raises:
            redis.RedisError: the connection failed, or the server refused.
        """
        return self.ask_all(command)[0]

    def ask_all(self, *commands: Command) -> list[Any]:
        """Send several at once and return their replies, when all have come.

        Raises:
            redis.RedisError: the connection failed, or the server refused one; then the first refusal.
        """
        connection = self._take()
        try:
            connection.send_packed_command([pack(command) for command in commands], check_health=False)
            replies = [_reply(connection) for _ in commands]
        except BaseException:
            # What is still under way must never be taken for the reply to a later command; and when
            # one connection failed, those that lie idle have mostly gone stale with it.
            connection.disconnect()
            self.drop()
            raise
        self._free.append(connection)
        for reply in replies:
            if isinstance(reply, refused.RedisError):
                raise reply
        return replies

    def _take(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return self._make()

    def drop(self) -> None:
        """Close the connections that are not in use; new ones are made when needed."""
        while self._free:
            try:
                self._free.pop().disconnect()
            except IndexError:  # another thread took the last one
                return


def pack(command: Command) -> bytes:
    """One command in RESP: an array of bulk strings."""
    count, parts = 0, [""]
    for word in command:
        if type(word) is Words:
            count += word.count
            parts.append(word.packed)
        else:
            count += 1
            parts.append(_packed(word if type(word) is str else str(word)))
    parts[0] = f"*{count}\r\n"
    return "".join(parts).encode()


@lru_cache(maxsize=256)
def words(*texts: str) -> Words:
    """Pack them once; the result may stand for them in any command."""
    return Words(len(texts), "".join(map(_packed, texts)))


def _packed(text: str) -> str:
    size = len(text) if text.isascii() else len(text.encode())
    return f"${size}\r\n{text}\r\n"


def _reply(connection: Any) -> Any:
    """The next reply; a refusal as a value, since others may follow it."""
    try:
        return connection.read_response()
    except refused.ResponseError as error:
        return error
