"""What the ledger of rented machines holds: frozen, plain, free of any database type.

Times are seconds since the epoch. Money is whole micro-dollars (a millionth of a US dollar) so that sums
are exact in every adapter. A row's `state` is a plain word: which states there are, and which follows which,
is decided by the caller's transition table; the ledger keeps the word, its history and who may write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Category(StrEnum):
    """What money was spent on."""

    COMPUTE = "compute"  # the GPU's time, useful or not
    STORAGE = "storage"  # the disk's time, stopped or not
    BANDWIDTH = "bandwidth"  # bytes in and out
    ADJUSTMENT = "adjustment"  # our own count of time that no bill covers yet


@dataclass(frozen=True, slots=True)
class Intent:
    """What we are about to rent, written down before the provider is asked.

    `token` is unique for ever: it stands in the machine's label, so that the machine is recognised whatever
    happened to the reply. `fee_micros` is paid once (downloads), `hourly_micros` until `expires_at`, when the
    machine ends itself at the latest: these three are the reservation.
    """

    token: str
    epoch: int
    provider: str
    offer_id: str
    machine_id: str  # the provider's id of the physical machine, for remembering it
    host_id: str  # the provider's id of its owner
    gpu: str
    interruptible: bool
    hourly_micros: int
    fee_micros: int
    created_at: float
    expires_at: float
    label: str
    batch: str = ""  # whom the money is spent for; empty: nobody in particular
    why: str = ""  # a sentence for people


@dataclass(frozen=True, slots=True)
class MachineKey:
    """How a machine is logged in to, and known by: kept until it is gone, so that any leader reaches it.

    `private` is an OpenSSH private key, good for this machine alone; `host_key` a line of its public key, ""
    until it was seen.
    """

    private: str = field(repr=False)
    host_key: str = ""


@dataclass(frozen=True, slots=True)
class MachineRow:
    """An intent and what became of it. `closed_at` is set exactly when we are sure to pay no longer."""

    intent: Intent
    state: str
    since: float  # when it entered that state
    version: int  # rises with every change
    epoch: int  # of the leader that wrote it last
    instance: str | None = None  # the provider's id of the rental, once known
    reason: str = ""  # why it is in that state
    closed_at: float | None = None

    @property
    def token(self) -> str:
        """The intent's token: the row's key."""
        return self.intent.token


@dataclass(frozen=True, slots=True)
class Change:
    """One transition of one row. Nothing is written unless the row still has `version`.

    `closed` says that the machine is gone for certain: its reservation ends. None leaves a field as it is.
    """

    token: str
    version: int
    epoch: int
    state: str
    event: str  # the edge's name: "rented", "fell silent"...
    at: float
    reason: str = ""
    instance: str | None = None
    hourly_micros: int | None = None  # the price seen on the rental itself
    closed: bool = False


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One line of a machine's life."""

    token: str
    version: int
    at: float
    epoch: int
    event: str
    state: str  # the state it led to
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """What one machine cost in one hour for one category: a total, not a difference.

    Written again it replaces the earlier total, so repeating a charge after a crash counts once.
    """

    token: str
    category: Category
    hour: int  # hours since the epoch: int(time // 3600)
    micros: int


@dataclass(frozen=True, slots=True)
class FinishedWork:
    """One job that a machine finished, or failed at: then `audio_ms` is 0.

    `work_ms` is how long it took there, by the machine's own word; `at` when its result was taken in,
    `audio_ms` how long the audio is, all takes counted; `batch` the job's own, "" for one that names none.
    """

    token: str
    request_id: str
    lease_no: int
    batch: str
    at: float
    work_ms: int
    audio_ms: int


@dataclass(frozen=True, slots=True)
class PaidMachines:
    """What was paid over a stretch of hours, to whom and for what, as one transaction saw it.

    `rows` holds the machines, open and closed, in the order they were planned; `charges` only the totals of
    those hours, by machine, hour and category; `events` the whole life of each machine, `work` all that it
    finished, by machine and time.
    """

    rows: tuple[MachineRow, ...] = ()
    charges: tuple[Charge, ...] = ()
    events: tuple[HistoryEvent, ...] = ()
    work: tuple[FinishedWork, ...] = ()


@dataclass(frozen=True, slots=True)
class HostNote:
    """One failure or one piece of good work (`ok`) of a physical machine; `reason` is a code."""

    provider: str
    machine_id: str
    host_id: str
    reason: str
    ok: bool
    at: float
    token: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """The money side of the ledger at one moment, as one transaction saw it.

    `spent_by_hour` holds the charges of all machines by hour since the epoch, for the hours asked for.
    `spent_by_machine` holds the charges of every open machine, `spent_by_batch` those of every batch that
    was asked for. `open` holds the rows that still reserve money.
    """

    open: tuple[MachineRow, ...] = ()
    spent_by_hour: Mapping[int, int] = field(default_factory=dict)
    spent_by_machine: Mapping[str, int] = field(default_factory=dict)
    spent_by_batch: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One leader's term."""

    number: int
    owner: str
    began_at: float
