"""Enqueueing that returns only when the jobs are on the server's disk (`enqueue --durable`)."""

from __future__ import annotations

from typing import Final

from lib.errors import BadConfiguration, TryAgain
from lib.jobqueue.redis.inspection import Inspector
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.scripts import load
from lib.redislink.transport import Transport
from lib.redislink.wire import Command

_RIGHTS: Final = ("COMMAND INFO waitaof", "WAITAOF 1 0 1")
_WITHIN_MS: Final = 5_000  # shorter than the connection's own patience


class NotDurable(TryAgain):
    """The jobs were accepted, but the server did not confirm that they are on its disk."""


class Durability:
    """What one server can say about its disk.

    Raises, from every method:
        Unavailable: the server does not answer, or does not permit the question.
    """

    def __init__(self, transport: Transport, keys: Keys, inspector: Inspector) -> None:
        self._transport = transport
        self._keys = keys
        self._inspector = inspector

    def require(self) -> None:
        """See that the server can tell when something is on its disk, before anything is enqueued.

        Raises:
            BadConfiguration: it keeps no append-only file, or is too old to tell.
        """
        facts, place = self._inspector.server(), self._transport.place
        if not facts.appendonly:
            raise BadConfiguration(
                f"--durable needs a server with an append-only file, and the one at {place} has appendonly "
                "no; nothing was enqueued. Set appendonly yes there, or leave out --durable"
            )
        if self._tells() or facts.appendfsync == "always":
            return
        missing = self._inspector.refused(_RIGHTS)
        if missing and ("COMMAND" in missing or self._inspector.knows("WAITAOF")):
            raise BadConfiguration(
                f"--durable needs WAITAOF, and this user of the server at {place} may not send "
                f"{', '.join(missing)}; nothing was enqueued. Permit it with ACL SETUSER "
                "(docs/reference/redis-keys.md), or leave out --durable"
            )
        raise BadConfiguration(
            f"--durable needs WAITAOF (Redis 7.2, Valkey 7.2) or appendfsync always, and the "
            f"{facts.name} {facts.version_text} at {place} has neither; nothing was enqueued"
        )

    def wait(self) -> str:
        """Return once all that was written before is on the server's disk; where it is, for people.

        Raises:
            NotDurable: the server did not confirm it within five seconds.
        """
        if not self._tells():
            return "on the server's disk, which it syncs at every write"
        script = load("sync")
        key = self._keys.named(script.keys)
        mark: Command = ("EVAL", script.text, len(key), *key, "")
        wait: Command = ("WAITAOF", 1, 0, _WITHIN_MS)
        _, (local, replicas) = self._transport.repeat(lambda: self._transport.in_order(mark, wait))
        if int(local) < 1:
            raise NotDurable(
                f"the jobs are accepted, but the server at {self._transport.place} did not confirm within "
                f"{_WITHIN_MS // 1000} s that they are on its disk; run the same command again to ask anew"
            )
        copies = f" and on those of {int(replicas)} replicas" if int(replicas) else ""
        return f"on the server's disk{copies}"

    def _tells(self) -> bool:
        """Whether the server has WAITAOF, and this user may send it."""
        return not self._inspector.refused(_RIGHTS)
