"""The whole system in one value: counts, watchers, machines, money, and what it means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lib.clock import rfc3339
from lib.jobqueue import JobQueue, Snapshot, WatcherInfo, drains, role_of
from lib.jobs.advice import A_WATCHER, reclaiming
from lib.jobs.machines import silent_machines
from lib.jobs.watchers import seen_watchers, without_machines
from lib.units import bytes_text


class Health(StrEnum):
    """What the numbers mean, in a word."""

    IDLE = "idle"
    WORKING = "working"
    PAUSED = "paused"
    WATCHER_NOT_RUNNING = "watcher_not_running"
    WATCHER_CRASHED = "watcher_crashed"


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts, watchers and the verdict with its sentence. Money is US dollars."""

    snapshot: Snapshot
    watchers: Sequence[WatcherInfo]
    server: Mapping[str, Any]
    verdict: Health
    sentence: str

    @property
    def instances(self) -> int:
        """Rented machines, as the live watchers report them; this machine itself is none."""
        return sum(int(watcher.data.get("instances", 0)) for watcher in self.watchers if watcher.live)

    @property
    def spend(self) -> Decimal:
        """What the live watchers' machines have cost since each of these watchers started."""
        live = (watcher for watcher in self.watchers if watcher.live)
        return sum((Decimal(str(watcher.data.get("spend_usd", "0"))) for watcher in live), Decimal(0))

    @property
    def rents(self) -> bool:
        """Whether a machine is or was rented, so that there is a word to say of money."""
        return self.instances > 0 or self.spend > 0

    def to_json(self) -> dict[str, Any]:
        """The value of `status --json` (docs/reference/json/status.json)."""
        return {
            **self.snapshot.to_json(),
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "instances": self.instances,
            "spend_usd": str(self.spend),
            "watchers": [_watcher_json(watcher) for watcher in self.watchers],
            "server": dict(self.server),
        }


def overview(
    snapshot: Snapshot,
    watchers: Sequence[WatcherInfo],
    server: Mapping[str, Any],
    ended: Collection[str] = (),
) -> Overview:
    """Judge the numbers. Pure; its cost does not depend on the number of jobs.

    `ended` are registered watchers whose processes are known to have ended: killed, for else they sign off.
    """
    verdict = _verdict(snapshot, ended)
    return Overview(snapshot, tuple(watchers), server, verdict, _sentence(verdict, snapshot, ended))


def overview_of(queue: JobQueue, *, server: bool = True) -> Overview:
    """Look at the queue and judge it; without `server` its server is not asked how it is."""
    seen = seen_watchers(queue.snapshot())
    shot, health = seen.snapshot, queue.server_health() if server else {}
    return overview(shot, shot.watchers, health, seen.ended)


def _verdict(snapshot: Snapshot, ended: Collection[str]) -> Health:
    # The order is by what a person must do first: while the queue is paused, no watcher that is started
    # takes anything up, nor does one take back what a dead one left.
    if snapshot.paused:
        return Health.PAUSED
    if snapshot.stale_pel:
        return Health.WATCHER_CRASHED
    if ended and snapshot.pending and snapshot.lock_owner is None:  # its leases have not run out yet
        return Health.WATCHER_CRASHED
    if snapshot.outstanding and snapshot.lock_owner is None:
        return Health.WATCHER_NOT_RUNNING
    return Health.WORKING if snapshot.outstanding else Health.IDLE


def _sentence(verdict: Health, snapshot: Snapshot, ended: Collection[str]) -> str:
    outstanding = _jobs(snapshot.outstanding)
    match verdict:
        case Health.WATCHER_CRASHED if not snapshot.stale_pel:
            advice = reclaiming(paused=False, watched=False)
            return f"{_ended(snapshot, ended)} without finishing its work. {_upper(advice)}."
        case Health.WATCHER_CRASHED:
            advice = reclaiming(paused=False, watched=snapshot.lock_owner is not None)
            return f"{_stale(snapshot)}: a watcher stopped without finishing its work. {_upper(advice)}."
        case Health.WATCHER_NOT_RUNNING:
            return f"{outstanding} outstanding, but no watcher runs. Start one with: {A_WATCHER}"
        case Health.PAUSED:
            return _paused(snapshot)
        case Health.WORKING:
            trouble = trouble_of(snapshot.watchers)
            return f"{outstanding} outstanding; {trouble or _seen(snapshot)}"
        case Health.IDLE:
            return f"Nothing to do; {trouble_of(snapshot.watchers) or _seen(snapshot)}"


def _paused(snapshot: Snapshot) -> str:
    head = f"The queue is paused with {snapshot.outstanding} outstanding."
    watched = snapshot.lock_owner is not None
    if snapshot.stale_pel:
        stay = f"{_stale(snapshot)}, and nothing is taken back meanwhile"
        return f"{head} {stay}: {reclaiming(paused=True, watched=watched)}."
    if snapshot.outstanding and not watched:
        return f"{head} No watcher runs either. Go on with: job-runner resume, then {A_WATCHER}"
    return f"{head} Go on with: job-runner resume"


def _ended(snapshot: Snapshot, ended: Collection[str]) -> str:
    who = f"watcher {min(ended)}" if len(ended) == 1 else f"{len(ended)} watchers"
    return f"{_jobs(snapshot.pending)} leased, and nobody works: {who} of this machine ended"


def _stale(snapshot: Snapshot) -> str:
    return "1 lease has run out" if snapshot.stale_pel == 1 else f"{snapshot.stale_pel} leases have run out"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def trouble_of(watchers: Iterable[WatcherInfo]) -> str | None:
    """What keeps a live watcher's work from ending, or all from beginning any, as it says; None: nothing."""
    seen = tuple(watchers)
    live = [watcher for watcher in seen if watcher.live]
    told = [without_machines(seen), *(watcher.data.get("trouble") for watcher in live)]
    told += [silent_machines(watcher) for watcher in live]
    return next((f"the watcher says: {text}" for text in told if isinstance(text, str) and text), None)


def _seen(snapshot: Snapshot) -> str:
    if snapshot.lock_owner is None or snapshot.watcher_last_seen is None:
        return "no watcher runs."
    age = snapshot.watcher_last_seen_age_s or 0.0
    return f"watcher {snapshot.lock_owner} was seen {age:.0f} s ago."


def _jobs(count: int) -> str:
    return "1 job is" if count == 1 else f"{count} jobs are"


def server_sentence(server: Mapping[str, Any]) -> str:
    """The server in a few words; says so when it does not keep what it is told."""
    if not server:
        return "-"
    words = [
        f"{server['name']} {server['version']} at {server['place']}",
        f"{bytes_text(int(server['used_memory_bytes']))} used",
        "append-only file on" if server["appendonly"] else "NO append-only file: a restart may lose jobs",
    ]
    if not server["last_write_ok"]:
        words.append("its last write to disk FAILED")
    return ", ".join(words)


def _watcher_json(watcher: WatcherInfo) -> dict[str, Any]:
    return {
        "name": watcher.name,
        "live": watcher.live,
        "started_at": rfc3339(watcher.started_at),
        "last_seen": rfc3339(watcher.last_seen),
        **watcher.data,
        "role": role_of(watcher).value,
        "draining": drains(watcher),
    }
