"""The read model: what people and programs ask about the queue. Nothing here changes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from lib.errors import BadInput
from lib.jobqueue.codec import spec_of
from lib.jobqueue.errors import DamagedRow
from lib.jobqueue.id_prefixes import alike, check_known, under
from lib.jobqueue.lifecycle import STATE_AFTER
from lib.jobqueue.model import (
    TERMINAL,
    WATCHER_KEPT_S,
    WATCHER_LIVE_S,
    Event,
    FinishedJob,
    JobRecord,
    JobState,
    Snapshot,
    WatcherInfo,
)
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.rows import STAGED, Row, record_of
from lib.jobspec import JobSpec
from lib.redislink.transport import Transport

_PAGE: Final = 200
_NEAREST_ROUNDS: Final = 8
_SCANNED_AT_ONCE: Final = 5_000  # fields: a few milliseconds, in which the server serves nobody else
_GLOB: Final = re.compile(r"[*?\[\]\\^-]")


class Views:
    """Answers from the server's keys; each costs the same for one job and for a million."""

    def __init__(
        self, transport: Transport, keys: Keys, result_ttl_ms: int, now_ms: Callable[[], int] | None = None
    ) -> None:
        self._transport = transport
        self._keys = keys
        self._ttl_ms = result_ttl_ms
        self._now_ms = now_ms

    def _one(self, *command: str | int | float) -> Any:
        return self._transport.repeat(lambda: self._transport.ask(*command))

    def _known(self, request_id: str, raw: str | None, time: Sequence[Any]) -> Row | None:
        """The row, unless its record's time is over by then: it may not be swept yet."""
        row = Row.parse(raw, request_id)
        now = self._now_ms() if self._now_ms else int(time[0]) * 1000 + int(time[1]) // 1000
        over = row is not None and row.state in TERMINAL and row.since_ms + self._ttl_ms <= now
        return None if over else row

    def job(self, request_id: str) -> JobRecord | None:
        """One job with all that is known."""
        keys = self._keys
        time, raw, expiry, due, progress, error, batches = self._transport.together(
            ("TIME",),
            ("HGET", keys["state"], request_id),
            ("ZSCORE", keys["leases"], request_id),
            ("ZSCORE", keys["delayed"], request_id),
            ("HGET", keys["progress"], request_id),
            ("HGET", keys["errors"], request_id),
            ("HGETALL", keys["batches"]),
        )
        return record_of(
            request_id,
            self._known(request_id, raw, time),
            ttl_ms=self._ttl_ms,
            expiry_ms=_number(expiry),
            due_ms=_number(due),
            progress=json.loads(progress) if progress else None,
            last_error=json.loads(error) if error else None,
            committed=_committed(batches),
        )

    def jobs(self, request_ids: Sequence[str]) -> list[JobRecord | None]:
        """Many jobs, a few hundred per round trip."""
        found: list[JobRecord | None] = []
        for start in range(0, len(request_ids), _PAGE):
            page = request_ids[start : start + _PAGE]
            time, rows, batches = self._transport.together(
                ("TIME",), ("HMGET", self._keys["state"], *page), ("HGETALL", self._keys["batches"])
            )
            committed = _committed(batches)
            found += [
                record_of(
                    request_id,
                    self._known(request_id, raw, time),
                    ttl_ms=self._ttl_ms,
                    committed=committed,
                )
                for request_id, raw in zip(page, rows, strict=True)
            ]
        return found

    def specs(self, request_ids: Sequence[str]) -> list[JobSpec | None]:
        """What was asked for, where it is still kept and can be read."""
        found: list[JobSpec | None] = []
        for start in range(0, len(request_ids), _PAGE):
            page = request_ids[start : start + _PAGE]
            time, rows, payloads = self._transport.together(
                ("TIME",), ("HMGET", self._keys["state"], *page), ("HMGET", self._keys["spec"], *page)
            )
            for request_id, raw, payload in zip(page, rows, payloads, strict=True):
                spec, row = None, self._known(request_id, raw, time)
                if row is not None and payload is not None and row.state != STAGED:
                    with suppress(BadInput, ValueError):  # written by a version that this one cannot read
                        spec = spec_of(str(payload))
                found.append(spec)
        return found

    def unplaced(self, request_ids: Sequence[str], consumer: str) -> Iterator[tuple[str, str]]:
        """Those that this consumer leased, and neither placed nor began, each with its fence."""
        wanted = (JobState.RUNNING, consumer, "leased", "")
        for start in range(0, len(request_ids), _PAGE):
            page = request_ids[start : start + _PAGE]
            (rows,) = self._transport.together(("HMGET", self._keys["state"], *page))
            for request_id, raw in zip(page, rows, strict=True):
                with suppress(DamagedRow):  # for `reconcile`
                    row = Row.parse(raw, request_id)
                    if row is not None and (row.state, row.consumer, row.phase, row.host) == wanted:
                        yield request_id, row.fence

    def result(self, request_id: str) -> FinishedJob | None:
        """The record of one finished job."""
        return self._finished([request_id])[0]

    def results(self, request_ids: Sequence[str]) -> list[FinishedJob | None]:
        """The records of many, a few hundred per round trip."""
        pages = (request_ids[start : start + _PAGE] for start in range(0, len(request_ids), _PAGE))
        return [record for page in pages for record in self._finished(page)]

    def _finished(self, request_ids: Sequence[str]) -> list[FinishedJob | None]:
        if not request_ids:
            return []
        time, rows, done, failed = self._transport.together(
            ("TIME",),
            ("HMGET", self._keys["state"], *request_ids),
            ("HMGET", self._keys["result"], *request_ids),
            ("HMGET", self._keys["failed"], *request_ids),
        )
        return [
            _finished_of(request_id, self._known(request_id, row, time), good or bad)
            for request_id, row, good, bad in zip(request_ids, rows, done, failed, strict=True)
        ]

    def revisions(self, request_id: str) -> list[FinishedJob]:
        """The finished earlier revisions whose time is not over."""
        time, raw = self._transport.together(("TIME",), ("HGET", self._keys["state"], request_id))
        row = self._known(request_id, raw, time)
        if row is None or row.state == STAGED or row.revision == 1:
            return []
        fields = [f"{number}:{request_id}" for number in range(1, row.revision)]
        found = []
        for start in range(0, len(fields), _PAGE):
            page = self._one("HMGET", self._keys["revisions"], *fields[start : start + _PAGE])
            found += [self._archived(request_id, kept, time) for kept in page if kept]
        return [item for item in found if item is not None]

    def _archived(self, request_id: str, kept: str, time: Sequence[Any]) -> FinishedJob | None:
        row, record = json.loads(kept)
        return _finished_of(request_id, self._known(request_id, json.dumps(row), time), json.dumps(record))

    def history(
        self, *, limit: int, status: JobState | None, since: float | None, behind: FinishedJob | None
    ) -> list[FinishedJob]:
        """Finished jobs, most recent first."""
        bad = status in (JobState.FAILED, JobState.CANCELED)
        key = self._keys["history_failed" if bad else "history"]
        lowest = "-inf" if since is None else since * 1000
        last = None if behind is None else (float(round(behind.finished_at * 1000)), behind.request_id)
        size = min(_PAGE, limit) if status is None else _PAGE
        found: list[FinishedJob] = []
        while len(found) < limit:
            places = self._places(key, lowest, last, size)
            records = self._finished([request_id for _, request_id in places])
            found += [item for item in records if item and (status is None or item.state is status)]
            if not places:
                break
            last = places[-1]
        return found[:limit]

    def _places(
        self, key: str, lowest: str | float, last: tuple[float, str] | None, size: int
    ) -> list[tuple[float, str]]:
        """Up to `size` entries (time, request id) behind `last`, newest first; none: that was the end.

        Never by offset: jobs that finish between two pages would push some from the first into the second.
        """
        highest = "+inf" if last is None else last[0]
        reach = size
        while True:
            flat = self._one("ZREVRANGEBYSCORE", key, highest, lowest, "WITHSCORES", "LIMIT", 0, reach)
            found = [(float(at), name) for name, at in zip(flat[::2], flat[1::2], strict=True)]
            fresh = [place for place in found if last is None or place < last]
            if fresh or len(found) < reach:
                return fresh[:size]
            reach *= 2  # so many ended in the same millisecond

    def snapshot(self, reply: Sequence[Any]) -> Snapshot:
        """The numbers of the snapshot script."""
        now_ms, waiting, pending, delayed, stale, oldest, done, bad, canceled, paused, gone, watchers = reply
        now = float(now_ms) / 1000
        known = _watchers(watchers, now)
        seen = [item.last_seen for item in known] + ([float(gone) / 1000] if gone else [])
        listed = tuple(item for item in known if now - item.last_seen <= WATCHER_KEPT_S)
        live = [item for item in known if item.live]
        return Snapshot(
            waiting=int(waiting),
            pending=int(pending),
            delayed=int(delayed),
            stale_pel=int(stale),
            oldest_waiting_s=max(0.0, now - float(oldest) / 1000) if oldest else None,
            done=int(done),
            failed=int(bad) - int(canceled),
            canceled=int(canceled),
            paused=bool(paused),
            lock_owner=live[0].name if live else None,
            watcher_last_seen=max(seen, default=None),
            server_time=now,
            watchers=listed,
        )

    def server_health(self) -> dict[str, Any]:
        """The server as INFO tells."""
        lines = str(self._one("INFO")).splitlines()
        info = {name: value for name, _, value in (line.partition(":") for line in lines)}
        return {
            "name": info.get("server_name", "redis"),
            "version": info.get("valkey_version") or info.get("redis_version", ""),
            "place": self._transport.place,
            "used_memory_bytes": int(info.get("used_memory", 0)),
            "maxmemory_bytes": int(info.get("maxmemory", 0)),
            "eviction_policy": info.get("maxmemory_policy", ""),
            "appendonly": info.get("aof_enabled") == "1",
            "last_write_ok": info.get("aof_last_write_status", "ok") == "ok",
        }

    def ids_under(self, prefix: str, at_most: int, among: int) -> tuple[str, ...]:
        """The known ids that begin so, in order; the server looks at each once, some thousands a step."""
        check_known(int(self._one("HLEN", self._keys["state"])), among)
        found: set[str] = set()  # a scan may name one twice
        cursor, pattern = "0", _GLOB.sub(r"\\\g<0>", prefix) + "*"
        while True:
            cursor, flat = self._one(
                "HSCAN", self._keys["state"], cursor, "MATCH", pattern, "COUNT", _SCANNED_AT_ONCE
            )
            found.update(flat[::2])
            if str(cursor) == "0":
                break
        names = sorted(found)  # among them those that are staged and not accepted, or over
        there = [name for name, record in zip(names, self.jobs(names), strict=True) if record is not None]
        return under(prefix, there, at_most)

    def nearest(self, request_id: str) -> tuple[str, ...]:
        """Up to three known ids that look alike, from a bounded look at the known ones."""
        known: list[str] = []
        cursor = "0"
        for _ in range(_NEAREST_ROUNDS):
            cursor, flat = self._one("HSCAN", self._keys["state"], cursor, "COUNT", 1000)
            known += [name for name in flat[::2] if name != request_id]  # it may be staged and not accepted
            if str(cursor) == "0":
                break
        return alike(request_id, known)

    def last_event_id(self) -> str:
        """The newest event's id."""
        newest = self._one("XREVRANGE", self._keys["events"], "+", "-", "COUNT", 1)
        return str(newest[0][0]) if newest else "0-0"

    def latest_events(self, count: int) -> list[Event]:
        """The newest events, oldest first."""
        entries = self._one("XREVRANGE", self._keys["events"], "+", "-", "COUNT", count)
        return [_event(entry_id, fields) for entry_id, fields in reversed(entries)]

    def events(self, after: str, count: int) -> list[Event]:
        """Events after that id, oldest first."""
        entries = self._one("XRANGE", self._keys["events"], f"({after}", "+", "COUNT", count)
        return [_event(entry_id, fields) for entry_id, fields in entries]


def _number(score: object) -> float | None:
    return None if score is None else float(str(score))


def _committed(flat: Sequence[str]) -> frozenset[str]:
    """The committed ones of the hash `batches`."""
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return frozenset(batch for batch, mark in pairs if json.loads(mark)[0] == "committed")


def _finished_of(request_id: str, row: Row | None, raw: str | None) -> FinishedJob | None:
    if row is None or raw is None or row.state not in TERMINAL:
        return None
    record: dict[str, Any] = json.loads(raw)
    result = record.get("result")
    if result is not None and "callback_data" in record:  # changed after the job was done
        result["callback_data"] = record["callback_data"]
    return FinishedJob(
        request_id=request_id,
        state=JobState(row.state),
        finished_at=row.since_ms / 1000,
        enqueued_at=row.enqueued_ms / 1000,
        started_at=row.started_ms / 1000 if row.started_ms else None,
        attempt=row.attempt,
        lost=row.lost,
        lease_no=row.lease_no,
        consumer=row.consumer or None,
        result=result,
        error=record.get("error"),
        order=row.order,
        revision=row.revision,
    )


def _watchers(flat: Sequence[str], now: float) -> list[WatcherInfo]:
    found = []
    for name, raw in zip(flat[::2], flat[1::2], strict=True):
        entry = json.loads(raw)
        seen = entry["seen_ms"] / 1000
        found.append(
            WatcherInfo(name, entry["started_ms"] / 1000, seen, now - seen <= WATCHER_LIVE_S, entry["data"])
        )
    return sorted(found, key=lambda item: (item.started_at, item.name))


def _event(entry_id: str, flat: Sequence[str]) -> Event:
    by_name = dict(zip(flat[::2], flat[1::2], strict=True))
    kind, data = by_name["kind"], by_name["data"]
    return Event(
        id=entry_id,
        kind=kind,
        at=int(entry_id.partition("-")[0]) / 1000,
        request_id=by_name["id"] or None,
        state=STATE_AFTER.get(kind),
        data=json.loads(data) if data else {},
    )
