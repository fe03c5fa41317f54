"""Lets one watcher lead: one lock per deployment, with an epoch that only ever rises.

The leader rents and destroys machines; the others stand by. The lease is judged by the server's clock. A
leader asks `held` right before each act that a successor must not find done twice, and everything it writes
carries its epoch, so that what it began too late is recognised (docs/reference/redis-keys.md, `lock`).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from lib.clock import Clock, SystemClock
from lib.errors import JobRunnerError
from lib.redislink.prefix import key_prefix
from lib.redislink.scripts import ScriptFolder
from lib.redislink.term import LeadershipLost, Term
from lib.redislink.transport import Transport

SCRIPTS: Final = ScriptFolder("lib.leadership")
LEASE_S: Final = 60.0
ACT_S: Final = 30.0  # a provider call returns within that, or raises
SILENT_AFTER_S: Final = 180.0


class Leader(NamedTuple):
    """Who leads, or led last. `left_s` is what remains of the lease, 0 when it is over."""

    owner: str
    epoch: int
    since: float
    left_s: float

    @property
    def live(self) -> bool:
        """Whether the lease runs."""
        return self.left_s > 0


@dataclass(frozen=True, slots=True)
class _HeldTerm:
    epoch: int
    token: str
    ends: float  # monotonic, by this process's own clock; never after the server's end
    renewed: float


class LeaderLock:
    """The lock as one watcher sees it: `acquire` until it leads, `keep` all the time, `held` before an act.

    `owner` is a name for people, unique per process start. The lease should be long against a round trip and
    short against an empty machine's price: a standby takes over within one lease of the leader's death, plus
    the pause between two of its tries.

    Threads: any may ask. `acquire`, `keep`, `renew` and `release` are for one at a time, as
    `RenewedLeadership` calls them.

    Raises, from every method:
        Unavailable: the server does not answer. Whether the caller leads is then unknown: it must not act.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        owner: str,
        prefix: str = "pab:jobs",
        lease_s: float = LEASE_S,
        clock: Clock | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self.owner = owner
        self.lease_s = lease_s
        self._transport = transport
        self._prefix = key_prefix(prefix, cluster=transport.cluster)
        self._clock = clock or SystemClock()
        self._now_ms = now_ms
        self._held: _HeldTerm | None = None

    @property
    def epoch(self) -> int | None:
        """The epoch of this watcher's term as far as it knows; None when it stands by."""
        held = self._held
        return held.epoch if held else None

    @property
    def term(self) -> Term | None:
        """What proves this term to the queue, as far as this watcher knows; None when it stands by."""
        held = self._held
        return Term(held.epoch, held.token) if held else None

    @property
    def renew_every_s(self) -> float:
        """A third of the lease: two renewals may fail before the lease is over."""
        return self.lease_s / 3

    def acquire(self, *, above: int = 0) -> int | None:
        """Become the leader; the epoch, or None while somebody else's lease runs.

        `above` is the newest epoch that the ledger remembers: the new one is above it even when the server
        lost its memory. A watcher that leads already renews and gets its own epoch again, unless the
        ledger's is newer.
        """
        if (epoch := self.epoch) is not None:
            if epoch >= above and self._kept():
                return epoch
            self.release()
        asked = self._clock.monotonic()
        token = secrets.token_urlsafe(12)
        lease_ms = round(self.lease_s * 1000)
        reply = self._run("lock_acquire", self._now(), self.owner, token, lease_ms, above)
        if not int(reply[0]):
            return None
        self._held = _HeldTerm(int(reply[1]), token, asked + self.lease_s, asked)
        return self._held.epoch

    def _kept(self) -> bool:
        try:
            self.renew()
        except LeadershipLost:
            return False
        return True

    def keep(self) -> None:
        """Renew when a third of the lease has passed, else do nothing; call it as often as is convenient.

        Raises:
            LeadershipLost: this watcher does not lead.
        """
        held = self._held
        if held is None or self._clock.monotonic() - held.renewed >= self.renew_every_s:
            self.renew()

    def renew(self) -> None:
        """Lead for another lease from now.

        Raises:
            LeadershipLost: this watcher does not lead.
        """
        held = self._known()
        asked = self._clock.monotonic()
        lease_ms = round(self.lease_s * 1000)
        if not int(self._run("lock_renew", self._now(), held.epoch, held.token, lease_ms)):
            raise self._lost(held.epoch)
        self._held = _HeldTerm(held.epoch, held.token, asked + self.lease_s, asked)

    def release(self) -> bool:
        """Step down so that a standby can take over at once; False when this watcher did not lead."""
        held, self._held = self._held, None
        return held is not None and bool(int(self._run("lock_release", held.epoch, held.token)))

    def end(self, term: Term) -> bool:
        """Give back the lock that a process held which is certainly gone; False when it held it no more."""
        return bool(int(self._run("lock_release", term.epoch, term.token)))

    def held(self, epoch: int, *, for_s: float = 0.0) -> bool:
        """Whether this watcher leads with that epoch now, and its lease lasts `for_s` seconds more.

        Asks the server: the process may have been stopped for any time since its last renewal. Give the
        longest time that the act may take, so that it ends within the lease.
        """
        held = self._held
        if held is None or held.epoch != epoch:
            return False
        found, left_ms, _, token, _ = self._run("lock_look", self._now())
        ours = int(found) == epoch and str(token) == held.token
        return ours and int(left_ms) > for_s * 1000

    def check(self, epoch: int, *, for_s: float = 0.0) -> None:
        """As `held`, for callers that must stop.

        Raises:
            LeadershipLost: this watcher does not lead with that epoch.
        """
        if not self.held(epoch, for_s=for_s):
            raise self._lost(epoch)

    def left_s(self) -> float:
        """Seconds of the lease that are certainly left, without asking; 0 when this watcher does not lead.

        By this process's own clock, which may stand still while the machine sleeps: no proof, only a hint.
        """
        held = self._held
        return 0.0 if held is None else max(0.0, held.ends - self._clock.monotonic())

    def look(self) -> Leader | None:
        """Who leads or led last; None when nobody ever did."""
        epoch, left_ms, owner, _, since_ms = self._run("lock_look", self._now())
        if not int(epoch):
            return None
        return Leader(str(owner), int(epoch), int(since_ms) / 1000, int(left_ms) / 1000)

    def publish(self, name: str, value: str, *, ttl_s: float) -> None:
        """Write the key `<prefix>:<name>` as the leader, to be forgotten after `ttl_s` seconds.

        Raises:
            LeadershipLost: this watcher does not lead; nothing was written.
        """
        held = self._known()
        words = (self._now(), held.epoch, held.token, value, round(ttl_s * 1000))
        if not int(self._run("lock_publish", *words, keys=("lock", name))):
            raise self._lost(held.epoch)

    def _known(self) -> _HeldTerm:
        held = self._held
        if held is None:
            raise LeadershipLost(self.owner, 0)
        return held

    def _lost(self, epoch: int) -> LeadershipLost:
        held = self._held
        if held is not None and held.epoch == epoch:
            self._held = None
        return LeadershipLost(self.owner, epoch)

    def _now(self) -> str | int:
        return "" if self._now_ms is None else self._now_ms()

    def _run(self, name: str, *arguments: str | int, keys: tuple[str, ...] = ("lock",)) -> Any:
        full = [f"{self._prefix}:{key}" for key in keys]
        return self._transport.evaluate(SCRIPTS.load(name), full, arguments)

    def close(self) -> None:
        """Give back connections; the lease runs on until its end unless `release` was called."""
        self._transport.close()


class RenewedLeadership:
    """The lock as a slow loop takes it: renewed by a thread of its own while the loop is alive.

    `start` the thread, `stop` it at the end. A loop that asked for nothing for `silent_after_s` seconds
    counts as hung: its lease is not renewed any more, so that a standby takes over. `held` wants `act_s`
    seconds to be left, so that an act begun then ends within the lease.

    Threads: `lead`, `resign`, `start` and `stop` are the loop's; `held`, `term` and `tick` any.
    Raises: only `lead` and `resign`, as they say.
    """

    def __init__(
        self,
        lock: LeaderLock,
        *,
        act_s: float = ACT_S,
        silent_after_s: float = SILENT_AFTER_S,
        clock: Clock | None = None,
    ) -> None:
        self._lock = lock
        self._act_s = act_s
        self._silent_after_s = silent_after_s
        self._clock = clock or SystemClock()
        self._heard = self._clock.monotonic()
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leadership", daemon=True)

    def lead(self, at_least: int) -> int | None:
        """Take or keep the lock: the epoch, or None while another watcher leads.

        A new epoch is `at_least` that number or higher; our own is kept if it is the one right below.

        Raises:
            Unavailable: the server does not answer.
        """
        self._heard = self._clock.monotonic()
        with self._turn:
            return self._lock.acquire(above=at_least - 1)

    def held(self, epoch: int) -> bool:
        """Whether we lead in this epoch for long enough to act. False whenever that is not certain."""
        self._heard = self._clock.monotonic()
        try:
            return self._lock.held(epoch, for_s=self._act_s)
        except JobRunnerError:
            return False

    def term(self) -> Term | None:
        """What proves our term to the queue, as far as we know; None when another watcher leads."""
        return self._lock.term

    def resign(self) -> None:
        """Give the lock back, if it is ours.

        Raises:
            Unavailable: the server does not answer; the lease runs out by itself.
        """
        with self._turn:
            self._lock.release()

    def tick(self) -> None:
        """Renew if it is time and the loop is alive; the thread does this again and again."""
        silent_s = self._clock.monotonic() - self._heard
        with self._turn, suppress(JobRunnerError):  # lost or unknown: the loop learns it from `held`
            if self._lock.epoch is not None and silent_s < self._silent_after_s:
                self._lock.keep()

    def start(self) -> None:
        """Begin renewing."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more; returns when the thread has ended. The lock is not given back."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._lock.renew_every_s / 4):
            self.tick()


def open_leader_lock(
    url: str, *, owner: str, prefix: str = "pab:jobs", lease_s: float = LEASE_S, clock: Clock | None = None
) -> LeaderLock:
    """Open the lock on the server at `url`, with less patience than a third of the lease.

    Raises:
        Unavailable: nothing answers there, or it refuses the password.
        BadConfiguration: the URL cannot be read.
    """
    transport = Transport(url, patience_s=lease_s / 6, clock=clock)
    transport.greet()
    return LeaderLock(transport, owner=owner, prefix=prefix, lease_s=lease_s, clock=clock)
