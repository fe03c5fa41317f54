"""What a flush would delete, key by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lib.jobqueue import TERMINAL
from lib.jobqueue.observed import KeySize
from lib.jobqueue.upkeep import Upkeep

_KEPT: Final = ("result", "failed", "history", "history:failed", "watcher", "lock", "market")
_PARTLY: Final = ("state", "spec")  # the rows and specifications of unfinished jobs go
_UNITS: Final = {
    "stream": ("entry", "entries"),
    "hash": ("field", "fields"),
    "zset": ("member", "members"),
    "list": ("item", "items"),
}


@dataclass(frozen=True, slots=True)
class Doomed:
    """A key that loses `deleted` of its `count` entries; all of them, and the key is gone."""

    key: str
    kind: str
    count: int
    deleted: int

    @property
    def words(self) -> str:
        """As it is said to people."""
        unit = _UNITS.get(self.kind, ("value", "values"))[self.count != 1]
        return (
            f"{self.deleted} of {self.count} {unit}" if self.deleted < self.count else f"{self.count} {unit}"
        )

    def to_json(self) -> dict[str, Any]:
        """One entry of `keys` in `flush --json`."""
        return {"key": self.key, "type": self.kind, "count": self.count, "deleted": self.deleted}


def plan(upkeep: Upkeep, *, hard: bool) -> list[Doomed]:
    """What a flush would delete now. Looks at every key and every job."""
    sizes = upkeep.inspector.sizes()
    if hard:
        return [Doomed(item.key, item.kind, item.count, item.count) for item in sizes]
    finished = {state.value for state in TERMINAL}
    unfinished = sum(state not in finished for _, state in upkeep.inspector.job_states())
    start = f"{upkeep.inspector.prefix}:"
    doomed = (_soft(item, item.key.removeprefix(start), unfinished, upkeep) for item in sizes)
    return [item for item in doomed if item is not None]


def _soft(size: KeySize, name: str, unfinished: int, upkeep: Upkeep) -> Doomed | None:
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
    from lib.jobqueue.keys import SUFFIXES

    return name in SUFFIXES.values() or name.startswith("batch:")
