"""The names of the queue's keys. docs/reference/redis-keys.md says what each holds."""

from __future__ import annotations

from typing import Final

from lib.redislink.prefix import key_prefix

GROUP: Final = "watchers"

# The name used in the scripts' headers, and what follows the prefix.
SUFFIXES: Final[dict[str, str]] = {
    "normal": "stream",
    "high": "stream:high",
    "low": "stream:low",
    "state": "state",
    "spec": "spec",
    "leases": "leases",
    "delayed": "delayed",
    "result": "result",
    "failed": "failed",
    "history": "history",
    "history_failed": "history:failed",
    "events": "events",
    "meta": "meta",
    "bell": "bell",
    "batches": "batches",
    "progress": "progress",
    "errors": "errors",
    "watcher": "watcher",
    "lock": "lock",
    "market": "market",
    "revisions": "revisions",
    "revisions_history": "revisions:history",
    "calls": "calls",
}


class Keys:
    """Full key names under one prefix."""

    def __init__(self, prefix: str, *, cluster: bool = False) -> None:
        self.prefix = key_prefix(prefix, cluster=cluster)
        self._full = {name: f"{self.prefix}:{suffix}" for name, suffix in SUFFIXES.items()}
        self._lists: dict[tuple[str, ...], list[str]] = {}

    def __getitem__(self, name: str) -> str:
        return self._full[name]

    def batch(self, batch_id: str) -> str:
        """The list of one staged batch; the only key whose name varies."""
        return f"{self.prefix}:batch:{batch_id}"

    def named(self, names: tuple[str, ...], batch_id: str | None = None) -> list[str]:
        """Full names in the order of a script's header."""
        if batch_id is not None:
            return [self.batch(batch_id) if name == "batch" else self._full[name] for name in names]
        known = self._lists.get(names)
        if known is None:
            known = self._lists[names] = [self._full[name] for name in names]
        return known
