"""One pass of the loop: who leads, what there is, what should change, one try at each change."""

from __future__ import annotations

from collections.abc import Sequence

from job_watcher.provisioning.accounts import Accountant
from job_watcher.provisioning.acquirer import Letting
from job_watcher.provisioning.fenced import Reign
from job_watcher.provisioning.observation import Tracks, machine_of
from job_watcher.provisioning.ports import Config, NotLeading, Parts
from job_watcher.provisioning.releaser import Returning
from job_watcher.provisioning.work import Work
from lib.errors import Unavailable
from lib.fleet import Demand, Event, Machine, Speeds, State, Verdict, blind, verdict
from lib.fleet.scaling import hold_s
from lib.jobqueue import LeadershipLost, Snapshot
from lib.machines.model import Epoch, MachineRow
from lib.machines.port import RowChanged, StaleEpoch
from lib.providers.rental import Listing
from lib.spool import SpoolUnusable

_LOSING = frozenset({Event.FAILED, Event.SILENT, Event.VANISHED})


class Reconciler:
    """The loop for rented machines. Made once for each process; `step` is called again and again."""

    def __init__(self, parts: Parts, config: Config, speeds: Speeds | None = None) -> None:
        self._parts, self._config = parts, config
        self._speeds = speeds or Speeds()
        self._reign: Reign | None = None
        self._draining = False
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Forget what was seen: it belongs to a reign that is over."""
        self._tracks = Tracks()
        self._work = Work(self._parts, self._config, self._tracks, self._speeds)
        self._accountant = Accountant(self._parts, self._config)
        self._letting = Letting(self._parts, self._config, self._accountant, self._speeds)
        self._returning = Returning(self._parts, self._config, self._tracks)
        self._next_sweep = 0.0
        self._blind_told: str | None = None

    @property
    def leading(self) -> bool:
        """Whether this process led when it last looked."""
        return self._reign is not None

    @property
    def working(self) -> bool:
        """Whether this process leads and has jobs at hand."""
        return self._reign is not None and self._work.held() > 0

    def drain(self) -> None:
        """Claim and rent nothing more. Machines stay for the next watcher, with their work."""
        self._draining = True

    def leave(self) -> None:
        """Hand the leases back, keep the machines, give the lock back: the next watcher adopts all of it."""
        self._work.leave()
        self._work.close()
        self._reign = None
        try:
            self._parts.queue.remove_watcher(self._config.name)
            self._parts.leadership.resign()
        except Unavailable:
            return  # both run out by themselves

    def step(self) -> float:
        """One pass; returns the seconds until the next is due. Trouble of others is told, not raised."""
        rhythm = self._config.rhythm
        try:
            try:
                reign = self._lead()
                return rhythm.standby_s if reign is None else self._pass(reign)
            except (RowChanged, Unavailable) as error:
                self._parts.tell("trouble", error.message, "")
                self._go_on()
                return rhythm.period_s
        except (StaleEpoch, NotLeading, LeadershipLost) as error:
            self._parts.tell("abdicated", error.message, "")
            self._work.close()
            self._reign = None
            self._begin_anew()
            return rhythm.standby_s

    def _go_on(self) -> None:
        """Jobs on machines that we have go on while the ledger or the provider is away."""
        if self._reign is None:
            return
        try:
            self._reign.check()
            self._work.go_on(claims=not self._draining)
        except (Unavailable, SpoolUnusable) as error:
            self._parts.tell("trouble", error.message, "")

    def _lead(self) -> Reign | None:
        """The reign we are in; a new one is opened in the ledger before anything is done in it."""
        epoch = self._parts.leadership.lead(self._parts.ledger.last_epoch() + 1)
        if epoch is None:
            if self._reign is not None:
                raise NotLeading("The lock was lost.")
            return None
        if self._reign is None or self._reign.epoch != epoch:
            self._work.close()
            self._begin_anew()
            self._parts.ledger.open_epoch(Epoch(epoch, self._config.name, self._parts.clock.now()))
            self._reign = Reign(self._parts, self._config, epoch)
            self._work.begin()
            self._parts.tell("leading", f"{self._config.name} leads in epoch {epoch}", "")
        return self._reign

    # --- observe -----------------------------------------------------------------------------------------

    def _pass(self, reign: Reign) -> float:
        parts, now = self._parts, self._parts.clock.monotonic()
        snapshot = self._snapshot()
        rows = parts.ledger.open_rows()
        self._tracks.keep(rows, now)
        snapshot = self._with_due(reign, snapshot)
        jobs = 1 if snapshot is None else snapshot.waiting + snapshot.pending
        self._letting.heed(jobs)
        # jobs at hand without a row: its end was written, and the answer to that was lost
        held = self._work.held()
        busy = rows or held or self._tracks.orphans or (jobs and not self._letting.rests_for())
        if not busy and now < self._next_sweep:
            self._accountant.keep(reign, rows)
            return min(self._config.rhythm.idle_s, max(1.0, self._next_sweep - now))
        self._next_sweep = now + self._config.rhythm.sweep_s
        listing = self._listing(reign)
        self._parts.tell("pass", "", "")
        self._do_work(reign, rows, snapshot)
        machines = self._machines(rows, listed=listing.complete)
        demand = None
        if snapshot is not None:
            demand = self._work.demand(snapshot, self._letting.preemptions())
        self._decide(reign, rows, machines, demand)
        self._returning.destroy(reign, parts.ledger.open_rows())
        self._rent(reign, demand, listing, machines)
        self._letting.look_around(reign, demand or Demand(), machines)
        rows = parts.ledger.open_rows()
        self._accountant.keep(reign, rows)
        return self._pause(rows)

    def _pause(self, rows: Sequence[MachineRow]) -> float:
        """With no machine and no reason to search yet there is nothing to hurry for."""
        rhythm = self._config.rhythm
        if rows or self._tracks.orphans:
            return rhythm.period_s
        return min(rhythm.idle_s, max(rhythm.period_s, self._letting.rests_for()))

    def _snapshot(self) -> Snapshot | None:
        try:
            return self._parts.queue.snapshot()
        except Unavailable as error:
            self._parts.tell("trouble", error.message, "")
            return None

    def _with_due(self, reign: Reign, snapshot: Snapshot | None) -> Snapshot | None:
        """See delayed jobs that are due: a claim makes them wait, and nobody claims without a machine."""
        idle = snapshot is not None and snapshot.delayed and not (snapshot.waiting or snapshot.pending)
        if not idle or self._draining:
            return snapshot
        reign.check()
        try:
            return self._snapshot() if self._work.stir() else snapshot
        except Unavailable as error:
            self._parts.tell("trouble", error.message, "")
            return snapshot

    def _listing(self, reign: Reign) -> Listing:
        """The provider's list; one that failed is an incomplete one, from which nothing follows."""
        try:
            listing = reign.ask(reign.provider.list)
        except Unavailable as error:
            return Listing((), False, error.message)
        if listing.complete:
            now = self._parts.clock.monotonic()
            strangers = self._tracks.listed(listing, self._config.owner, now)
            if self._returning.strangers(strangers, now):
                self._accountant.soon()
        return listing

    def _do_work(self, reign: Reign, rows: Sequence[MachineRow], snapshot: Snapshot | None) -> None:
        try:
            self._work.keep_hosts(rows)
            self._work.ask(rows)
            reign.check()
            self._work.do(reign.term(), snapshot, claims=not self._draining)
        except (Unavailable, SpoolUnusable) as error:
            self._parts.tell("trouble", error.message, "")

    def _machines(self, rows: Sequence[MachineRow], *, listed: bool) -> list[Machine]:
        wall, now = self._parts.clock.now(), self._parts.clock.monotonic()
        return [
            machine_of(
                row,
                self._tracks.by_token[row.token],
                self._work.view(row.token),
                job_s=self._work.job_s(row.intent.gpu),
                job_due_s=self._work.job_due_s(row.token),
                listed=listed,
                wall=wall,
                now=now,
            )
            for row in rows
        ]

    # --- decide and act ----------------------------------------------------------------------------------

    def _decide(
        self, reign: Reign, rows: Sequence[MachineRow], machines: Sequence[Machine], demand: Demand | None
    ) -> None:
        now, policy = self._parts.clock.now(), self._config.policy
        for row, machine in zip(rows, machines, strict=True):
            self._returning.confirm(reign, machine)
            cold = self._speeds.cold_start(machine.gpu, policy.boot_s)
            hold = hold_s(machine.hourly_micros, machine.fee_micros, cold, policy)
            found = verdict(machine, demand, policy, now=now, hold=hold)
            if found is not None:
                self._apply(reign, row, machine, found)

    def _apply(self, reign: Reign, row: MachineRow, machine: Machine, found: Verdict) -> None:
        track = self._tracks.by_token[row.token]
        instance = track.rental.instance if found.event is Event.FOUND and track.rental else None
        if found.event is Event.VANISHED:
            self._accountant.charge(reign, [row])
            self._accountant.soon()
        after = reign.move(row, found.event, found.reason, instance=instance)
        self._remember(reign, row, machine, found)
        if found.event is Event.PASSED:
            self._speeds.started(machine.gpu, self._parts.clock.now() - machine.created_at)
        if after.state in (State.LEAVING.value, State.GONE.value):
            self._work.abandon(row.token, why=found.reason, lost=found.event in _LOSING)
            if row.instance is not None:
                self._parts.access.forget(row.instance)

    def _remember(self, reign: Reign, row: MachineRow, machine: Machine, found: Verdict) -> None:
        """What the host did goes to its memory: failures with their reason, and good work."""
        bad = {Event.FAILED, Event.SILENT, Event.STOPPED, Event.OVERPRICED}
        if found.event is Event.VANISHED and machine.state is not State.LEAVING:
            reign.note(row, "vanished", ok=False)
        elif found.event in bad:
            reign.note(row, found.reason, ok=False)
        elif found.event is Event.EMPTY and machine.settled:
            reign.note(row, "worked", ok=True)

    def _rent(self, reign: Reign, demand: Demand | None, listing: Listing, before: Sequence[Machine]) -> None:
        """Rent one machine, if we could see what we had when the pass began and can see it now."""
        if self._draining or demand is None or not demand.waiting:
            return
        rows = self._parts.ledger.open_rows()
        known = [row for row in rows if row.token in self._tracks.by_token]
        machines = self._machines(known, listed=listing.complete)
        now, policy = self._parts.clock.now(), self._config.policy
        problem = None if listing.complete else listing.problem or "the listing is incomplete"
        why = blind(before, problem, policy, now) or blind(machines, None, policy, now)
        if why is not None:
            if why != self._blind_told:
                self._parts.tell("blind", f"nothing is rented: {why}", "")
            self._blind_told = why
            return
        self._blind_told = None
        self._letting.consider(reign, demand, machines, orphans=len(self._tracks.orphans))
