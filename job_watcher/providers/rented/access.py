"""The rented machines of this leader, each over SSH: `MachineAccess` of the loop that rents."""

from __future__ import annotations

import threading
from collections.abc import Callable

from job_watcher.providers.rented.machine import TendedMachine
from job_watcher.provisioning.ports import Contact
from lib.machines.model import MachineRow
from lib.providers.rental import Rental
from lib.spool import Files, HostUnreachable
from lib.workers import WorkerDeath


class RentedAccess:
    """`MachineAccess` over machines that `make` opens, each when it is first asked for.

    Threads: as `MachineAccess`.
    Raises: as `MachineAccess`.
    """

    def __init__(self, make: Callable[[MachineRow], TendedMachine], forgotten: Callable[[str], None]) -> None:
        self._make, self._forgotten = make, forgotten
        self._machines: dict[str, tuple[str, TendedMachine]] = {}
        self._lock = threading.Lock()

    def look(self, row: MachineRow, rental: Rental | None) -> Contact:
        """How the machine is; the first look begins to get it ready."""
        assert row.instance is not None, "only rented machines are asked"
        with self._lock:
            known = self._machines.get(row.instance)
        if known is None:
            known = (row.token, self._make(row))
            with self._lock:
                self._machines[row.instance] = known
        return known[1].look(rental)

    def files(self, instance: str) -> Files:
        """The spool on it."""
        return self._of(instance).files()

    def tend(self, instance: str) -> WorkerDeath | None:
        """Keep its worker going."""
        return self._of(instance).tend()

    def restart(self, instance: str) -> None:
        """End its worker now."""
        self._of(instance).restart()

    def forget(self, instance: str) -> None:
        """It is given back: close what is open, and take the copy of its key away."""
        with self._lock:
            known = self._machines.pop(instance, None)
        if known is not None:
            known[1].close()
            self._forgotten(known[0])

    def let_go(self) -> None:
        """Close what is open to all; their work goes on, for the next leader."""
        with self._lock:
            machines, self._machines = list(self._machines.values()), {}
        for _, machine in machines:
            machine.close()

    def is_any_starting(self) -> bool:
        """Whether a machine is waited for, which may come up at any moment."""
        with self._lock:
            return any(machine.is_starting for _, machine in self._machines.values())

    def _of(self, instance: str) -> TendedMachine:
        with self._lock:
            known = self._machines.get(instance)
        if known is None:
            raise HostUnreachable(f"The machine {instance} was not looked at yet.")
        return known[1]
