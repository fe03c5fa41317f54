"""Emptying a queue, and beforehand what that would delete, key by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lib.jobqueue import TERMINAL, Admin, JobQueue
from lib.jobqueue.admin.observed import Flushed, KeySize
from lib.jobqueue.errors import JobsHeld
from lib.jobs.admin import required_admin

_KEPT: Final = (
    *("result", "failed", "history", "history:failed", "revisions", "revisions:history", "calls"),
    *("watcher", "lock", "market"),
)
_PARTLY: Final = ("state", "spec")  # the rows and specifications of unfinished jobs go
_UNITS: Final = {
    "stream": ("entry", "entries"),
    "hash": ("field", "fields"),
    "zset": ("member", "members"),
    "list": ("item", "items"),
}


@dataclass(frozen=True, slots=True)
class Doomed:
    """One key that a flush empties: `deleted` of its `count` entries; with all of them it is gone."""

    key: str
    kind: str
    count: int
    deleted: int

    @property
    def words(self) -> str:
        """Say for people how much of the key is deleted."""
        unit = _UNITS.get(self.kind, ("value", "values"))[self.count != 1]
        return (
            f"{self.deleted} of {self.count} {unit}" if self.deleted < self.count else f"{self.count} {unit}"
        )

    def to_json(self) -> dict[str, Any]:
        """One entry of `keys` in `flush --json`."""
        return {"key": self.key, "type": self.kind, "count": self.count, "deleted": self.deleted}


def foresee(queue: JobQueue, *, hard: bool, force: bool) -> list[Doomed]:
    """What a flush would delete now. Looks at every key and every job.

    Raises:
        JobsHeld: a watcher holds jobs and `force` is not given; `flush` itself looks again, in the step
            that deletes.
        BadConfiguration: the queue lies on no server.
    """
    upkeep = required_admin(queue)
    if not force:
        _refuse_while_held(queue)
    sizes = upkeep.inspector.sizes()
    if hard:
        return [Doomed(item.key, item.kind, item.count, item.count) for item in sizes]
    finished = {state.value for state in TERMINAL}
    unfinished = sum(state not in finished for _, state in upkeep.inspector.job_states())
    start = f"{upkeep.inspector.prefix}:"
    doomed = (_soft(item, item.key.removeprefix(start), unfinished, upkeep) for item in sizes)
    return [item for item in doomed if item is not None]


def flush(queue: JobQueue, *, hard: bool, force: bool) -> Flushed:
    """Delete what is under way, or with `hard` every key under the prefix.

    Raises:
        JobsHeld: a watcher holds jobs and `force` is not given; nothing was deleted.
        BadConfiguration: the queue lies on no server.
    """
    return required_admin(queue).flush(hard=hard, force=force)


def _refuse_while_held(queue: JobQueue) -> None:
    shot = queue.snapshot()
    held = shot.pending - shot.stale_pel
    if held:
        raise JobsHeld(held)


def _soft(size: KeySize, name: str, unfinished: int, upkeep: Admin) -> Doomed | None:
    """What the key loses; None when it stays as it is."""
    if name == "meta":
        fields = ("turn", "paused", "publishing")
        gone = sum(bool(upkeep.inspector.counter(field)) for field in fields)
    elif name in _PARTLY:
        gone = min(unfinished, size.count)
    elif not _is_ours(name) or name in _KEPT:
        return None
    else:  # an empty stream goes, too
        return Doomed(size.key, size.kind, size.count, size.count)
    return Doomed(size.key, size.kind, size.count, gone) if gone else None


def _is_ours(name: str) -> bool:
    from lib.jobqueue.redis.keys import SUFFIXES

    return name in SUFFIXES.values() or name.startswith("batch:")
