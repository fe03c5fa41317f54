"""Runs the loop for rented machines: each pass leads, observes, decides, and tries each change once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from job_watcher.provisioning.accounts import Accountant
from job_watcher.provisioning.acquirer import Acquirer
from job_watcher.provisioning.fenced_calls import FencedCalls
from job_watcher.provisioning.observation import Observations, machine_of
from job_watcher.provisioning.orphans import OrphanSweep
from job_watcher.provisioning.ports import Config, NotLeading, ProvisioningParts
from job_watcher.provisioning.releaser import Releaser
from job_watcher.provisioning.rented_work import RentedWork
from lib.errors import JobRunnerError, Unavailable
from lib.fleet import Demand, Machine, MachineEvent, MachineVerdict, Speeds, State, blind, verdict
from lib.fleet.idle_gaps import IdleGaps
from lib.fleet.scaling import hold_s, start_as_time_s
from lib.jobqueue import LeadershipLost, Snapshot
from lib.machines.model import Epoch, MachineRow
from lib.machines.port import RowChanged, StaleEpoch
from lib.providers.rental import Listing
from lib.spool import SpoolUnusable

_LOSING = frozenset({MachineEvent.FAILED, MachineEvent.SILENT, MachineEvent.VANISHED})


class Reconciler:
    """The loop for rented machines. Made once for each process; `step` is called again and again.

    Threads: one, the loop's; `drain` any.
    Raises: SpoolUnusable from `step` and `leave`, where the journal cannot be written.
    """

    def __init__(self, parts: ProvisioningParts, config: Config, speeds: Speeds | None = None) -> None:
        self._parts, self._config = parts, config
        self._speeds = speeds or Speeds()
        self._gaps = IdleGaps()
        self._reign: FencedCalls | None = None
        self._draining = False
        self._settled = 0
        self._begin_anew()

    def _close_work(self) -> None:
        self._settled += self._work.settled()
        self._work.close()

    def _begin_anew(self) -> None:
        """Forget what was seen: it belongs to a term that is over."""
        self._observations = Observations()
        self._work = RentedWork(self._parts, self._config, self._observations, self._speeds)
        self._accountant = Accountant(self._parts, self._config)
        self._acquirer = Acquirer(
            self._parts, self._config, self._accountant, self._speeds, self._work.is_any_speakable
        )
        self._releaser = Releaser(self._parts, self._config, self._observations)
        self._orphans = OrphanSweep(self._parts, self._observations)
        self._gaps.interrupt()
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

    @property
    def epoch(self) -> int | None:
        """The epoch in which this process led when it last looked."""
        return None if self._reign is None else self._reign.epoch

    @property
    def held(self) -> int:
        """Jobs at hand."""
        return self._work.held()

    @property
    def settled(self) -> int:
        """Jobs that this process took to their end."""
        return self._settled + self._work.settled()

    def drain(self) -> None:
        """Claim and rent nothing more. Machines stay for the next watcher, with their work."""
        self._draining = True

    def withdraw(self) -> None:
        """Hand back what no machine has begun; what was begun is finished by further steps."""
        try:
            if self._reign is not None:
                self._work.withdraw()
        except (Unavailable, NotLeading, LeadershipLost) as error:
            self._parts.tell("trouble", error.message, "")

    def wait(self, timeout_s: float) -> None:
        """Until a machine rings or the dispatcher is woken, at most `timeout_s` seconds."""
        self._work.wait(timeout_s)

    def go_on(self) -> None:
        """Between two passes: take what is finished and hand on what waits. Asks no provider."""
        try:
            if self._reign is not None:
                self._keep_hosts(self._reign)
            self._go_on()
        except (StaleEpoch, NotLeading, LeadershipLost) as error:
            self._abdicate(error)

    def _keep_hosts(self, fenced: FencedCalls) -> None:
        """A machine that passed its checks gets work at once, whenever the next pass is due."""
        ledger = self._parts.ledger
        try:
            rows = ledger.open_rows()
            self._work.keep_hosts(ledger.open_rows() if self._let_begin(fenced, rows) else rows)
        except (Unavailable, RowChanged, SpoolUnusable) as error:
            self._parts.tell("trouble", error.message, "")

    def _let_begin(self, fenced: FencedCalls, rows: Sequence[MachineRow]) -> bool:
        """Note which starting machines passed their checks; whether any did. All else waits for a pass."""
        starting = [
            row
            for row in rows
            if row.state == State.RENTED.value and row.token in self._observations.by_token
        ]
        self._work.ask(starting)
        began, now = False, self._parts.clock.now()
        for row, machine in zip(starting, self._machines(starting, listed=True), strict=True):
            found = verdict(machine, None, self._config.policy, now=now, hold=0.0)
            if found is not None and found.event is MachineEvent.PASSED:
                fenced.check()
                self._apply(fenced, row, machine, found)
                began = True
        return began

    def leave(self) -> None:
        """Hand the leases back, keep the machines, give the lock back: the next watcher adopts all of it."""
        self._work.leave()
        self._work.close()
        reign, self._reign = self._reign, None
        with suppress(Unavailable, StaleEpoch):
            if reign is not None:
                self._work.write_down(reign.epoch)
        try:
            self._parts.queue.remove_watcher(self._config.name)
            self._parts.leadership.resign()
        except Unavailable:
            return  # both run out by themselves

    def step(self) -> float:
        """One pass; returns the seconds until the next is due. Trouble of others is told, not raised."""
        intervals = self._config.intervals
        try:
            try:
                fenced = self._lead()
                return intervals.standby_s if fenced is None else self._pass(fenced)
            except (RowChanged, Unavailable) as error:
                self._parts.tell("trouble", error.message, "")
                self._go_on()
                return intervals.period_s
        except (StaleEpoch, NotLeading, LeadershipLost) as error:
            self._abdicate(error)
            return intervals.standby_s

    def _abdicate(self, error: JobRunnerError) -> None:
        self._parts.tell("abdicated", error.message, "")
        self._close_work()
        self._reign = None
        self._begin_anew()

    def _go_on(self) -> None:
        """Jobs on machines that we have go on while the ledger or the provider is away."""
        if self._reign is None:
            return
        try:
            self._reign.check()
            self._work.go_on(claims=not self._draining)
        except (Unavailable, SpoolUnusable) as error:
            self._parts.tell("trouble", error.message, "")

    def _lead(self) -> FencedCalls | None:
        """The term we are in; a new one is opened in the ledger before anything is done in it."""
        epoch = self._parts.leadership.lead(self._parts.ledger.last_epoch() + 1)
        if epoch is None:
            if self._reign is not None:
                raise NotLeading("The lock was lost.")
            return None
        if self._reign is None or self._reign.epoch != epoch:
            self._close_work()
            self._begin_anew()
            self._parts.ledger.open_epoch(Epoch(epoch, self._config.name, self._parts.clock.now()))
            self._reign = FencedCalls(self._parts, self._config, epoch)
            self._work.begin()
            self._parts.tell("leading", f"{self._config.name} leads in epoch {epoch}", "")
        return self._reign

    # --- observe -----------------------------------------------------------------------------------------

    def _pass(self, fenced: FencedCalls) -> float:
        parts, now = self._parts, self._parts.clock.monotonic()
        snapshot = self._snapshot()
        self._work.write_down(fenced.epoch)
        rows = parts.ledger.open_rows()
        self._observations.keep(rows, now)
        snapshot = self._with_due(fenced, snapshot)
        jobs = 1 if snapshot is None else snapshot.waiting + snapshot.pending
        self._acquirer.heed(jobs)
        if snapshot is not None:
            self._gaps.heed(jobs, now)
        # jobs at hand without a row: its end was written, and the answer to that was lost
        held = self._work.held()
        busy = rows or held or self._observations.orphans or (jobs and not self._acquirer.rests_for())
        if not busy and now < self._next_sweep:
            self._accountant.keep(fenced, rows)
            return min(self._config.intervals.idle_s, max(1.0, self._next_sweep - now))
        self._next_sweep = now + self._config.intervals.sweep_s
        listing = self._listing(fenced)
        self._parts.tell("pass", "", "")
        settled = self._work.settled()
        self._do_work(fenced, rows, snapshot)
        if snapshot is not None and self._work.settled() > settled:
            snapshot = self._snapshot()  # what was just finished waits for nobody
        machines = self._machines(rows, listed=listing.complete)
        demand = None
        if snapshot is not None:
            demand = self._work.demand(snapshot, self._acquirer.preemptions())
        self._decide(fenced, rows, machines, demand)
        self._releaser.destroy(fenced, parts.ledger.open_rows())
        self._orphans.destroy(fenced)
        self._rent(fenced, demand, listing, machines)
        self._acquirer.look_around(fenced, demand or Demand(), machines)
        rows = parts.ledger.open_rows()
        self._accountant.keep(fenced, rows)
        return self._pause(rows)

    def _pause(self, rows: Sequence[MachineRow]) -> float:
        """With no machine and no reason to search yet there is nothing to hurry for."""
        intervals = self._config.intervals
        if rows or self._observations.orphans:
            return intervals.period_s
        return min(intervals.idle_s, max(intervals.period_s, self._acquirer.rests_for()))

    def _snapshot(self) -> Snapshot | None:
        try:
            return self._parts.queue.snapshot()
        except Unavailable as error:
            self._parts.tell("trouble", error.message, "")
            return None

    def _with_due(self, fenced: FencedCalls, snapshot: Snapshot | None) -> Snapshot | None:
        """See delayed jobs that are due: a claim makes them wait, and nobody claims without a machine."""
        idle = snapshot is not None and snapshot.delayed and not (snapshot.waiting or snapshot.pending)
        if not idle or self._draining:
            return snapshot
        fenced.check()
        try:
            return self._snapshot() if self._work.stir() else snapshot
        except Unavailable as error:
            self._parts.tell("trouble", error.message, "")
            return snapshot

    def _listing(self, fenced: FencedCalls) -> Listing:
        """The provider's list; one that failed is an incomplete one, from which nothing follows."""
        try:
            listing = fenced.ask(fenced.provider.list)
        except Unavailable as error:
            return Listing((), False, error.message)
        if listing.complete:
            now = self._parts.clock.monotonic()
            strangers = self._observations.listed(listing, self._config.owner, now)
            if self._orphans.judge(strangers, now):
                self._accountant.soon()
        return listing

    def _do_work(self, fenced: FencedCalls, rows: Sequence[MachineRow], snapshot: Snapshot | None) -> None:
        try:
            self._work.keep_hosts(rows)
            self._work.ask(rows)
            fenced.check()
            self._work.do(fenced.term(), snapshot, claims=not self._draining)
        except (Unavailable, SpoolUnusable) as error:
            self._parts.tell("trouble", error.message, "")

    def _machines(self, rows: Sequence[MachineRow], *, listed: bool) -> list[Machine]:
        wall, now = self._parts.clock.now(), self._parts.clock.monotonic()
        return [
            machine_of(
                row,
                self._observations.by_token[row.token],
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
        self,
        fenced: FencedCalls,
        rows: Sequence[MachineRow],
        machines: Sequence[Machine],
        demand: Demand | None,
    ) -> None:
        now, policy = self._parts.clock.now(), self._config.policy
        coming = demand is not None and demand.delayed > 0
        for row, machine in zip(rows, machines, strict=True):
            self._releaser.confirm(fenced, machine)
            cold = self._speeds.cold_start(machine.gpu, policy.boot_s)
            running = self._speeds.running.get(machine.gpu, policy.running_start_s)
            start = start_as_time_s(machine.hourly_micros, machine.fee_micros, cold, running, policy)
            hold = hold_s(start, policy, self._gaps, coming=coming)
            found = verdict(machine, demand, policy, now=now, hold=hold)
            if found is None:
                continue
            after = self._apply(fenced, row, machine, found)
            if (
                found.event is MachineEvent.UNWANTED
                and after.state == State.DRAINING.value
                and not machine.busy
            ):
                self._apply(fenced, after, machine, MachineVerdict(MachineEvent.EMPTY, "drained"))

    def _apply(
        self, fenced: FencedCalls, row: MachineRow, machine: Machine, found: MachineVerdict
    ) -> MachineRow:
        observation = self._observations.by_token[row.token]
        instance = (
            observation.rental.instance if found.event is MachineEvent.FOUND and observation.rental else None
        )
        if found.event is MachineEvent.VANISHED:
            self._accountant.charge(fenced, [row])
            self._accountant.soon()
        after = fenced.move(row, found.event, found.reason, instance=instance)
        self._remember(fenced, row, machine, found)
        if found.event is MachineEvent.PASSED:
            took = self._parts.clock.now() - machine.created_at
            self._speeds.started(machine.gpu, took, machine.running_for)
        if after.state in (State.LEAVING.value, State.GONE.value):
            self._work.abandon(row.token, why=found.reason, lost=found.event in _LOSING)
            if row.instance is not None:
                self._parts.access.forget(row.instance)
        return after

    def _remember(
        self, fenced: FencedCalls, row: MachineRow, machine: Machine, found: MachineVerdict
    ) -> None:
        """What the host did goes to its memory: failures with their reason, and good work."""
        bad = {MachineEvent.FAILED, MachineEvent.SILENT, MachineEvent.STOPPED, MachineEvent.OVERPRICED}
        if found.event is MachineEvent.VANISHED and machine.state is not State.LEAVING:
            fenced.note(row, "vanished", ok=False)
        elif found.event in bad:
            fenced.note(row, found.reason, ok=False)
        elif found.event is MachineEvent.EMPTY and machine.settled:
            fenced.note(row, "worked", ok=True)

    def _rent(
        self, fenced: FencedCalls, demand: Demand | None, listing: Listing, before: Sequence[Machine]
    ) -> None:
        """Rent one machine, if we could see what we had when the pass began and can see it now."""
        if self._draining or demand is None or not demand.waiting:
            return
        rows = self._parts.ledger.open_rows()
        known = [row for row in rows if row.token in self._observations.by_token]
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
        self._acquirer.consider(fenced, demand, machines, orphans=len(self._observations.orphans))
