"""The loop that rents, with the real adapter and Vast's own client, in front of the fake Vast.

Time is the fake's: it stands still but for what the loop waits. Machines are fast ones without a server; what
only a real machine can show is tried in `test_rows_on_machines`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from job_watcher.provisioning.adapters import leaders_queue
from job_watcher.provisioning.ports import Config, Contact, OnSettled, ProvisioningParts
from job_watcher.provisioning.reconcile import Reconciler
from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer, Mishap, RehearsalClock
from job_watcher.rehearsal.vast.instances import RentedInstance
from job_watcher.rehearsal.vast.request_log import JournalEntry
from job_watcher.simulation.fault_schedule import Crash
from job_watcher.simulation.files import MemoryFiles
from job_watcher.simulation.machine import Character, SimMachine
from job_watcher.simulation.network import Tripwire
from lib import dispatch
from lib.dispatch import Dispatcher, MemoryJournal, StorageDelivery
from lib.fleet import Caps, Policy
from lib.jobqueue import JobQueue, JobState, QueueOptions, Term
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobspec import JobSpec, normalize_job_spec
from lib.machines.labels import parse_label
from lib.machines.memory import MemoryLedger
from lib.machines.model import MachineRow
from lib.machines.port import Ledger
from lib.providers.rental import Rental, RentalProvider
from lib.providers.vast.asks import Wanted
from lib.spool import Files, HostUnreachable
from lib.storage.memory import MemoryStorage
from tests.integration.vast.adapter import provider_of
from tests.integration.vast.fake_vast import IMAGE, START, push

T = TypeVar("T")

OWNER = "catalogue"
LEASE_MS = 180_000
DAY = 86_400.0
#: One machine at a time, given back at once, with a fixed price: what a row needs beside it says itself.
POLICY = Policy(max_machines=1, idle_hold_s=0.0, interruptible=False)
WANTED = Wanted(IMAGE, 40, download_gb=0.5)
#: What one may be asked of the account; anything else would be a way that the catalogue warns of.
CALLS = {"search", "create", "list", "show", "destroy", "user", "charges"}
BOOT = Conduct(null_s=2.0, created_s=1.0, loading_s=20.0, ssh_after_s=3.0)


def host(number: int, dph: float = 0.30, **more: Any) -> HostOffer:
    """A host that is good as far as one can see; the lower its price, the sooner it is taken."""
    facts: dict[str, Any] = {"dph_base": dph, "min_bid": dph / 2, "conduct": BOOT} | more
    return HostOffer(number, **facts)


def behaving(number: int, dph: float = 0.30, **conduct: Any) -> HostOffer:
    """A host whose machines behave in that way."""
    return host(number, dph, conduct=replace(BOOT, **conduct))


def hosts(count: int = 2) -> list[HostOffer]:
    """Good ones, the cheapest first."""
    return [host(number, 0.20 + number / 20) for number in range(1, count + 1)]


def first_quick(values: Iterable[T]) -> list[object]:
    """Values of which the quick suite tries the first; the others are for `make soak`."""
    first, *others = values
    return [first, *(pytest.param(other, marks=pytest.mark.soak) for other in others)]


def jobs(count: int, sentences: int = 6, first: int = 0) -> list[JobSpec]:
    """Jobs of some three seconds of audio a sentence."""
    text = "A sentence that is spoken on a machine far away. " * sentences
    return [
        normalize_job_spec({"output_name": f"far/beat-{index:03d}", "speaker": "Ryan", "text": text})
        for index in range(first, first + count)
    ]


@dataclass(frozen=True, slots=True)
class Told:
    """What the loop said, and when (seconds from the beginning)."""

    at: float
    kind: str
    text: str


class Term1:
    """Leadership of a watcher that nobody contends with; each new one leads in a new epoch."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.epoch: int | None = None

    def lead(self, at_least: int) -> int | None:
        self.epoch = self.epoch or at_least
        return self.epoch

    def held(self, epoch: int) -> bool:
        return epoch == self.epoch

    def term(self) -> Term | None:
        return None if self.epoch is None else Term(self.epoch, self._name)

    def resign(self) -> None:
        self.epoch = None


class FastMachines:
    """The way to the fake's machines, which speak by the simulation's rules where Vast's doors are open."""

    def __init__(self, vast: FakeVast) -> None:
        self._vast = vast
        self._inside: dict[int, SimMachine] = {}
        self._addressed: set[str] = set()

    def look(self, row: MachineRow, rental: Rental | None) -> Contact:
        if rental is not None and rental.endpoints:
            self._addressed.add(rental.instance)
        if row.instance not in self._addressed:
            raise HostUnreachable(f"No list has said yet where {row.instance} is reached.")
        found = self._instance(row.instance or "")
        shown = found.host.conduct.gpu_shown
        self._machine(found)
        if Mishap.GPU_GONE in found.troubles:
            return Contact("gpu_gone")
        return Contact("" if shown is None else "wrong_gpu" if shown else "no_gpu")

    def files(self, instance: str) -> Files:
        def before() -> None:
            self._machine(self._instance(instance))

        files = MemoryFiles(before)
        files.folders = self._machine(self._instance(instance)).files.folders
        return files

    def tend(self, instance: str) -> None:
        return None

    def restart(self, instance: str) -> None:
        return None

    def forget(self, instance: str) -> None:
        return None

    def let_go(self) -> None:
        return None

    def _instance(self, instance: str) -> RentedInstance:
        for found in self._vast.instances():
            if str(found.id) == instance and found.destroyed_at is None and any(found.doors()):
                return found
        raise HostUnreachable(f"Nobody answers at {instance}.")

    def _machine(self, found: RentedInstance) -> SimMachine:
        now = self._vast.clock.now()
        made = self._inside.get(found.id)
        if made is None:
            made = SimMachine(Character.GOOD, speed=0.5, answers_at=now, engine="hibari")
            self._inside[found.id] = made
        made.look(now)
        return made


class TrippedProvider(Tripwire):
    """The adapter, with a boundary before and after each call."""

    name = "vast"


class Office:
    """A market, an account, a queue, a ledger and a watcher that rents; `open_anew` has another follow it."""

    def __init__(
        self,
        offers: Sequence[HostOffer],
        *,
        credit: float = 25.0,
        policy: Policy = POLICY,
        caps: Caps | None = None,
        wanted: Wanted = WANTED,
    ) -> None:
        self.vast = FakeVast(None, clock=RehearsalClock(speed=0, start=START), offers=offers, credit=credit)
        self._policy, self._caps, self._wanted = policy, caps or Caps(), wanted
        self.queue = MemoryQueue(QueueOptions(lease_ms=LEASE_MS), now_ms=self._now_ms)
        self.ledger = MemoryLedger()
        self.storage = MemoryStorage(signs=False)
        self.machines = FastMachines(self.vast)
        self.story: list[Told] = []
        self._tokens = 0
        self._watchers = 0
        self.specs: list[JobSpec] = []
        self.trip: Callable[[str], None] = lambda step: None  # told of each boundary; may end the process
        self.crashes = 0
        self.loop = self._watcher()

    def close(self) -> None:
        """End the fake."""
        self.vast.close()

    def _now_ms(self) -> int:
        return round(self.vast.clock.now() * 1000)

    def seconds(self) -> float:
        """Since the beginning."""
        return self.vast.clock.now() - START

    # --- the watcher -------------------------------------------------------------------------------------

    def open_anew(self, ledger: MemoryLedger | None = None) -> None:
        """The process is gone, as after SIGKILL; another begins with an empty memory."""
        self.ledger = ledger or self.ledger
        self.loop = self._watcher()

    def _watcher(self) -> Reconciler:
        self._watchers += 1
        name = f"watcher-{self._watchers}"
        term = Term1(name)
        guarded = leaders_queue(self.queue, term, term)
        queue = cast(JobQueue, Tripwire(guarded, "queue", self._reached))
        provider = provider_of(self.vast, wanted=self._wanted)
        parts = ProvisioningParts(
            queue=queue,
            ledger=cast(Ledger, Tripwire(self.ledger, "ledger", self._reached)),
            provider=cast(RentalProvider, TrippedProvider(provider, "provider", self._reached)),
            access=self.machines,
            make_dispatcher=lambda heard: self._dispatcher(name, queue, heard),
            leadership=term,
            clock=self.vast.clock,
            new_token=self._new_token,
            tell=self._tell,
        )
        config = Config(OWNER, name, self._policy, self._caps, lease_ms=LEASE_MS)
        return Reconciler(parts, config)

    def _dispatcher(self, name: str, queue: JobQueue, heard: OnSettled) -> Dispatcher:
        scratch = Path("/nonexistent")  # the memory store takes what it is given
        return Dispatcher(
            dispatch.DispatchParts(
                name=name,
                provider="vast",
                queue=queue,
                delivery=StorageDelivery(
                    self.storage, provider="vast", scratch=scratch, clock=self.vast.clock
                ),
                journal=MemoryJournal(),
                clock=self.vast.clock,
                limits=dispatch.DispatchLimits(lease_ms=LEASE_MS),
                tell=self._tell,
                on_settled=heard,
            )
        )

    def _reached(self, step: str) -> None:
        self.trip(step)

    def _new_token(self) -> str:
        self._tokens += 1
        return f"token-{self._tokens:010d}"

    def _tell(self, kind: str, text: str, token: str) -> None:
        if kind != "pass":
            self.story.append(Told(self.seconds(), kind, text))

    # --- what happens ------------------------------------------------------------------------------------

    def work(self, count: int = 1, sentences: int = 6) -> None:
        """Enqueue some more jobs."""
        more = jobs(count, sentences, len(self.specs))
        self.specs += more
        self.queue.enqueue(more)

    def live(self, seconds: float, until: Callable[[], object] = lambda: False) -> bool:
        """Let the watcher work for so long, or until that holds after a pass; whether it came to hold."""
        end = self.seconds() + seconds
        while self.seconds() < end:
            try:
                pause = self.loop.step()
            except Crash:  # as SIGKILL does: nothing of it is run any more, and a supervisor starts another
                self.crashes += 1
                self.open_anew()
                pause = 5.0
            if until():
                return True
            push(self.vast, pause)
        return False

    def until(self, what: str, condition: Callable[[], object], limit_s: float = 3600.0) -> None:
        """Let it work until that holds; it must, within the time."""
        assert self.live(limit_s, condition), (what, self.tail())

    def finish(self, limit_s: float = 3 * 3600.0) -> None:
        """Until every job is settled and no machine is left."""
        self.until("all over", self._is_over, limit_s)

    def _is_over(self) -> bool:
        shot = self.queue.snapshot()
        return not (shot.waiting + shot.pending) and not self.ledger.open_rows() and not self.own_living()

    def tail(self) -> list[str]:
        """The end of the story."""
        return [f"{told.at:.0f}s {told.kind}: {told.text}" for told in self.story[-25:]]

    # --- what is to be seen ------------------------------------------------------------------------------

    def told(self, kind: str) -> list[Told]:
        """What was told of that kind."""
        return [told for told in self.story if told.kind == kind]

    def calls(self, route: str) -> list[JournalEntry]:
        """The requests to a route."""
        return self.vast.journal.entries(route)

    def rentals(self) -> list[RentedInstance]:
        """Every rental of ours that there ever was, oldest first."""
        return [each for each in self.vast.instances() if _is_ours(each)]

    def rented_hosts(self) -> list[int]:
        """The machines that were rented, in their order."""
        return [each.host.machine_id for each in self.rentals()]

    def own_living(self) -> list[RentedInstance]:
        """Those of ours that are not destroyed."""
        return [each for each in self.rentals() if each.destroyed_at is None]

    def instance(self) -> RentedInstance:
        """The one that is alive."""
        (found,) = self.own_living()
        return found

    def working(self) -> bool:
        """Whether a job was handed to a machine, and is spoken there."""
        return self.loop.held > 0 and self.queue.snapshot().pending > 0

    def notes(self) -> list[tuple[str, str, bool]]:
        """What is remembered of hosts."""
        return [(note.machine_id, note.reason, note.ok) for note in self.ledger.host_notes(0.0)]

    def check(self, *, cents: float = 5.0) -> None:
        """What holds at the end of every row: work done once, nothing left, and books that equal the bill."""
        self.check_gone(cents=cents)
        done = [self.queue.result(spec.request_id) for spec in self.specs]
        assert all(found is not None and found.state is JobState.DONE for found in done), self.tail()
        names = [f"{spec.output_name}.{spec.format}" for spec in self.specs]
        assert [name for name in names if not self.storage.published(name)] == []
        kinds = [event.kind for event in self.queue.follow_events("0", count=10_000)]
        assert kinds.count("done") == len(self.specs)

    def check_gone(self, *, cents: float = 5.0) -> None:
        """The same without the work: no rental, no cent by the hour, no call that nobody should make."""
        assert self.own_living() == []
        assert self.vast.billing() == [each.id for each in self.vast.instances() if _bills(each)]
        assert self.ledger.open_rows() == []
        asked = {entry.route for entry in self.vast.journal.entries() if entry.key == "account"}
        assert asked <= CALLS
        assert self.vast.journal.find(self.vast.api_key) == []
        assert 100 * self._our_bill_usd() <= cents, self.vast.bill().amounts
        self._check_books()

    def _our_bill_usd(self) -> float:
        ours = {each.id for each in self.rentals()}
        return sum(each.amount for each in self.vast.bill().amounts if each.instance in ours)

    def _check_books(self) -> None:
        """Two days later the last charges have come, and the ledger says what the bill says."""
        self.vast.faults.clear()
        rented = {label.token for each in self.rentals() if (label := parse_label(each.label)) is not None}
        push(self.vast, 2 * DAY)
        self.live(1300.0)
        billed: dict[str, float] = {}
        for amount in self.vast.bill().amounts:
            label = parse_label(amount.label)
            if label is None or label.owner != OWNER or label.token not in rented:
                continue
            if self.ledger.row(label.token) is not None:
                billed[label.token] = billed.get(label.token, 0.0) + amount.amount * 1_000_000
        for token, micros in billed.items():
            ours = sum(charge.micros for charge in self.ledger.charges(token))
            assert abs(ours - micros) <= 5, (token, ours, micros)


def _is_ours(instance: RentedInstance) -> bool:
    label = parse_label(instance.label)
    return label is not None and label.owner == OWNER


def _bills(instance: RentedInstance) -> bool:
    """A stranger's, which we leave alone."""
    return not _is_ours(instance) and instance.destroyed_at is None
