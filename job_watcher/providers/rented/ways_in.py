"""A rented machine over SSH by whichever of its ways works: its own address, else the company's proxy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from job_watcher.providers.over_ssh.ports import MachineLink
from lib.providers.rental import Endpoint
from lib.spool import HostUnreachable
from lib.units import MIB
from lib.workers import WorkerHost
from lib.workers.ssh import CommandResult, HostKeyChanged


class RentedLink:
    """`MachineLink` with several ways. `make` gives the machine by one of them.

    Threads: `direct_to` the loop's; the others as `MachineLink`, and `reroute` any.
    Raises: as `MachineLink`.
    """

    def __init__(self, name: str, make: Callable[[Endpoint], MachineLink]) -> None:
        self.name, self._make = name, make
        self._ways: tuple[Endpoint, ...] = ()
        self._made: dict[Endpoint, MachineLink] = {}
        self._used: Endpoint | None = None
        self._workers: tuple[int, str, str] | None = None
        self._lock = threading.Lock()

    @property
    def way(self) -> Endpoint | None:
        """The way that worked last."""
        return self._used

    def direct_to(self, ways: Sequence[Endpoint]) -> None:
        """What the company says now of how it is reached, the best way first."""
        self._ways = tuple(ways)

    def connect(self) -> None:
        """Be connected, by the way that worked last or the first that works."""
        trouble: HostUnreachable | None = None
        for way in self._in_order():
            try:
                self._by(way).connect()
            except HostKeyChanged as error:  # worth more than that another way does not answer
                trouble = error
            except HostUnreachable as error:
                trouble = trouble or error
            else:
                self._used = way
                return
        raise trouble or HostUnreachable(f"It is not known yet where {self.name} is reached.")

    def reroute(self) -> None:
        """Try its ways anew, the one that was used last of all; raises as `connect`."""
        before, self._used = self._used, None
        try:
            self.connect()
        except HostUnreachable:
            self._used = before
            raise

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, most: int = MIB
    ) -> CommandResult:
        """Run a command there."""
        return self._now().run(argv, stdin=stdin, timeout_s=timeout_s, most=most)

    def try_files(self, home: str) -> None:
        """See that files can be exchanged below `home`."""
        self._now().try_files(home)

    def upload(self, local: Path, remote: str) -> None:
        """Bring a file."""
        self._now().upload(local, remote)

    def hosts(self, count: int, program: str, home: str) -> list[WorkerHost]:
        """Its workers, by the way that is used now."""
        self._workers = (count, program, home)
        return self._now().hosts(count, program, home)

    def begin_workers(self, count: int, program: str, home: str) -> list[str]:
        """Start its workers, by the way that is used now."""
        return self._now().begin_workers(count, program, home)

    def end_surplus(self, count: int, home: str) -> None:
        """End its workers of numbers over `count`."""
        self._now().end_surplus(count, home)

    def workers(self) -> list[WorkerHost]:
        """Those that were asked for last, by the way that is used now; none before."""
        if self._workers is None or self._used is None:
            return []
        return self._by(self._used).hosts(*self._workers)

    def close(self) -> None:
        """End the connections. Workers go on."""
        with self._lock:
            made = list(self._made.values())
        for link in made:
            link.close()

    def _in_order(self) -> list[Endpoint]:
        ways = list(self._ways)
        if self._used in ways:
            ways.remove(self._used)
            return [self._used, *ways]
        return ways

    def _now(self) -> MachineLink:
        if self._used is None:
            self.connect()
        assert self._used is not None, "connected just now"
        return self._by(self._used)

    def _by(self, way: Endpoint) -> MachineLink:
        with self._lock:
            if way not in self._made:
                self._made[way] = self._make(way)
            return self._made[way]
