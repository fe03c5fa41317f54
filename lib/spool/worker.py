"""The worker's side of a spool: always a folder of its own machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from lib.files import (
    read_plain,
    sweep_drafts,
    sync_file,
    sync_folder,
    take_lock,
    write_in_place,
    write_whole_alone,
)
from lib.spool import layout
from lib.spool.bell import Bell, ring
from lib.spool.errors import InvalidSpoolData, SpoolBusy, SpoolUnusable, unusable
from lib.spool.files import LocalFiles
from lib.spool.layout import entry_of, is_entry, job_path
from lib.spool.model import Heartbeat, SpoolJob, SpoolResult
from lib.spool.uploads import MAX_ORDER_BYTES, UploadOrder, orders_from_bytes

#: A job whose work began this often without an end is given back as poison. A net for clients that do not
#: judge deaths themselves, so it is wider than any judgement.
MAX_STARTS: Final = 5
_MOST_LOOKED_AT: Final = 32  # jobs of the inbox that are read to find one that is preferred


@dataclass(frozen=True, slots=True)
class TakenJob:
    """A job this worker holds. `problem` says why its file could not be read; then `job` is None.

    `left` says that an earlier worker held it when it ended: it may be what that one died of. `ahead`, that
    it was preferred to the oldest that waits.
    """

    entry: str
    job: SpoolJob | None
    problem: str | None = None
    left: bool = False
    ahead: bool = False


class WorkerSpool:
    """Takes jobs, puts results. A context manager: entering locks the spool for this process.

    Raises, on entering:
        SpoolBusy: another worker serves it.

    Raises, from every method:
        SpoolUnusable: the folder cannot be made, read or written.
        SpoolFull: as that, but it may pass.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files = LocalFiles(root)
        self._lock_fd = -1
        self._bell: Bell | None = None
        self._held: set[str] = set()

    def __enter__(self) -> WorkerSpool:
        try:
            for folder in layout.FOLDERS:
                (self.root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock()
            self._bell = Bell(self.root / layout.WORKER_BELL)
        except OSError as error:
            self._unlock()
            raise unusable(self.root, error) from None
        self._sweep()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, SpoolUnusable):  # a full disk ends the worker; no job is to blame
            for entry in self._held:
                with contextlib.suppress(SpoolUnusable):
                    self.set_aside(entry)
        if self._bell is not None:
            self._bell.close()
            self._bell = None
        self._unlock()

    def take(self, limit: int, prefer: Callable[[SpoolJob], bool] | None = None) -> list[TakenJob]:
        """Hold up to `limit` jobs: first those a dead worker left in work/, then the inbox, oldest first.

        With `prefer`, the oldest of the inbox's first jobs that it says yes to, where there is one, goes
        before the others.
        """
        left = [entry for entry in self._entries(layout.WORK) if entry not in self._held]
        waiting, ahead = ([], None) if len(left) >= limit else self._waiting(prefer)
        fresh = waiting[: limit - len(left)]
        for entry in fresh:
            try:
                self._files.rename(job_path(layout.INBOX, entry), job_path(layout.WORK, entry))
            except FileNotFoundError:
                continue  # withdrawn
            left.append(entry)
        self._held.update(left[:limit])
        return [
            replace(self._read(entry), left=entry not in fresh, ahead=entry == ahead)
            for entry in left[:limit]
        ]

    def _waiting(self, prefer: Callable[[SpoolJob], bool] | None) -> tuple[list[str], str | None]:
        """The inbox, oldest first, but for the one that is preferred; that one, unless it is the oldest."""
        waiting = self._entries(layout.INBOX)
        for entry in waiting[:_MOST_LOOKED_AT] if prefer is not None else ():
            try:
                data = self._files.read(job_path(layout.INBOX, entry), layout.MAX_JOB_BYTES)
                if prefer is not None and prefer(SpoolJob.from_bytes(data)):
                    others = [other for other in waiting if other != entry]
                    return [entry, *others], None if entry == waiting[0] else entry
            except (InvalidSpoolData, FileNotFoundError):
                continue  # its result says so when its turn comes; it was withdrawn
        return waiting, None

    def give_back(self, entry: str) -> None:
        """Lay a job back into the inbox, as if it had never been taken."""
        self._held.discard(entry)
        with contextlib.suppress(FileNotFoundError):
            self._files.rename(job_path(layout.WORK, entry), job_path(layout.INBOX, entry))
        self._files.remove_tree(_starts(entry))

    def begin(self, entry: str) -> bool:
        """Note on disk that `entry` is at hand; False when it has been that too often without an end."""
        path = self.root / _starts(entry)
        with _as_sentences(path):
            starts = path.stat().st_size if path.exists() else 0
            if starts >= MAX_STARTS:
                return False
            with path.open("ab") as file:
                file.write(b"+")
        return True

    def set_aside(self, entry: str) -> None:
        """Note that `entry` is not at hand any more, though not finished: no death is due to it."""
        path = self.root / _starts(entry)
        with _as_sentences(path), contextlib.suppress(FileNotFoundError):
            os.truncate(path, max(0, path.stat().st_size - 1))

    def note_progress(self, entry: str) -> None:
        """Note that a part of `entry` is done for good: the deaths before it were not of what comes next."""
        path = self.root / _starts(entry)
        with _as_sentences(path), contextlib.suppress(FileNotFoundError):
            os.truncate(path, min(1, path.stat().st_size))

    def pieces(self, entry: str) -> Path:
        """Where the spoken pieces of its job are kept, whichever lease they were spoken under."""
        return self.root / layout.PIECES / layout.digest_of(entry)

    def canceled(self, entry: str) -> bool:
        """Whether the client gave `entry` up."""
        return (self.root / layout.CANCEL / entry).exists()

    def scratch(self, entry: str) -> Path:
        """A new empty folder for the files of `entry`; `publish` moves it to the outbox."""
        folder = self.root / layout.TMP / entry
        self._files.remove_tree(f"{layout.TMP}/{entry}")
        with _as_sentences(folder):
            folder.mkdir(mode=0o700)
        return folder

    def publish(self, entry: str, result: SpoolResult) -> None:
        """Put result and scratch folder into the outbox, whole or not at all, and let go of the job.

        What lies in the scratch folder need not be on the disk yet. Threads: any, also several at once.
        """
        folder = self.root / layout.TMP / entry
        target = self.root / layout.OUTBOX / entry
        if not folder.is_dir():
            folder = self.scratch(entry)
        with _as_sentences(folder):
            for file in sorted(folder.iterdir()):
                sync_file(file)
            write_in_place(folder / layout.RESULT, result.to_bytes(), sync=True)
            sync_folder(folder)
            if not target.exists():  # else: published by a worker that died before it let go
                folder.rename(target)
                sync_folder(target.parent)
        self._let_go(entry)
        ring(self.root / layout.CLIENT_BELL)

    def ordered_uploads(self) -> list[str]:
        """The results whose files the client wants uploaded; what was said of a result that is gone goes."""
        self.sweep_uploads()
        return self._entries(layout.UPLOAD)

    def sweep_uploads(self) -> None:
        """Remove orders, and words of their end, for results that the client has taken."""
        for name in self._written(layout.UPLOAD):
            if not (self.root / layout.OUTBOX / name.rpartition(".")[0]).is_dir():
                self._files.remove_tree(f"{layout.UPLOAD}/{name}")

    def upload_orders(self, entry: str) -> tuple[UploadOrder, ...]:
        """What is to be uploaded of a result. Raises InvalidSpoolData."""
        try:
            return orders_from_bytes(self._files.read(layout.order_path(entry), MAX_ORDER_BYTES))
        except FileNotFoundError:
            return ()

    def has_order(self, entry: str) -> bool:
        """Whether the client still wants that result uploaded."""
        return (self.root / layout.order_path(entry)).exists()

    def result_file(self, entry: str, name: str) -> Path:
        """Where a file of a result lies."""
        return self.root / layout.OUTBOX / entry / name

    def end_uploads(self, entry: str) -> None:
        """Say that what could be uploaded of `entry` was, and let go of the URLs."""
        self._files.write(layout.uploads_end_path(entry), b"")
        self._files.remove_tree(layout.order_path(entry))
        ring(self.root / layout.CLIENT_BELL)

    def beat(self, heartbeat: Heartbeat) -> None:
        """Write the sign of life. Not synced: it means nothing after a power cut."""
        path = self.root / layout.HEARTBEAT
        with _as_sentences(path):
            write_whole_alone(path, heartbeat.to_bytes())

    def wait(self, timeout_s: float, also: Sequence[int] = ()) -> None:
        """Return when a client rings, a descriptor of `also` is readable, or after `timeout_s` seconds."""
        if self._bell is None:
            raise RuntimeError("wait() outside of the spool's context")
        self._bell.wait(timeout_s, also)

    def _entries(self, folder: str) -> list[str]:
        """Entries of a folder, oldest first."""
        found: list[tuple[int, str]] = []
        with _as_sentences(self.root / folder), os.scandir(self.root / folder) as scan:
            for item in scan:
                entry = entry_of(item.name)
                if entry is not None:
                    with contextlib.suppress(FileNotFoundError):
                        found.append((item.stat(follow_symlinks=False).st_mtime_ns, entry))
        return [entry for _, entry in sorted(found)]

    def _read(self, entry: str) -> TakenJob:
        try:
            data = self._files.read(job_path(layout.WORK, entry), layout.MAX_JOB_BYTES)
            job = SpoolJob.from_bytes(data)
        except InvalidSpoolData as error:
            return TakenJob(entry, None, error.message)
        except FileNotFoundError:
            return TakenJob(entry, None, "The job file vanished from the spool.")
        if job.entry != entry:
            return TakenJob(entry, None, "The job file's name does not belong to its job and lease.")
        return TakenJob(entry, job)

    def _let_go(self, entry: str) -> None:
        for path in (job_path(layout.WORK, entry), _starts(entry)):
            self._files.remove_tree(path)
        self._held.discard(entry)

    def _sweep(self) -> None:
        """Finish what a dead worker left half done."""
        for name in self._files.list(layout.TMP):
            self._files.remove_tree(f"{layout.TMP}/{name}")
        for name in self._files.list(layout.OUTBOX):
            if is_entry(name):
                self._let_go(name)
        self.sweep_uploads()
        named = self._written(layout.CANCEL)  # looked at first: what is canceled was laid before
        known = {*self._entries(layout.INBOX), *self._entries(layout.WORK)}
        for name in named:
            if name not in known:
                self._files.remove_tree(f"{layout.CANCEL}/{name}")

    def _written(self, folder: str) -> list[str]:
        """What the client has written there; what it is writing now is not ours to remove."""
        sweep_drafts(self.root / folder)
        return [name for name in self._files.list(folder) if not name.startswith(".")]

    def _lock(self) -> None:
        """Hold the lock file as long as this process lives."""
        path = self.root / layout.WORKER_LOCK
        lock = take_lock(path)
        if lock is None:
            owner = read_plain(path, 19, follow=True).decode("ascii", "replace").strip() or "unknown"
            raise SpoolBusy(
                f"Another worker (process {owner}) already serves the spool {self.root}; "
                "stop it first, or give this one another folder."
            )
        self._lock_fd = lock
        os.ftruncate(self._lock_fd, 0)
        os.pwrite(self._lock_fd, f"{os.getpid()}\n".encode(), 0)

    def _unlock(self) -> None:
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1


def _starts(entry: str) -> str:
    return f"{layout.WORK}/{entry}.starts"


@contextlib.contextmanager
def _as_sentences(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unusable(place, error) from error
