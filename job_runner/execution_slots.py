"""The resident workers of an execution, each with its own spool under the manifest's folder.

An execution that was killed leaves spools behind, and perhaps workers that still finish the piece at hand.
Their results are taken before anything is spoken, so that nothing is spoken twice.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from job_runner.execution_tasks import Task
from lib.manifest import OutFolder
from lib.manifest.folder import WORKROOM
from lib.providers import ResidentWorker
from lib.spool import InvalidSpoolData, LocalFiles, Phase, SpoolClient
from lib.spool.layout import WORKER_LOCK

#: Makes a worker for a spool folder; its second argument is the log file.
WorkerMaker = Callable[[Path, Path], ResidentWorker]

#: Each worker holds a model of its own (some 230 MB); more than this is for people to ask for.
_MOST_USUAL: Final = 4

_SPOOL: Final = re.compile(r"spool-([1-9][0-9]{0,3})")


def usual_workers() -> int:
    """How many workers speak when nobody says: one for each core this process may use, at most 4."""
    # Not every system can say which cores are ours.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_USUAL)


@dataclass(slots=True)
class Slot:
    """A spool and who serves it: a worker of ours, or (None) one that a killed execution left working."""

    name: str  # relative to the manifest's folder
    folder: Path
    worker: ResidentWorker | None
    files: LocalFiles
    spool: SpoolClient
    held: dict[str, Task] = field(default_factory=dict)
    deaths: int = 0  # in a row, without a result between and without a job to blame

    def phases(self) -> dict[str, Phase]:
        """Where each of its entries lies."""
        return self.spool.entries()

    def at_hand(self) -> str | None:
        """The entry its worker spoke at its last sign of life; others in work/ are only being written."""
        try:
            beat = self.spool.heartbeat()
        except InvalidSpoolData:
            return None
        entry = next(iter(beat.entries), None) if beat else None
        return entry if entry and self.phases().get(entry) is Phase.WORK else None

    def withdraw(self) -> list[Task]:
        """Take back what no worker has begun; returns the tasks."""
        back = []
        for entry, phase in self.phases().items():
            if phase is Phase.INBOX and self.spool.withdraw(entry):
                task = self.held.pop(entry, None)
                if task is not None:
                    back.append(task)
        return back

    def is_served(self) -> bool:
        """Whether some worker process holds the spool's lock."""
        try:
            fd = os.open(self.folder / WORKER_LOCK, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def stop(self, grace: float) -> None:
        """Let the worker finish the piece at hand, for at most `grace` seconds."""
        if self.worker is not None:
            self.worker.stop(grace)

    def close(self) -> None:
        """Let go of the spool's descriptors."""
        self.files.close()


class Slots:
    """All spools of one manifest's folder, which must be locked."""

    def __init__(self, folder: OutFolder, make_worker: WorkerMaker) -> None:
        self._folder, self._make_worker = folder, make_worker
        self.ours: list[Slot] = []
        self.left: list[Slot] = []

    def __iter__(self) -> Iterator[Slot]:
        return iter((*self.ours, *self.left))

    def find_left(self) -> None:
        """Find the spools of executions that were killed."""
        room = self._folder.path(WORKROOM)
        self._folder.need_parents(f"{WORKROOM}/")
        for name in sorted(os.listdir(room)):
            if _SPOOL.fullmatch(name) and (room / name).is_dir() and not (room / name).is_symlink():
                self.left.append(self._slot(f"{WORKROOM}/{name}", None))

    def open(self, count: int) -> None:
        """Make `count` spools with a worker each; the workers start when they are tended."""
        number = 0
        while len(self.ours) < count:
            number += 1
            name = f"{WORKROOM}/spool-{number}"
            if self._folder.path(name).exists():
                continue
            self._folder.need_parents(f"{name}/")
            log = self._folder.path(f"{WORKROOM}/worker-{number}.log")
            self.ours.append(self._slot(name, self._make_worker(self._folder.path(name), log)))

    def drop(self, slot: Slot) -> None:
        """Remove the spool of a killed execution: its results were taken and nobody serves it."""
        slot.close()
        self.left.remove(slot)
        self._folder.remove_tree(slot.name)

    def close(self, *, remove: bool) -> None:
        """Let go of everything; `remove` leaves no trace in the manifest's folder."""
        for slot in self:
            slot.close()
        if remove and not self.left:
            self._folder.remove_tree(WORKROOM)

    def _slot(self, name: str, worker: ResidentWorker | None) -> Slot:
        path = self._folder.path(name)
        files = LocalFiles(path)
        return Slot(name, path, worker, files, SpoolClient(files))
