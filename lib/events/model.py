"""What happens to jobs, machines and the watcher, as typed values: one class for each transition.

Each tells itself twice: `to_json` for programs, `sentence` for people. Names of events and fields are those
of docs/reference/json/job-watcher-run.json. Durations are seconds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleEvent:
    """Something that happened once. `epoch` is the leader's, where one leads."""

    name: ClassVar[str]
    epoch: int | None = None

    @property
    def level(self) -> int:
        """How loudly logs tell it."""
        return logging.INFO

    def sentence(self) -> str:
        """It in words, for people."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The event's name, and each field that has a value."""
        told = (item.name for item in fields(self) if item.metadata.get("told", True))
        values = {name: getattr(self, name) for name in told}
        return {
            "event": self.name,
            **{key: value for key, value in values.items() if value not in (None, "")},
        }


# --- jobs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTransition(LifecycleEvent):
    """A job went on under a lease. `host` is its worker's name, `machine` where that runs.

    `identity` tells the lease from one of the same number that the job had before it was forgotten.
    """

    request_id: str
    lease_no: int
    attempt: int
    host: str
    machine: str = ""
    identity: str = field(default="", metadata={"told": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobClaimed(JobTransition):
    """It was leased and given to a host."""

    name: ClassVar[str] = "claimed"

    def sentence(self) -> str:
        """It in words."""
        return f"claimed {self.request_id} (lease {self.lease_no}) for {self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAdopted(JobTransition):
    """Work that had begun under another watcher, or another lease, goes on under this one."""

    name: ClassVar[str] = "adopted"

    def sentence(self) -> str:
        """It in words."""
        return f"{self.request_id} goes on under lease {self.lease_no}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBegun(JobTransition):
    """A worker took it up."""

    name: ClassVar[str] = "begun"

    def sentence(self) -> str:
        """It in words."""
        return f"{self.request_id} has begun (attempt {self.attempt})"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReleased(JobTransition):
    """It was handed back to the queue and costs no attempt."""

    name: ClassVar[str] = "released"
    reason: str

    def sentence(self) -> str:
        """It in words."""
        return f"{self.request_id} is handed back: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLeaseLost(JobTransition):
    """The queue gave it to somebody else, or it was canceled."""

    name: ClassVar[str] = "lost"

    @property
    def level(self) -> int:
        """A warning: work is thrown away."""
        return logging.WARNING

    def sentence(self) -> str:
        """It in words."""
        return f"lost the lease of {self.request_id}, its work stops here"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome(JobTransition):
    """An attempt ended; `name` is the state that the job is in now, `reason` why it is no good one."""

    reason: str = ""
    error_class: str = ""

    @property
    def level(self) -> int:
        """A warning where something is wrong."""
        return logging.WARNING if self.reason else logging.INFO

    def sentence(self) -> str:
        """It in words."""
        tail = f": {self.reason}" if self.reason else ""
        return f"{self.request_id} is {self.name} (attempt {self.attempt}){tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDone(JobOutcome):
    """Its audio is stored and recorded. `audio_seconds` counts all takes, `work_seconds` what they took.

    `pieces_spoken` counts those that were said again, too; `pieces_broken` of them were found wrong.
    """

    name: ClassVar[str] = "done"
    output_name: str = ""
    audio_seconds: float = 0.0
    work_seconds: float = 0.0
    engine: str = ""  # of speech
    voice: str = ""
    pieces_spoken: int = 0
    pieces_broken: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailure(JobOutcome):
    """It failed for good."""

    name: ClassVar[str] = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDelayed(JobOutcome):
    """The attempt failed; another one follows after a pause."""

    name: ClassVar[str] = "delayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequeued(JobOutcome):
    """The attempt failed; another one may follow at once."""

    name: ClassVar[str] = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWithdrawn(JobOutcome):
    """It was canceled."""

    name: ClassVar[str] = "canceled"


#: By the state that a job is in after an attempt.
OUTCOMES: dict[str, type[JobOutcome]] = {
    kind.name: kind for kind in (JobDone, JobFailure, JobDelayed, JobRequeued, JobWithdrawn)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRefused(JobTransition):
    """Finished audio could not be stored; it is tried again, and costs no attempt."""

    name: ClassVar[str] = "storage_refused"
    reason: str
    pause_seconds: float

    @property
    def level(self) -> int:
        """An error: somebody must mend the store."""
        return logging.ERROR

    def sentence(self) -> str:
        """It in words."""
        pause = f"next try in {self.pause_seconds:.0f} s"
        return f"{self.request_id} is finished but not stored, {pause}: {self.reason}"


#: Changes of a rented machine that somebody may want to know of.
_COSTLY = frozenset(
    {"failed", "silent", "stopped", "half_rented", "unclear", "overpriced", "overdue", "stuck"}
)


# --- machines and money ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineTransition(LifecycleEvent):
    """A machine came, went, or goes wrong. `machine` is its name, or the token of its row in the ledger."""

    machine: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineAdded(MachineTransition):
    """It is given work from now on."""

    name: ClassVar[str] = "machine_added"

    def sentence(self) -> str:
        """It in words."""
        return f"{self.machine} is used from now on"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineReady(MachineTransition):
    """It passed its checks, and its workers take jobs."""

    name: ClassVar[str] = "ready"
    workers: int

    def sentence(self) -> str:
        """It in words."""
        return f"{self.machine} is ready with {self.workers} workers"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineLeftOut(MachineTransition):
    """It cannot be used, and is tried again later. `reason` is the check's code, `trouble` a sentence."""

    name: ClassVar[str] = "left_out"
    trouble: str = field(metadata={"told": False})

    @property
    def level(self) -> int:
        """A warning."""
        return logging.WARNING

    def sentence(self) -> str:
        """It in words."""
        return f"{self.machine} is left out ({self.reason}): {self.trouble}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRemoved(MachineTransition):
    """It is used no more."""

    name: ClassVar[str] = "machine_removed"

    def sentence(self) -> str:
        """It in words."""
        return f"{self.machine} is used no more: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineLost(MachineTransition):
    """It went away, or broke, while it may have had work."""

    name: ClassVar[str] = "machine_lost"

    @property
    def level(self) -> int:
        """A warning."""
        return logging.WARNING

    def sentence(self) -> str:
        """It in words."""
        return f"{self.machine} is lost: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RentedMachineMoved(MachineTransition):
    """A rented machine went on in its life. `change` is the edge's name in the ledger, or planned, stuck."""

    name: ClassVar[str] = "machine_moved"
    change: str

    @property
    def level(self) -> int:
        """A warning where money may be lost."""
        return logging.WARNING if self.change in _COSTLY else logging.INFO

    def sentence(self) -> str:
        """It in words."""
        return f"machine {self.machine}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanFound(MachineTransition):
    """A machine carries our label and stands in no open row: it was destroyed."""

    name: ClassVar[str] = "orphan"

    @property
    def level(self) -> int:
        """A warning: it cost money for nothing."""
        return logging.WARNING

    def sentence(self) -> str:
        """It in words."""
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReached(LifecycleEvent):
    """A cap or the credit's floor keeps a machine from being rented.

    `kind` is "cap", "credit", or "batch_cap": the cap of one batch, beside which others are rented for.
    """

    name: ClassVar[str] = "budget"
    kind: str
    reason: str

    @property
    def level(self) -> int:
        """A warning: jobs wait."""
        return logging.WARNING

    def sentence(self) -> str:
        """It in words."""
        whose = " for one batch" if self.kind == "batch_cap" else ""
        return f"nothing is rented{whose}: {self.reason}"
