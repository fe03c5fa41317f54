"""Jobs on rented machines: claim, hand over, take results, renew.

A job whose work is already on a machine, left there by a watcher that crashed, is adopted: the new lease is
tied to the old entry, so nothing is spoken twice. The fence of the queue decides as always.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from job_watcher.renting.ports import Config, Parts, Settled
from job_watcher.renting.reign import Reign
from job_watcher.renting.tracks import Track, Tracks
from lib.errors import Unavailable
from lib.fleet import Demand, Speeds, State
from lib.fleet.filling import jobs_to_hold
from lib.fleet.speeds import blended
from lib.jobqueue import TERMINAL, ErrorClass, Failure, JobState, Lease, LeaseLost, Snapshot
from lib.jobspec import fingerprint, to_payload
from lib.machines.model import MachineRow
from lib.spool import Files, InvalidSpoolData, Phase, SpoolClient, SpoolJob, SpoolUnusable, lease_mark
from lib.storage import StorageUnavailable

_STORE_PAUSE_S = 30.0
_WORKING = frozenset({State.READY.value, State.DRAINING.value})


@dataclass(slots=True)
class Hold:
    """A job on a machine. `entry` is the spool's, of this lease or of an earlier one."""

    token: str
    entry: str
    lease: Lease
    began: bool = False
    retry_at: float = 0.0


class Work:
    """Everything that is leased, by machine."""

    def __init__(self, parts: Parts, config: Config, tracks: Tracks, speeds: Speeds) -> None:
        self._parts, self._config, self._tracks, self._speeds = parts, config, tracks, speeds
        self._holds: dict[str, dict[str, Hold]] = {}
        self._phases: dict[str, dict[str, Phase]] = {}
        self._strays: dict[tuple[str, str], float] = {}
        self._dropped: set[str] = set()
        self._next_renewal = 0.0
        self.audio_s_per_job = config.audio_s_per_job
        self._measured = 0  # jobs that told how long they are

    def busy(self, token: str) -> int:
        """Jobs at hand on a machine."""
        return len(self._holds.get(token, ()))

    def held(self) -> int:
        """Jobs at hand on all machines."""
        return sum(len(holds) for holds in self._holds.values())

    def job_s(self, gpu: str) -> float:
        """Seconds that one job takes on such a machine."""
        return self.audio_s_per_job / self._speed(gpu)

    def _speed(self, gpu: str) -> float:
        return self._speeds.of(self._config.engine, gpu, 1.0, self._config.policy.speed)

    # --- a pass ------------------------------------------------------------------------------------------

    def visit(self, reign: Reign, rows: Iterable[MachineRow]) -> None:
        """Ask each machine how it is; take what is finished. One that does not answer is skipped."""
        for row in rows:
            with contextlib.suppress(Unavailable):  # many slow machines must not cost the others their leases
                self.renew()
            track = self._tracks.by_token[row.token]
            if row.instance is None or row.state not in (State.RENTED.value, *_WORKING):
                continue
            try:
                contact = self._parts.access.look(row.instance, gpu=row.intent.gpu)
                track.answered_at = self._parts.clock.monotonic()
                track.gate = contact.gate
                if row.state in _WORKING:
                    self._tend(reign, row, row.instance, track)
            except (Unavailable, SpoolUnusable):
                continue

    def _tend(self, reign: Reign, row: MachineRow, instance: str, track: Track) -> None:
        files = self._parts.access.files(instance)
        spool = SpoolClient(files)
        phases = self._phases[row.token] = spool.entries()
        holds = self._holds.setdefault(row.token, {})
        for hold in list(holds.values()):
            phase = phases.get(hold.entry)
            if phase is None:
                spool.submit(_spool_job(hold.lease))  # a lost write
                hold.entry = _spool_job(hold.lease).entry
            elif phase is not Phase.INBOX and not hold.began:
                self._begin(hold)
            if phase is Phase.OUTBOX:
                self._settle(reign, row, files, hold, track)
        self._clear_strays(row.token, spool, phases)
        if holds:
            track.idle_since = None
        elif track.idle_since is None:
            track.idle_since = self._parts.clock.monotonic()

    def _begin(self, hold: Hold) -> None:
        try:
            hold.lease = self._parts.queue.begin(hold.lease)
            hold.began = True
        except LeaseLost:
            self._drop(hold)

    def _settle(self, reign: Reign, row: MachineRow, files: Files, hold: Hold, track: Track) -> None:
        now = self._parts.clock.monotonic()
        if now < hold.retry_at or self._holds[row.token].get(hold.lease.request_id) is not hold:
            return
        reign.check()
        try:
            settled = self._parts.settler.settle(files, hold.entry, hold.lease)
        except StorageUnavailable as error:
            if not hold.retry_at:
                self._parts.tell("storage", error.message, row.token)
            hold.retry_at = now + _STORE_PAUSE_S
            return
        except LeaseLost:
            self._forget(hold)
            SpoolClient(files).acknowledge(hold.entry)
            return
        self._learn(row, track, settled)
        self._parts.tell("settled", f"{hold.lease.request_id} is {settled.state.value}", row.token)
        self._forget(hold)
        SpoolClient(files).acknowledge(hold.entry)

    def _learn(self, row: MachineRow, track: Track, settled: Settled) -> None:
        if settled.state is JobState.DONE:
            track.failures, track.settled = 0, track.settled + 1
            self._speeds.measured(self._config.engine, row.intent.gpu, settled.audio_s, settled.worked_s)
            self._measured += 1  # a guess must not outlive the first measurement
            weight = max(0.1, 1 / self._measured)
            self.audio_s_per_job = blended(self.audio_s_per_job, settled.audio_s, weight)
        elif settled.problem:
            track.failures += 1

    def _clear_strays(self, token: str, spool: SpoolClient, phases: dict[str, Phase]) -> None:
        """Entries that no lease of ours stands for: dropped at once when we gave them up, else after two
        leases, when nobody can hold them any more."""
        now = self._parts.clock.monotonic()
        ours = {hold.entry for hold in self._holds.get(token, {}).values()}
        for entry, phase in phases.items():
            if entry in ours:
                continue
            since = self._strays.setdefault((token, entry), now)
            if entry not in self._dropped and now - since < 2 * self._config.lease_ms / 1000:
                continue
            if phase is Phase.OUTBOX:
                spool.acknowledge(entry)
                self._strays.pop((token, entry), None)
            elif not spool.withdraw(entry):
                spool.cancel(entry)

    # --- leases ------------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Renew every lease at a third of its time; let go of those that are lost."""
        now = self._parts.clock.monotonic()
        holds = [hold for machine in self._holds.values() for hold in machine.values()]
        if not holds or now < self._next_renewal:
            return
        lost = self._parts.queue.renew([hold.lease for hold in holds], lease_ms=self._config.lease_ms)
        self._next_renewal = now + self._config.lease_ms / 3000
        tokens = {lease.token for lease in lost}
        for hold in holds:
            if hold.lease.token in tokens:
                self._drop(hold)

    def demand(self, snapshot: Snapshot, preemptions: int = 0) -> Demand:
        """The work there is. What is leased and not by us was handed back, or left by a watcher that died."""
        held = self.held()
        return Demand(
            waiting=max(0, snapshot.waiting + snapshot.pending - held),
            running=held,
            audio_s_per_job=self.audio_s_per_job,
            engine=self._config.engine,
            batch=self._config.batch,
            preemptions=preemptions,
        )

    def claim(self, rows: Sequence[MachineRow], snapshot: Snapshot | None) -> None:
        """Give each machine that is ready and answers as many jobs as it speaks until the next pass."""
        demand = Demand() if snapshot is None else self.demand(snapshot)
        free = {
            row.token: jobs_to_hold(demand, self._speed(row.intent.gpu), self._config.policy)
            - self.busy(row.token)
            for row in rows
            if row.state == State.READY.value and row.token in self._phases and row.instance
        }
        count = sum(max(0, slots) for slots in free.values())
        if not count:
            return
        by_token = {row.token: row for row in rows}
        leases = self._parts.queue.claim(self._config.name, count=count, lease_ms=self._config.lease_ms)
        if leases:
            left = {_digest(entry): (token, entry) for token, entry in self._adoptable(free)}
            for lease in leases:
                self._place(lease, free, left, by_token)

    def stir(self) -> bool:
        """Let delayed jobs that are due become work, with no machine to take them; whether there were any."""
        leases = self._parts.queue.claim(self._config.name, count=1, lease_ms=self._config.lease_ms)
        for lease in leases:
            self._release(lease, "no machine yet")
        return bool(leases)

    def _adoptable(self, free: dict[str, int]) -> Iterable[tuple[str, str]]:
        held = {hold.entry for machine in self._holds.values() for hold in machine.values()}
        for token in free:
            for entry in self._phases.get(token, ()):
                if entry not in held and entry not in self._dropped:
                    yield token, entry

    def _place(
        self,
        lease: Lease,
        free: dict[str, int],
        left: dict[str, tuple[str, str]],
        rows: dict[str, MachineRow],
    ) -> None:
        """Give the lease to the machine that has its work already, else to the one with most room."""
        entry = _spool_job(lease).entry
        adopted = left.get(_digest(entry))
        token, entry = adopted or (max(free, key=lambda name: free[name]), entry)
        if not adopted and free[token] <= 0:
            self._release(lease, "no machine has room")
            return
        free[token] -= 1
        hold = Hold(token, entry, lease)
        self._holds.setdefault(token, {})[lease.request_id] = hold
        self._tracks.by_token[token].idle_since = None
        if adopted:
            self._parts.tell("adopted", f"{lease.request_id} is on the machine already", token)
            return
        instance = rows[token].instance
        assert instance is not None, "only machines that answered have free slots"
        try:
            SpoolClient(self._parts.access.files(instance)).submit(_spool_job(lease))
        except (Unavailable, SpoolUnusable):
            free[token] = 0  # the rest of the pass must not wait for it again
            self._forget(hold)
            self._release(lease, "unreachable")
        except InvalidSpoolData as error:
            self._forget(hold)
            self._fail(lease, Failure(ErrorClass.BAD_INPUT, error.message))

    # --- endings -----------------------------------------------------------------------------------------

    def abandon(self, token: str, *, why: str, lost: bool) -> None:
        """The machine leaves: its jobs go elsewhere at once. `lost` counts against jobs that kill them."""
        for hold in list(self._holds.get(token, {}).values()):
            if lost:
                self._fail(hold.lease, Failure(ErrorClass.LOST_MACHINE, f"The machine was lost: {why}."))
            else:
                self._release(hold.lease, why)
        self._holds.pop(token, None)
        self._phases.pop(token, None)

    def drop_leavers(self, rows: Iterable[MachineRow]) -> None:
        """Give up jobs on machines that work no longer: a crash or a lost reply cut a step short."""
        working = {row.token for row in rows if row.state in _WORKING}
        for token in [token for token, holds in self._holds.items() if holds and token not in working]:
            self.abandon(token, why="its machine left", lost=False)
        self._phases = {token: phases for token, phases in self._phases.items() if token in working}

    def hand_back(self) -> None:
        """Release every lease and leave the work where it is, for the next watcher to adopt."""
        for machine in self._holds.values():
            for hold in machine.values():
                self._release(hold.lease, "drain")
        self._holds.clear()

    def _drop(self, hold: Hold) -> None:
        """The lease is lost. The work of a job that ended stops; other work may yet be adopted."""
        self._forget(hold)
        try:
            record = self._parts.queue.job(hold.lease.request_id)
        except Unavailable:
            return
        if record is None or record.state in TERMINAL:
            self._dropped.add(hold.entry)

    def _forget(self, hold: Hold) -> None:
        self._holds.get(hold.token, {}).pop(hold.lease.request_id, None)

    def _release(self, lease: Lease, why: str) -> None:
        try:
            self._parts.queue.release(lease, why)
        except (LeaseLost, Unavailable):
            return  # the lease runs out by itself

    def _fail(self, lease: Lease, failure: Failure) -> None:
        try:
            self._parts.queue.fail(lease, failure)
        except (LeaseLost, Unavailable):
            return


def _spool_job(lease: Lease) -> SpoolJob:
    work = fingerprint(lease.spec)
    mark = lease_mark(lease.token)
    return SpoolJob(lease.request_id, lease.lease_no, mark, lease.attempt, work, to_payload(lease.spec))


def _digest(entry: str) -> str:
    return entry.partition(".")[0]
