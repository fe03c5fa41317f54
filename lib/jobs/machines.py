"""Which machines the live watchers use and what each does, from what they say in the registry.

What is known is as old as the watcher's last word, and a machine that was ready then may be gone by now: both
ages are told, and a doubt where either is long.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import rfc3339
from lib.jobqueue import JobQueue, WatcherInfo
from lib.jobs.watchers import seen_watchers

_OLD_S: Final = 12.0  # over twice as long as watchers keep silent
_SILENT_S: Final = 3.0  # more than a connection that is made anew at once


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """One worker of a machine. `job` is the id that it has had at hand longest, `job_s` for how long."""

    host: str
    busy: int
    finished: int
    job: str | None
    job_s: float | None

    def to_json(self) -> dict[str, Any]:
        """As `machines --json` has it."""
        return {
            "host": self.host,
            "busy": self.busy,
            "finished": self.finished,
            "job": self.job,
            "job_seconds": self.job_s,
        }


@dataclass(frozen=True, slots=True)
class MachineLine:
    """One machine as its watcher sees it. Times are wall time.

    `known_s` is how old the watcher's word is, `silent_s` for how long it has heard nothing of the machine.
    """

    machine: str
    provider: str
    watcher: str
    stage: str
    holding: int  # jobs at hand on it
    since: float | None = None
    reason: str = ""
    sentence: str = ""
    tries: int = 0
    next_try: float | None = None
    workers: tuple[WorkerLine, ...] = ()
    known_s: float = 0.0
    silent_s: float = 0.0

    @property
    def doubt(self) -> str:
        """Why it may not be as its stage says any more; "" where nothing speaks for that."""
        if self.known_s > _OLD_S:
            return f"its watcher was heard of {self.known_s:.0f} s ago and may be gone"
        if self.stage != "out" and self.silent_s > _SILENT_S:
            return f"it has not answered for {self.silent_s:.0f} s"
        return ""

    def to_json(self) -> dict[str, Any]:
        """As `machines --json` has it."""
        return {
            "machine": self.machine,
            "provider": self.provider,
            "watcher": self.watcher,
            "stage": self.stage,
            "since": _time(self.since),
            "reason": self.reason,
            "sentence": self.sentence,
            "tries": self.tries,
            "next_try": _time(self.next_try),
            "holding": self.holding,
            "known_seconds": round(self.known_s, 1),
            "silent_seconds": self.silent_s,
            "doubt": self.doubt,
            "workers": [worker.to_json() for worker in self.workers],
        }


@dataclass(frozen=True, slots=True)
class MachineList:
    """All machines, and the watchers that stand by."""

    machines: tuple[MachineLine, ...]
    standby: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As `machines --json` prints it."""
        return {"machines": [line.to_json() for line in self.machines], "standby": list(self.standby)}


def machines_of(queue: JobQueue) -> MachineList:
    """What the live watchers say. Raises Unavailable."""
    seen = seen_watchers(queue.snapshot()).snapshot
    live = [watcher for watcher in seen.watchers if watcher.live]
    return MachineList(
        tuple(line for watcher in live for line in _lines(watcher, seen.server_time)),
        tuple(watcher.name for watcher in live if watcher.data.get("role") == "standby"),
    )


def silent_machines(watcher: WatcherInfo) -> str | None:
    """Which of a watcher's machines do not answer it, in its words; None: each does, or it has none.

    It takes their jobs away only after minutes, for most of them come back.
    """
    lines = [line for line in _lines(watcher, watcher.last_seen) if line.doubt]
    if not lines:
        return None
    first = f"the machine {lines[0].machine} has not answered for {lines[0].silent_s:.0f} s"
    return first if len(lines) == 1 else f"{first}, nor {len(lines) - 1} more (job-watcher machines)"


def _lines(watcher: WatcherInfo, now: float) -> Sequence[MachineLine]:
    known_s = max(0.0, now - watcher.last_seen)
    fleet = watcher.data.get("fleet")
    if isinstance(fleet, list):
        return [_line(watcher, found, known_s) for found in fleet if isinstance(found, Mapping)]
    return [
        MachineLine(
            str(name),
            _provider(watcher),
            watcher.name,
            "ready",
            _whole(watcher.data.get("holding")),
            since=watcher.started_at,
            known_s=known_s,
        )
        for name in watcher.data.get("machines") or ()
    ]


def _line(watcher: WatcherInfo, found: Mapping[str, Any], known_s: float) -> MachineLine:
    rows = found.get("workers")
    workers = (
        tuple(_worker(row) for row in rows if isinstance(row, Mapping)) if isinstance(rows, list) else ()
    )
    return MachineLine(
        machine=str(found.get("machine", "")),
        provider=_provider(watcher),
        watcher=watcher.name,
        stage=str(found.get("stage", "")),
        holding=sum(worker.busy for worker in workers),
        since=_number(found.get("since")),
        reason=str(found.get("reason", "")),
        sentence=str(found.get("sentence", "")),
        tries=_whole(found.get("tries")),
        next_try=_number(found.get("next_try")),
        workers=workers,
        known_s=known_s,
        silent_s=max(0.0, _number(found.get("silent_seconds")) or 0.0),
    )


def _worker(row: Mapping[str, Any]) -> WorkerLine:
    job = row.get("job")
    return WorkerLine(
        str(row.get("host", "")),
        _whole(row.get("busy")),
        _whole(row.get("finished")),
        None if job is None else str(job),
        _number(row.get("job_seconds")),
    )


def _provider(watcher: WatcherInfo) -> str:
    return str(watcher.data.get("provider", ""))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)
