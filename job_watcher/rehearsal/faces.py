"""How one watcher sees the simulated world: through a network that loses, delays and lies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from job_watcher.rehearsal.conditions import LOCK_S, Conditions
from job_watcher.rehearsal.faults import Fault
from job_watcher.rehearsal.files import MemoryFiles
from job_watcher.rehearsal.market import Lot
from job_watcher.renting.ports import Contact, Settled, Unreachable
from lib.errors import Unavailable
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState, Lease
from lib.providers.rental import RentalStatus
from lib.spool import Files, InvalidSpoolData, SpoolClient
from lib.storage import StorageUnavailable


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
        mine = lock.owner == self._me and lock.epoch == epoch and world.now < lock.until
        return mine and Fault.REDIS_DOWN not in world.active

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
            raise Unreachable(f"The machine {instance} does not answer.")
        lot.machine.advance(now)
        return lot

    def look(self, instance: str, *, gpu: str) -> Contact:
        """Ask the machine; a fake one is found out by what it reports."""
        lot = self._lot(instance)
        fake = lot.machine.character.value == "fake" or lot.offer.gpu != gpu
        return Contact("wrong_gpu" if fake else "")

    def files(self, instance: str) -> Files:
        """Its spool; the machine must still answer at each use."""
        machine = self._lot(instance).machine

        def before() -> None:
            self._lot(instance)

        files = MemoryFiles(before)
        files.folders = machine.files.folders
        return files

    def forget(self, instance: str) -> None:
        """Nothing is open."""


class StoreSettler:
    """Verifies results, stores them by content, records them."""

    def __init__(self, world: Conditions, queue: JobQueue) -> None:
        self._world, self._queue = world, queue

    def settle(self, files: Files, entry: str, lease: Lease) -> Settled:
        """As the real delivery: the audio is in the store before the record is written."""
        try:
            result = SpoolClient(files).result(entry)
            if result is None:
                raise InvalidSpoolData("The result vanished.")
            if result.error is not None:
                failure = Failure(ErrorClass.TRANSIENT, result.error.message)
                return Settled(self._queue.fail(lease, failure), problem=result.error.error_class.value)
            data = self._fetched(files, entry, result.files[0].name)
            sha256 = result.files[0].sha256
            if hashlib.sha256(data).hexdigest() != sha256:
                raise InvalidSpoolData("The audio is not what its hash says.")
        except InvalidSpoolData as error:
            state = self._queue.fail(lease, Failure(ErrorClass.TRANSIENT, error.message))
            return Settled(state, problem="corrupt_output")
        if Fault.STORE_REFUSES in self._world.active:
            raise StorageUnavailable("The store refuses.")
        self._world.store[sha256] = data
        self._queue.complete(lease, {"sha256": sha256, "record": dict(result.record)})
        worked = result.finished_at - result.started_at
        return Settled(JobState.DONE, float(result.record["seconds"]), worked)

    def _fetched(self, files: Files, entry: str, name: str) -> bytes:
        try:
            return files.read(f"outbox/{entry}/{name}", 1_000_000)
        except FileNotFoundError:
            raise InvalidSpoolData("The result lacks its file.") from None
