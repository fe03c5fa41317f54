"""What a dispatcher asks of the world besides the queue and the hosts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.jobqueue import Failure, JobState, Lease
from lib.records import DoneRecord, Made, SpokenRecord
from lib.spool import SpoolClient, SpoolResult
from lib.storage import Claim


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of one result. `problem` is a reason code when the result was wrong or broken, else "".

    `failure` is what the queue was told where it is none. `audio_seconds` counts all takes and is 0 unless
    done; `work_seconds` is what the worker took, for a result that failed too. `order` is the done job's
    place in the order of asking.
    """

    state: JobState
    record: DoneRecord | None = None
    audio_seconds: float = 0.0
    work_seconds: float = 0.0
    problem: str = ""
    order: int = 0
    failure: Failure | None = None

    @property
    def spoken(self) -> SpokenRecord | None:
        """What was spoken; None of a picture, and of what is not done."""
        return None if self.record is None else self.record.spoken


class Delivery(Protocol):
    """Where finished audio goes. Every call may be repeated after a crash at any point.

    Raises, from every method:
        StorageUnavailable: the place refuses; the same call may work later.

    Threads: the loop's only.
    """

    def store(self, spool: SpoolClient, entry: str, lease: Lease, result: SpoolResult) -> DoneRecord:
        """Bring a result's files from the spool to where they stay, verified, and describe them.

        Nobody sees them by their names yet: the record is written after this, and names follow the record.

        Raises:
            InvalidSpoolData, ArtifactMismatch: what the worker wrote cannot be used.
            StillUploading: the machine is bringing them; the same call soon finds them there.
        """
        ...

    def publish(
        self, claim: Claim, takes: Sequence[Made], former: Sequence[Sequence[Made]] = ()
    ) -> Claim | None:
        """Make the takes of a recorded job readable by their names; the newer claim where one has these.

        `former` are the takes of the job's earlier revisions: what only they have is removed.
        """
        ...

    def published(self, takes: Sequence[Made]) -> bool:
        """Whether something stands at the name of each take; what, is not looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Publication:
    """A finished job whose takes are not readable by their names yet.

    `order` is its place in the order of asking when this was written down; 0 where a version that knew none
    did.
    """

    entry: str
    request_id: str
    lease_no: int
    takes: tuple[Made, ...]
    order: int = 0
    revision: int = 1

    @property
    def claim(self) -> Claim:
        """What it is published under."""
        return Claim(self.request_id, self.revision, self.order)


class Journal(Protocol):
    """Writes down what is owed before work is handed out, for the next process of this place.

    Raises, from every method that writes:
        SpoolUnusable: the place refuses; SpoolFull, one of them, when that may pass.

    Threads: the claimer writes and probes while the loop forgets.
    """

    def write(self, entry: str, lease: Lease, host: str) -> None:
        """Record a lease and where its work lies; it is on the disk when this returns."""
        ...

    def forget(self, entry: str) -> None:
        """Forget a settled lease. Forgetting one twice is fine."""
        ...

    def leases(self) -> Iterator[tuple[str, Lease, str]]:
        """What a predecessor held: entry, lease, host."""
        ...

    def owe(self, publication: Publication) -> None:
        """Record that a finished job is to be published."""
        ...

    def published(self, entry: str) -> None:
        """Forget a publication that was made. Forgetting one twice is fine."""
        ...

    def publications(self) -> Iterator[Publication]:
        """What a predecessor could not publish."""
        ...

    def probe(self) -> None:
        """See that a lease could be recorded now."""
        ...

    def sign(self, name: str) -> tuple[str, ...]:
        """Record who leases from now on; returns who did before, until they are struck."""
        ...

    def strike(self, names: Collection[str]) -> None:
        """Strike these names from the record: they hold nothing any more."""
        ...


class MemoryJournal:
    """A journal that ends with the process: for queues that do too, and for hosts that the queue knows.

    Threads: as `Journal`.
    Raises: nothing.
    """

    def __init__(self) -> None:
        self._owed: dict[str, Publication] = {}

    def write(self, entry: str, lease: Lease, host: str) -> None:
        """Keep nothing: who comes next learns of leases from the queue."""

    def forget(self, entry: str) -> None:
        """Keep nothing."""

    def leases(self) -> Iterator[tuple[str, Lease, str]]:
        """None."""
        return iter(())

    def owe(self, publication: Publication) -> None:
        """Remember it as long as the process lives."""
        self._owed[publication.entry] = publication

    def published(self, entry: str) -> None:
        """It stands."""
        self._owed.pop(entry, None)

    def publications(self) -> Iterator[Publication]:
        """What could not be published."""
        return iter(tuple(self._owed.values()))

    def probe(self) -> None:
        """There is always room."""

    def sign(self, name: str) -> tuple[str, ...]:
        """Nobody was here before."""
        return ()

    def strike(self, names: Collection[str]) -> None:
        """Keep nothing."""
