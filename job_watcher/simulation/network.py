"""Shows one watcher the simulated world through a network that loses, delays and lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from job_watcher.provisioning.ports import Contact
from job_watcher.simulation.conditions import LOCK_S, Conditions
from job_watcher.simulation.fault_schedule import Fault
from job_watcher.simulation.files import MemoryFiles
from job_watcher.simulation.machine import Character
from job_watcher.simulation.market import Lot
from lib.errors import Unavailable
from lib.jobqueue import Term
from lib.machines.model import MachineRow
from lib.providers.rental import Rental, RentalStatus
from lib.spool import Files, HostUnreachable
from lib.storage import Claim, Published, StorageUnavailable, StoredArtifact
from lib.storage.memory import MemoryStorage
from lib.storage.name_ownership import names_of


class WatcherClock:
    """One computer's clock: its wall time may be off, its monotonic time never is."""

    def __init__(self, world: Conditions) -> None:
        self._world = world
        self.offset = 0.0

    def now(self) -> float:
        """Wall time, seconds since the epoch."""
        return self._world.now + self.offset

    def monotonic(self) -> float:
        """Seconds, of the world's time."""
        return self._world.now

    def sleep(self, seconds: float) -> None:
        """Nobody waits in a simulation."""
        raise AssertionError("the loop must not sleep")


class LockFace:
    """The leader's lock as one process sees it."""

    def __init__(self, world: Conditions, me: str) -> None:
        self._world, self._me = world, me

    def lead(self, at_least: int) -> int | None:
        """Take or keep the lock."""
        world, lock = self._world, self._world.lock
        if Fault.REDIS_DOWN in world.active:
            raise Unavailable("Redis does not answer.")
        if world.now >= lock.until or not lock.owner:
            lock.owner, lock.epoch = self._me, max(lock.epoch + 1, at_least)
        elif lock.owner != self._me:
            return None
        lock.until = world.now + LOCK_S
        return lock.epoch

    def held(self, epoch: int) -> bool:
        """Whether this process leads in that epoch."""
        lock, world = self._world.lock, self._world
        if Fault.REDIS_DOWN in world.active:
            return False
        mine = lock.owner == self._me and lock.epoch == epoch and world.now < lock.until
        if mine:  # a thread renews the lock of a process that is alive
            lock.until = world.now + LOCK_S
        return mine

    @property
    def epoch(self) -> int | None:
        """The epoch in which this process leads, as far as it knows."""
        lock = self._world.lock
        return lock.epoch if lock.owner == self._me else None

    def term(self) -> Term | None:
        """The term in which this process leads."""
        epoch = self.epoch
        return None if epoch is None else Term(epoch, self._me)

    def resign(self) -> None:
        """Give it back."""
        if self._world.lock.owner == self._me:
            self._world.lock.until = 0.0


class Tripwire:
    """Any port, with a boundary before and after each call. `trip(step)` may raise or move time on."""

    def __init__(self, target: object, name: str, trip: Callable[[str], None]) -> None:
        self._target, self._name, self._trip = target, name, trip

    def __getattr__(self, method: str) -> Any:
        call, trip = getattr(self._target, method), self._trip
        before, after = f"{self._name}.{method} before", f"{self._name}.{method} after"

        def wired(*args: Any, **kwargs: Any) -> Any:
            trip(before)
            answer = call(*args, **kwargs)
            trip(after)
            return answer

        setattr(self, method, wired)
        return wired


class AccessFace:
    """The way to the machines."""

    def __init__(self, world: Conditions, reached: Callable[[str], None]) -> None:
        self._world, self._reached = world, reached

    def _lot(self, instance: str) -> Lot:
        lot = self._world.market.lots.get(instance)
        now = self._world.now
        up = lot is not None and lot.alive and lot.status is RentalStatus.RUNNING
        if lot is None or not up or Fault.PARTITION in self._world.active or not lot.machine.answers(now):
            raise HostUnreachable(f"The machine {instance} does not answer.")
        lot.machine.look(now)
        return lot

    def look(self, row: MachineRow, rental: Rental | None) -> Contact:
        """Ask the machine; a fake one is found out by what it reports."""
        lot = self._lot(row.instance or "")
        fake = lot.machine.character is Character.FAKE or lot.offer.gpu != row.intent.gpu
        return Contact("wrong_gpu" if fake else lot.machine.gate)

    def files(self, instance: str) -> Files:
        """Its spool; the machine must still answer at each use."""
        machine = self._lot(instance).machine

        def before() -> None:
            self._lot(instance)

        files = MemoryFiles(before)
        files.folders = machine.files.folders
        return files

    def tend(self, instance: str) -> None:
        """Nothing: a simulated machine starts its worker by itself, and its heartbeat tells of deaths."""

    def restart(self, instance: str) -> None:
        """Nothing, for the same reason."""

    def forget(self, instance: str) -> None:
        """Nothing is open."""

    def let_go(self) -> None:
        """Nothing is open."""


class StoreFace(MemoryStorage):
    """The store, which refuses now and then.

    `newest` is by output name what was published for the latest asking, as counted by this class itself.
    """

    def __init__(self, world: Conditions) -> None:
        super().__init__(signs=False)  # files of simulated machines come through the watcher
        self._world = world
        self.newest: dict[str, tuple[Claim, Mapping[str, StoredArtifact]]] = {}

    def put(self, source: Path, *, sha256: str, bytes: int) -> StoredArtifact:
        """Store, unless the store refuses."""
        if Fault.STORE_REFUSES in self._world.active:
            raise StorageUnavailable("The store refuses.")
        return super().put(source, sha256=sha256, bytes=bytes)

    def publish(
        self, claim: Claim, output_name: str, files: Mapping[str, StoredArtifact], **rest: Any
    ) -> Published:
        """Publish, and note by ourselves what should lie there from now on."""
        known = self.newest.get(output_name)
        published = super().publish(claim, output_name, files, **rest)
        if known is None or known[0].order <= claim.order:
            self.newest[output_name] = (claim, files)
        return published

    def paths_of(self, output_name: str) -> set[str]:
        """Every published file of that name."""
        keys = (key.removeprefix("outputs/") for key in self.objects if key.startswith("outputs/"))
        return {path for path in keys if output_name in names_of(path)}
