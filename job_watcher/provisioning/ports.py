"""The ports and values of the loop for rented machines. The wiring fills them in; so does a simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from lib.clock import Clock
from lib.dispatch import Dispatcher, Settled
from lib.errors import TryAgain
from lib.fleet import Caps, Offer, Policy, Speeds
from lib.fleet.model import PASS_S
from lib.jobqueue import JobQueue, Lease, Term
from lib.machines.model import MachineRow
from lib.machines.port import Ledger
from lib.providers.rental import Rental, RentalProvider
from lib.spool import Files
from lib.storage import Incoming
from lib.workers import WorkerDeath

LOOK_S: Final = 1.0  # between looks at whether jobs have come or are finished
HASTE_S: Final = 1.2  # between two passes that something has called for
STARTING_S: Final = 1.5  # between passes while a machine comes up: it costs already, and jobs wait


class NotLeading(TryAgain):
    """Another watcher leads, or nobody knows: nothing may be done."""


class Leadership(Protocol):
    """The lock that makes one watcher the leader, with a number that only rises.

    Raises, from every method but `held`:
        Unavailable: the lock's server does not answer.

    Threads: `lead` and `resign` are the loop's; `held` and `term` any, for the queue's guard asks in each.
    """

    def lead(self, at_least: int) -> int | None:
        """Take or keep the lock; the epoch, at least that number, or None while another watcher has it."""
        ...

    def held(self, epoch: int) -> bool:
        """Whether we lead in this epoch now. False whenever that is not certain."""
        ...

    def term(self) -> Term | None:
        """What proves to the queue that we lead; None: we do not."""
        ...

    def resign(self) -> None:
        """Give the lock back, if it is ours."""
        ...


@dataclass(frozen=True, slots=True)
class Contact:
    """What a machine says when asked. `gate`: None while checks go on, "" passed, else what failed."""

    gate: str | None


class MachineAccess(Protocol):
    """Reaches rented machines. Every call is one bounded try.

    Raises, from every method:
        HostUnreachable: no answer.

    Threads: `files` any; the others are the loop's.
    """

    def look(self, row: MachineRow, rental: Rental | None) -> Contact:
        """Ask the machine of a row how it is, and go on with its checks.

        `rental` is what the last listing says of it, with the addresses it is reached by; None: it has not
        been in one.
        """
        ...

    def files(self, instance: str) -> Files:
        """The spool on the machine."""
        ...

    def tend(self, instance: str) -> WorkerDeath | None:
        """Keep its worker going; report each death of one once. Returns at once."""
        ...

    def restart(self, instance: str) -> None:
        """End its worker now; the next `tend` starts another."""
        ...

    def forget(self, instance: str) -> None:
        """Close what is open to a machine that is given back."""
        ...

    def let_go(self) -> None:
        """Close what is open to all machines: another watcher leads, or this process ends."""
        ...


class MarketBoard(Protocol):
    """Shows others what the market was like when the leader last looked.

    Threads: the loop's only.
    Raises: only what `show` says.
    """

    def show(self, offers: Sequence[Offer], speeds: Speeds) -> None:
        """Show the offers that are fit for the work, with what was measured; trouble is told, not raised.

        Raises:
            NotLeading: another watcher leads; nothing was shown.
        """
        ...


#: Hears of each result: the host's name, the lease, where it led.
OnSettled = Callable[[str, Lease, Settled], None]

#: Told about each thing that happens: a kind, a sentence, the machine's token or "".
Tell = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class ProvisioningIntervals:
    """When the loop does what; seconds."""

    period_s: float = PASS_S
    idle_s: float = 30.0  # at most a third of the lock's time
    standby_s: float = 20.0
    sweep_s: float = 300.0
    charge_s: float = 60.0
    bill_s: float = 600.0
    search_s: float = 12.0
    fruitless_s: float = 60.0  # after a search that found nothing to rent; doubled up to the next
    longest_rest_s: float = 300.0
    market_s: float = 900.0  # between looks at the market while there is nothing to rent for


@dataclass(frozen=True, slots=True)
class Config:
    """Who we are and how we behave. `owner` is the deployment, `name` this process.

    `wanted` ends the sentence "the provider offers nothing", with what was asked for.
    """

    owner: str
    name: str
    policy: Policy = field(default_factory=Policy)
    caps: Caps = field(default_factory=Caps)
    intervals: ProvisioningIntervals = field(default_factory=ProvisioningIntervals)
    lease_ms: int = 180_000
    engine: str = "hibari"
    audio_s_per_job: float = 30.0  # until jobs were measured
    wanted: str = ""


@dataclass(slots=True)
class ProvisioningParts:
    """Everything the loop for rented machines works with; filled in by the wiring, or by a test.

    Threads: any may read, nobody writes once the loop is made.
    Raises: nothing.
    """

    queue: JobQueue
    ledger: Ledger
    provider: RentalProvider
    access: MachineAccess
    make_dispatcher: Callable[[OnSettled], Dispatcher]  # one for each term, over the queue of this process
    leadership: Leadership
    clock: Clock
    new_token: Callable[[], str]
    tell: Tell
    market: MarketBoard | None = None  # None: nobody asks
    incoming: Incoming | None = None  # where machines put their last words; None: the store takes none
