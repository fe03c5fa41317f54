"""The port: what the watcher may ask of the ledger of rented machines.

The SQL and the in-memory ledger both keep it, on one contract suite. `MemoryLedger()` is in
`lib.machines.memory`, labels are in `lib.machines.labels` (`MachineLabel(owner, epoch, token, expires_at)`,
`.text()`, and `parse_label(text) -> MachineLabel | None`, None for anything that is not exactly ours).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import ClassVar, Protocol

from lib.errors import ExitStatus, JobRunnerError
from lib.machines.model import (
    Books,
    Change,
    Charge,
    Epoch,
    HistoryEvent,
    HostNote,
    Intent,
    MachineKey,
    MachineRow,
    PaidMachines,
)


class StaleEpoch(JobRunnerError):
    """A newer leader has begun its term; the caller must stop acting at once. Nothing was written."""

    exit_status: ClassVar[ExitStatus] = ExitStatus.TRY_AGAIN


class RowChanged(JobRunnerError):
    """The row is not at the version the caller saw, or not there. Nothing was written; read again."""

    exit_status: ClassVar[ExitStatus] = ExitStatus.TRY_AGAIN


class SpendingRefused(JobRunnerError):
    """The caller's own check found no room under a cap. Nothing was written."""

    exit_status: ClassVar[ExitStatus] = ExitStatus.TRY_AGAIN


#: Looks at the books inside the transaction; a sentence refuses the spending, None allows it.
Allow = Callable[[Books], str | None]


class Ledger(Protocol):
    """The durable memory of what we pay for: written before money is spent, closed when it is certain.

    Every write is one transaction that is on disk when the call returns. Calls block for seconds at most.
    Every write names an epoch and is refused when a newer one was opened, so that a stopped leader that
    wakes up late changes nothing. Every call may be repeated after a lost reply.

    Raises, from every method:
        Unavailable: the database does not answer, or stayed locked.
    """

    def last_epoch(self) -> int:
        """The newest epoch that was opened; 0 when there was none.

        A leader takes its lock with a number above this one, so that a lock server that lost its memory
        cannot give out an old epoch again.
        """
        ...

    def open_epoch(self, epoch: Epoch) -> None:
        """Begin a term. The same owner may repeat its own.

        Raises:
            StaleEpoch: this number or a higher one was opened by somebody else.
        """
        ...

    def plan(self, intent: Intent, *, state: str, hours: Collection[int], allow: Allow) -> MachineRow:
        """Write an intent in `state`, if `allow` finds room; serial with every other `plan`.

        `allow` gets the books with `spent_by_hour` for `hours` and `spent_by_batch` for the intent's batch.
        It must be quick and pure: it may be called again when the transaction is repeated.
        A repeated call with the same token and intent returns the row as it is now.

        Raises:
            SpendingRefused: `allow` said no; the message is its sentence.
            StaleEpoch: the intent's epoch is over.
            ValueError: the token was used for another intent.
        """
        ...

    def open_rows(self) -> list[MachineRow]:
        """Every row that is not closed, oldest first. As fast with a million closed rows as with none."""
        ...

    def row(self, token: str) -> MachineRow | None:
        """One row, open or closed; None when the token was never planned."""
        ...

    def change(self, change: Change) -> MachineRow:
        """Carry out one transition and write its history, in one transaction; returns the new row.

        A repeat of the change that made the row's present version returns the row.

        Raises:
            RowChanged: the row is not at `change.version`.
            StaleEpoch: the change's epoch is over.
        """
        ...

    def charge(self, charges: Sequence[Charge], *, epoch: int) -> None:
        """Set hourly totals, all in one transaction; charges of closed rows too (a bill comes late).

        Raises:
            StaleEpoch: the epoch is over.
        """
        ...

    def charges(self, token: str) -> list[Charge]:
        """Every hourly total of one machine."""
        ...

    def books(self, hours: Collection[int], batches: Collection[str] = ()) -> Books:
        """The money side now, with `spent_by_hour` for `hours` and `spent_by_batch` for `batches`."""
        ...

    def paid(self, first_hour: int, last_hour: int) -> PaidMachines:
        """What was paid in those hours since the epoch, both included, and the machines it was paid for.

        A machine is among them that has a charge in these hours, or is open now. As fast with a million
        machines of other hours as with none.
        """
        ...

    def note_host(self, note: HostNote, *, epoch: int) -> None:
        """Remember what a host did. The same note twice counts once.

        Raises:
            StaleEpoch: the epoch is over.
        """
        ...

    def host_notes(self, since: float) -> list[HostNote]:
        """Every note since then, oldest first."""
        ...

    def history(self, token: str) -> list[HistoryEvent]:
        """A machine's life, oldest first; [] when the token was never planned."""
        ...

    def keep_key(self, token: str, key: MachineKey) -> MachineKey:
        """Keep the key of a planned machine, before it is rented; returns the one that is kept.

        The first one stays: a repeat after a crash gets the key that the machine may have been given. It is
        forgotten with the change that closes the row.

        Raises:
            ValueError: the token was never planned.
        """
        ...

    def key(self, token: str) -> MachineKey | None:
        """The key of a machine; None when none is kept, or the machine is gone."""
        ...

    def pin(self, token: str, host_key: str) -> str:
        """Know the machine by `host_key` from now on; returns the key it is known by: the first one stays."""
        ...
