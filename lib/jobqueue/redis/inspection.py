"""What operators ask about a queue beyond the port: places in line, key sizes, ids, the server's settings.

Reads only. Costs that grow with the number of jobs are said; the others do not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from lib.errors import Unavailable
from lib.jobqueue.admin.observed import COUNTED_AT_MOST, KeySize, PlaceInLine, ServerFacts
from lib.jobqueue.model import PRIORITIES, ErrorClass, JobState
from lib.jobqueue.redis.keys import GROUP, Keys
from lib.jobqueue.redis.rows import STAGED, Row, state_in
from lib.jobqueue.redis.scripts import load
from lib.redislink.permissions import NEEDED, NEEDED_BY_UPKEEP
from lib.redislink.transport import Transport

_PAGE: Final = 500
_SIZE_OF: Final = {"stream": "XLEN", "hash": "HLEN", "zset": "ZCARD", "list": "LLEN", "set": "SCARD"}


class Inspector:
    """Looks at one queue and its server.

    Raises, from every method:
        Unavailable: the server does not answer, or does not permit the look.
    """

    def __init__(self, transport: Transport, keys: Keys) -> None:
        self._transport = transport
        self._keys = keys

    @property
    def prefix(self) -> str:
        """What all keys of the queue begin with, before a colon."""
        return self._keys.prefix

    def _one(self, *command: str | int | float) -> Any:
        return self._transport.repeat(lambda: self._transport.ask(*command))

    # --- one job -----------------------------------------------------------------------------------------

    def place(self, request_id: str) -> PlaceInLine | None:
        """Where a waiting job stands; None when it does not wait."""
        keys = self._keys
        raw, lease = self._transport.together(
            ("HGET", keys["state"], request_id), ("ZSCORE", keys["leases"], request_id)
        )
        row = Row.parse(raw, request_id)
        if row is None or row.state == STAGED or row.state != JobState.WAITING:
            return None
        higher = sum(int(self._one("XLEN", keys[name])) for name in _above(row.priority))
        if lease is not None:
            return PlaceInLine(0, False, True, True, higher)
        last = self._last_delivered(keys[row.priority])
        found = self._one("XRANGE", keys[row.priority], row.entry, row.entry) if row.entry else []
        own = bool(found) and request_id in found[0][1]
        if not own or not _after(row.entry, last):
            return PlaceInLine(0, False, False, False, higher)
        span = (f"({last}", f"({row.entry}", "COUNT", COUNTED_AT_MOST + 1)
        ahead = len(self._one("XRANGE", keys[row.priority], *span))
        return PlaceInLine(min(ahead, COUNTED_AT_MOST), ahead > COUNTED_AT_MOST, False, True, higher)

    def _last_delivered(self, stream: str) -> str:
        if not self._one("XLEN", stream):
            return "0-0"
        for flat in self._one("XINFO", "GROUPS", stream):
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            if fields["name"] == GROUP:
                return str(fields["last-delivered-id"])
        return "0-0"

    def has_spec(self, request_id: str) -> bool:
        """Whether what should be spoken is known."""
        return bool(self._one("HEXISTS", self._keys["spec"], request_id))

    def is_staged(self, request_id: str) -> bool:
        """Whether the id stands in a file that is being enqueued, or whose producer was stopped at it."""
        raw = self._one("HGET", self._keys["state"], request_id)
        return raw is not None and state_in(str(raw)) == STAGED

    # --- many jobs; cost grows with what is asked for ----------------------------------------------------

    def job_states(self) -> Iterator[tuple[str, str]]:
        """Every known id with its state, `staged` and `damaged` included; one that moves meanwhile may come
        with either.
        """
        for request_id, raw in self.rows():
            yield request_id, state_in(raw)

    def rows(self) -> Iterator[tuple[str, str]]:
        """Every known id with its row as it is stored."""
        return self._fields("state")

    def ids_anywhere(self) -> Iterator[str]:
        """Every id that any key but `state` speaks of, several times if several do."""
        for name in ("spec", "result", "failed", "progress", "errors"):
            yield from (request_id for request_id, _ in self._fields(name))
        for name in ("leases", "delayed", "history", "history_failed"):
            yield from (member for member, _ in self._scan("ZSCAN", name))

    def done_results(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every done job with its result."""
        for request_id, raw in self._fields("result"):
            yield request_id, json.loads(raw).get("result") or {}

    def entries(self, priority: str, but_of: AbstractSet[str] = frozenset()) -> Iterator[str]:
        """The ids of a stream's entries, without those of some jobs, then of those that are given out."""
        start, left_out = "-", set[str]()
        while page := self._one("XRANGE", self._keys[priority], start, "+", "COUNT", _PAGE):
            unwanted = {str(entry[0]) for entry in page if not but_of.isdisjoint(entry[1][1::2])}
            left_out |= unwanted
            yield from (str(entry[0]) for entry in page if str(entry[0]) not in unwanted)
            start = f"({page[-1][0]}"
        yield from (entry for entry in self._pending(priority) if entry not in left_out)

    def _pending(self, priority: str) -> Iterator[str]:
        stream, start = self._keys[priority], "-"
        if not self._one("EXISTS", stream) or GROUP not in self._groups(stream):
            return
        while page := self._one("XPENDING", stream, GROUP, start, "+", _PAGE):
            yield from (str(item[0]) for item in page)
            start = f"({page[-1][0]}"

    def _groups(self, stream: str) -> set[str]:
        return {
            str(dict(zip(flat[::2], flat[1::2], strict=True))["name"])
            for flat in self._one("XINFO", "GROUPS", stream)
        }

    def failed_ids(self, *, error_class: ErrorClass | None, since: float | None) -> list[str]:
        """The failed (not canceled) jobs of that class that ended since then, most recent first."""
        lowest = "-inf" if since is None else since * 1000
        ids = [str(name) for name in self._one("ZRANGEBYSCORE", self._keys["history_failed"], lowest, "+inf")]
        found = []
        for page in _pages(ids):
            for request_id, raw in zip(page, self._one("HMGET", self._keys["failed"], *page), strict=True):
                record = json.loads(raw) if raw else {}
                fits = error_class is None or record.get("error", {}).get("class") == error_class.value
                if record.get("status") == JobState.FAILED.value and fits:
                    found.append(request_id)
        return found[::-1]

    def _fields(self, name: str) -> Iterator[tuple[str, str]]:
        return self._scan("HSCAN", name)

    def _scan(self, command: str, name: str) -> Iterator[tuple[str, str]]:
        cursor = "0"
        while True:
            cursor, flat = self._one(command, self._keys[name], cursor, "COUNT", _PAGE)
            yield from zip(map(str, flat[::2]), map(str, flat[1::2]), strict=True)
            if str(cursor) == "0":
                return

    # --- keys --------------------------------------------------------------------------------------------

    def sizes(self) -> list[KeySize]:
        """Every key under the prefix, by name. Looks through all keys of the server."""
        prefix = self._keys.prefix
        cursor, found = "0", set()
        while True:
            cursor, names = self._one("SCAN", cursor, "MATCH", f"{prefix}:*", "COUNT", _PAGE)
            found |= {str(name) for name in names}
            if str(cursor) == "0":
                break
        return [self._size(key) for key in sorted(found)]

    def _size(self, key: str) -> KeySize:
        kind = str(self._one("TYPE", key))
        return KeySize(key, kind, int(self._one(_SIZE_OF[kind], key)) if kind in _SIZE_OF else 1)

    def newest_event(self) -> str:
        """The id of the newest transition; "" when none is kept."""
        newest = self._one("XREVRANGE", self._keys["events"], "+", "-", "COUNT", 1)
        return str(newest[0][0]) if newest else ""

    def counter(self, field: str) -> str:
        """A field of `meta` as it is stored; "" when it is not there."""
        return str(self._one("HGET", self._keys["meta"], field) or "")

    def batch_lists(self) -> dict[str, int]:
        """The staged batches whose list exists, with its length."""
        start = f"{self._keys.prefix}:batch:"
        return {item.key[len(start) :]: item.count for item in self.sizes() if item.key.startswith(start)}

    def batches(self) -> dict[str, str]:
        """Batch id to "open", "committed" or "dead"."""
        flat = self._one("HGETALL", self._keys["batches"])
        return {str(name): str(json.loads(mark)[0]) for name, mark in zip(flat[::2], flat[1::2], strict=True)}

    # --- the server --------------------------------------------------------------------------------------

    def server(self) -> ServerFacts:
        """What the server says about itself, at this moment."""
        lines = str(self._one("INFO")).splitlines()
        info = {name: value for name, _, value in (line.partition(":") for line in lines)}
        seconds, micros = self._one("TIME")
        role = info.get("role", "master")
        version = info.get("valkey_version") or info.get("redis_version", "0")
        return ServerFacts(
            name=info.get("server_name", "redis"),
            version=tuple(int(part) for part in version.split(".") if part.isdecimal()),
            role=role,
            appendonly=info.get("aof_enabled") == "1",
            appendfsync=self._appendfsync(),
            last_write_ok=info.get("aof_last_write_status", "ok") == "ok",
            eviction_policy=info.get("maxmemory_policy", "noeviction"),
            used_memory=int(info.get("used_memory", 0)),
            maxmemory=int(info.get("maxmemory", 0)),
            time=int(seconds) + int(micros) / 1_000_000,
            # a replica runs no script that could write; that it is one says enough
            refused=self.refused(NEEDED) if role == "master" else (),
            refused_upkeep=self.refused(self._upkeep_needs()) if role == "master" else (),
        )

    def _appendfsync(self) -> str | None:
        try:
            reply = self._one("CONFIG", "GET", "appendfsync")
        except Unavailable:  # a queue's user need not be permitted this; hosted servers refuse it to all
            return None
        return str(reply[1]) if reply else None

    def _upkeep_needs(self) -> tuple[str, ...]:
        """Without the command that a server does not know, and therefore permits to nobody."""
        try:
            known = self.knows("WAITAOF")
        except Unavailable:  # then the right to ask that is missing, and told
            known = False
        return tuple(words for words in NEEDED_BY_UPKEEP if known or not words.startswith("WAITAOF"))

    def knows(self, command: str) -> bool:
        """Whether the server has that command, which is newer than Redis 7.0."""
        found = self._one("COMMAND", "INFO", command.lower())
        return bool(found) and found[0] is not None

    def refused(self, commands: Sequence[str]) -> tuple[str, ...]:
        """Which of these commands, in the words of lib.redislink.permissions, this user may not send."""
        script = load("permitted")
        listed = json.dumps([words.split() for words in commands])
        reply = self._transport.evaluate(script, self._keys.named(script.keys), (listed,))
        return tuple(dict.fromkeys(str(name) for name in reply))


def _above(priority: str) -> Sequence[str]:
    return PRIORITIES[: PRIORITIES.index(priority)]


def _after(entry: str, other: str) -> bool:
    return _number(entry) > _number(other)


def _number(entry: str) -> tuple[int, int]:
    ms, _, number = entry.partition("-")
    return int(ms), int(number or 0)


def _pages(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE))
