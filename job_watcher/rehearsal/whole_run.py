"""A whole batch at the fake Vast: rented, spoken over real SSH, destroyed, billed; with faults to order."""

from __future__ import annotations

import platform
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from job_watcher.rehearsal.bill_and_ledger import BillAndLedger
from job_watcher.rehearsal.onlooker import Onlooker, Stoppable, tell
from job_watcher.rehearsal.ordered_faults import OrderedFault
from job_watcher.rehearsal.vast import FakeVast, RehearsalBill
from job_watcher.rehearsal.vast.instances import RentedInstance
from lib import bundle
from lib.errors import JobRunnerError
from lib.jobqueue import JobQueue, JobState
from lib.jobspec import JobSpec
from lib.machines.labels import own_label
from lib.providers.rental import RentalProvider
from lib.voices import engine_facts

_ROOT: Final = Path(__file__).parents[2]
_GONE_S: Final = 20.0
_LIBC: Final = ("glibc", (2, 17))  # which one makes no difference to versions


class RehearsedWatcher(Stoppable, Protocol):
    """What a rehearsal needs of a watcher.

    Threads: one; `drain` any.
    Raises: as `Runs`.
    """

    def run_once(self) -> int:
        """Work until nothing is left."""
        ...


def programs_of_image(folder: Path) -> Path:
    """An environment with this installation's programs, as a real image has one; its voice-synth."""
    place = folder / "image"
    venv.create(place, symlinks=True, with_pip=False)
    (site,) = place.glob("lib/python*/site-packages")
    shared = [str(_ROOT), *(path for path in sys.path if path.endswith("-packages"))]
    (site / "shared.pth").write_text("".join(f"{path}\n" for path in dict.fromkeys(shared)))
    program = place / "bin" / "voice-synth"
    program.write_text(f"#!{program.parent / 'python'}\nfrom synth.main import main\n\nmain()\n")
    program.chmod(0o755)
    return program


def is_as_pinned(engine: str) -> bool:
    """Whether the packages here are those that machines get: an environment with others is not used there."""
    requirements = bundle.requirements_text(engine_facts(engine).requirements)
    return bundle.is_as_pinned(requirements, bundle.Target(sys.version_info[:2], platform.machine(), *_LIBC))


@dataclass(frozen=True, slots=True)
class RentalCost:
    """One rental on the bill: what it was, how long it was paid for, and dollars."""

    instance: int
    gpu: str
    interruptible: bool
    seconds: float
    gpu_dollars: float
    disk_dollars: float
    traffic_dollars: float

    @property
    def dollars(self) -> float:
        """All of it."""
        return self.gpu_dollars + self.disk_dollars + self.traffic_dollars

    def to_json(self) -> dict[str, Any]:
        """An item of `rentals`."""
        return {
            "instance": str(self.instance),
            "gpu": self.gpu,
            "interruptible": self.interruptible,
            "seconds": round(self.seconds, 1),
            "usd": _dollars(self.dollars),
            "gpu_usd": _dollars(self.gpu_dollars),
            "disk_usd": _dollars(self.disk_dollars),
            "traffic_usd": _dollars(self.traffic_dollars),
        }


@dataclass(frozen=True, slots=True)
class RehearsalOutcome:
    """What came of it. Money is the dollars that it would have cost. `error` ended it before its end."""

    jobs: int
    done: int
    failed: int
    rentals: tuple[RentalCost, ...]
    left: int  # machines that still live: a forgotten one
    faults: tuple[str, ...]
    first_audio_s: float | None
    seconds: float
    audio: Path | None = None
    error: JobRunnerError | None = None
    ledger: BillAndLedger | None = None  # None: nobody compared them
    missed: tuple[str, ...] = ()  # faults that were ordered for a time after all was over

    @property
    def ok(self) -> bool:
        """Whether all is spoken and nothing is forgotten."""
        return self.done == self.jobs and self.left == 0

    @property
    def dollars(self) -> float:
        """The whole bill."""
        return sum(each.dollars for each in self.rentals)

    def to_json(self) -> dict[str, Any]:
        """The last line of `rehearse --json`."""
        first = self.first_audio_s
        return {
            "event": "rehearsed",
            "jobs": self.jobs,
            "done": self.done,
            "failed": self.failed,
            "machines": len(self.rentals),
            "left": self.left,
            "usd": _dollars(self.dollars),
            "rentals": [each.to_json() for each in self.rentals],
            "ledger": None if self.ledger is None else self.ledger.to_json(),
            "faults": list(self.faults),
            "faults_missed": list(self.missed),
            "first_audio_seconds": None if first is None else round(first, 1),
            "seconds": round(self.seconds, 1),
            "audio": None if self.audio is None else str(self.audio),
            "trouble": None if self.error is None else self.error.message,
        }


def _dollars(amount: float) -> str:
    return f"{amount:.6f}"


@dataclass(frozen=True, slots=True)
class RehearsedAccount:
    """The fake, and the provider through which our deployment `owner` sees it."""

    fake: FakeVast
    provider: RentalProvider
    owner: str


def rehearse(
    specs: Sequence[JobSpec],
    company: RehearsedAccount,
    queue: JobQueue,
    watcher: RehearsedWatcher,
    faults: Sequence[OrderedFault],
    limit_s: float,
) -> RehearsalOutcome:
    """Enqueue, and let the watcher work until all jobs ended and every machine is destroyed.

    However it ends, nothing is left at the company. What the watcher raises is in the outcome.
    """
    error: JobRunnerError | None = None
    queue.enqueue(specs)
    eye = Onlooker([spec.request_id for spec in specs], company.fake, queue, watcher, faults, limit_s=limit_s)
    eye.start()
    try:
        watcher.run_once()
    except JobRunnerError as raised:
        error = raised
    finally:
        end_rentals(company)
        seconds = eye.stop()
    return RehearsalOutcome(
        jobs=len(specs),
        done=eye.count(JobState.DONE),
        failed=eye.count(JobState.FAILED),
        rentals=rentals_of(company.fake),
        left=len(company.fake.living()),
        faults=tuple(eye.happened),
        missed=eye.missed,
        first_audio_s=eye.first_audio_s,
        seconds=seconds,
        error=error,
    )


def end_rentals(company: RehearsedAccount) -> None:
    """Destroy what carries our label, as `sweep` does once its time is over: nobody comes back to it."""
    company.fake.faults.clear()  # the company is well again
    try:
        for rental in company.provider.list().rentals:
            if own_label(rental.label, company.owner) is not None:
                company.provider.destroy(rental.instance)
    except JobRunnerError as error:
        tell(f"not everything could be destroyed: {error.message}", "trouble", reason=error.message)
    company.fake.wait_for(lambda fake: not fake.living(), timeout_s=_GONE_S)


def rentals_of(fake: FakeVast) -> tuple[RentalCost, ...]:
    """The bill, by rental."""
    bill, now = fake.bill(), fake.clock.now()
    return tuple(_rental(each, bill, now) for each in fake.instances())


def _rental(instance: RentedInstance, bill: RehearsalBill, now: float) -> RentalCost:
    parts = {"gpu": 0.0, "disk": 0.0}
    traffic = 0.0
    for amount in bill.amounts:
        if amount.instance != instance.id:
            continue
        if amount.kind in parts:
            parts[amount.kind] += amount.amount
        else:
            traffic += amount.amount
    ended = now if instance.destroyed_at is None else instance.destroyed_at
    return RentalCost(
        instance.id,
        instance.host.gpu_name,
        instance.is_bid,
        ended - instance.created_at,
        parts["gpu"],
        parts["disk"],
        traffic,
    )
