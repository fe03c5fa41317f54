"""Resident workers on this machine: one process and one spool folder each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.clock import Clock
from lib.files import is_locked
from lib.spool import LocalFiles
from lib.spool.layout import WORKER_LOCK
from lib.workers.worker_death import WorkerDeath
from lib.workers.worker_process import WorkerProcess

_SPOOL: Final = re.compile(r"spool-([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What every worker of a program is started with.

    `grace_s` is how long it may go on with the job at hand once its parent is gone; `hibari_batch` how many
    texts all of them together speak at once, where their engine is hibari.
    """

    voices_dir: Path
    engine: str
    grace_s: float
    clock: Clock
    pauses: str | None = None  # as the setting VOICE_PAUSES has them; None: the worker's own
    hibari_batch: int = 1

    def share(self, workers: int) -> int:
        """How many texts each of so many workers speaks at once, where their engine is hibari."""
        return max(1, self.hibari_batch // max(workers, 1))


class LocalHost:
    """A spool folder and the child process that serves it.

    Threads: as `WorkerHost`; `close` the loop's.
    Raises: OSError from `tend`, where the machine starts no process; the others nothing.
    """

    remote = False

    def __init__(self, name: str, machine: str, folder: Path, worker: WorkerProcess) -> None:
        self.name, self.machine = name, machine
        self._files, self._worker = LocalFiles(folder), worker

    def files(self) -> LocalFiles:
        """The spool's folder."""
        return self._files

    def tend(self) -> WorkerDeath | None:
        """Start the process when none runs; report a death once."""
        return self._worker.tend()

    def restart(self) -> None:
        """Kill the process; the next `tend` starts another."""
        self._worker.restart()

    def stop(self, grace: float) -> None:
        """SIGTERM, wait, SIGKILL."""
        self._worker.stop(grace)

    def close(self) -> None:
        """Let go of the folder's descriptors."""
        self._files.close()


class LeftSpool:
    """A spool that another process left, killed: its worker may still finish the piece at hand.

    Threads: as `WorkerHost`; `is_served`, `remove` and `close` the loop's.
    Raises: OSError from `remove`, where the folder stays; the others nothing.
    """

    remote = False

    def __init__(self, name: str, machine: str, folder: Path) -> None:
        self.name, self.machine, self.folder = name, machine, folder
        self._files = LocalFiles(folder)

    def files(self) -> LocalFiles:
        """The spool's folder."""
        return self._files

    def tend(self) -> None:
        """Start nothing."""

    def restart(self) -> None:
        """Leave its worker alone: it belongs to nobody."""

    def stop(self, grace: float) -> None:
        """Leave its worker alone."""

    def close(self) -> None:
        """Let go of the folder's descriptors."""
        self._files.close()

    def is_served(self) -> bool:
        """Whether some worker process holds the spool's lock: then what it began comes to an end.

        A lock that cannot be looked at counts as held: nothing is removed under a worker's hands.
        """
        try:
            return is_locked(self.folder / WORKER_LOCK)
        except OSError:
            return True

    def remove(self) -> None:
        """Delete the folder. Raises OSError."""
        self.close()
        shutil.rmtree(self.folder)


class SpoolRoom:
    """A folder that holds one spool for each local worker: `spool-1`, `spool-2`... It must be locked.

    Threads: one, which makes the hosts before the loop begins.
    Raises: OSError, where the folder cannot be read.
    """

    def __init__(self, folder: Path, *, name: str, machine: str) -> None:
        self._folder, self._name, self._machine = folder, name, machine

    def left(self, beyond: int = 0) -> list[LeftSpool]:
        """The spools of an earlier process, but for the first `beyond`, which are to be served again."""
        numbers = [number for number in self._numbers() if number > beyond]
        return [LeftSpool(self._host(number), self._machine, self._spool(number)) for number in numbers]

    def hosts(self, numbers: Sequence[int], setup: WorkerSetup) -> list[LocalHost]:
        """A host for each number; the workers start when they are tended."""
        return [self._host_of(number, setup, setup.share(len(numbers))) for number in numbers]

    def free_numbers(self, count: int) -> list[int]:
        """The first `count` numbers that no spool has."""
        taken, found = set(self._numbers()), list[int]()
        number = 0
        while len(found) < count:
            number += 1
            if number not in taken:
                found.append(number)
        return found

    def _host_of(self, number: int, setup: WorkerSetup, hibari_batch: int) -> LocalHost:
        folder = self._spool(number)
        worker = WorkerProcess.of_spool(
            folder,
            voices_dir=setup.voices_dir,
            engine=setup.engine,
            pauses=setup.pauses,
            log=self._folder / f"worker-{number}.log",
            clock=setup.clock,
            grace=setup.grace_s,
            environ={"HIBARI_BATCH": str(hibari_batch)},
        )
        return LocalHost(self._host(number), self._machine, folder, worker)

    def _numbers(self) -> list[int]:
        if not self._folder.is_dir():
            return []
        matches = (
            _SPOOL.fullmatch(item.name)
            for item in self._folder.iterdir()
            if item.is_dir() and not item.is_symlink()
        )
        return sorted(int(match[1]) for match in matches if match)

    def _spool(self, number: int) -> Path:
        return self._folder / f"spool-{number}"

    def _host(self, number: int) -> str:
        return f"{self._name}/{number}"
