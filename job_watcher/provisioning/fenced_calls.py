"""Makes each provider call and each change of the ledger only while this process leads its epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar

from job_watcher.provisioning.ports import Config, NotLeading, ProvisioningParts
from lib.fleet import MachineEvent, State, advance
from lib.fleet.host_history import EXCUSED
from lib.jobqueue import Term
from lib.machines.model import Change, HostNote, MachineRow
from lib.providers.rental import RentalProvider

P = ParamSpec("P")
R = TypeVar("R")


class FencedCalls:
    """Makes the calls of one leader's epoch. When that is over, every method raises and does nothing.

    Threads: the loop's only.

    Raises, from every method:
        NotLeading, StaleEpoch: this epoch is over; the first by the lock, the second by the ledger.
        Unavailable: the provider or the ledger does not answer.
    """

    def __init__(self, parts: ProvisioningParts, config: Config, epoch: int) -> None:
        self._parts, self._config = parts, config
        self.epoch = epoch

    def check(self) -> None:
        """Make sure that we lead now.

        Raises:
            NotLeading: another watcher does, or the lock cannot be asked.
        """
        if not self._parts.leadership.held(self.epoch):
            raise NotLeading(f"Watcher {self._config.name} does not lead in epoch {self.epoch} any more.")

    def term(self) -> Term:
        """What proves to the queue that this process leads; as `Leadership.term`.

        Raises:
            NotLeading: it is over.
        """
        term = self._parts.leadership.term()
        if term is None or term.epoch != self.epoch:
            raise NotLeading(f"Watcher {self._config.name} does not lead in epoch {self.epoch} any more.")
        return term

    def ask(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Make one call to the provider, if we lead at this very moment: the provider cannot fence us."""
        self.check()
        return call(*args, **kwargs)

    @property
    def provider(self) -> RentalProvider:
        """The provider; its methods are to be called through `ask`."""
        return self._parts.provider

    def move(
        self,
        row: MachineRow,
        event: MachineEvent,
        reason: str,
        *,
        instance: str | None = None,
        hourly_micros: int | None = None,
    ) -> MachineRow:
        """Take a machine to its next state, durably.

        Raises:
            StaleEpoch: a newer leader began.
            RowChanged: somebody else moved it.
        """
        to = advance(State(row.state), event)
        change = Change(
            token=row.token,
            version=row.version,
            epoch=self.epoch,
            state=to.value,
            event=event.name.lower(),
            at=self._parts.clock.now(),
            reason=reason,
            instance=instance,
            hourly_micros=hourly_micros,
            closed=to is State.GONE,
        )
        after = self._parts.ledger.change(change)
        self._parts.tell(event.name.lower(), f"{event.value}: {reason}", row.token)
        return after

    def excuse(self, note: HostNote) -> None:
        """Take back what a host was blamed for."""
        self.check()
        excuse = replace(note, reason=EXCUSED, ok=False, at=self._parts.clock.now())
        self._parts.ledger.note_host(excuse, epoch=self.epoch)

    def note(self, row: MachineRow, reason: str, *, ok: bool) -> None:
        """Remember what the machine's host did."""
        intent = row.intent
        note = HostNote(
            intent.provider,
            intent.machine_id,
            intent.host_id,
            reason,
            ok,
            self._parts.clock.now(),
            row.token,
        )
        self._parts.ledger.note_host(note, epoch=self.epoch)
