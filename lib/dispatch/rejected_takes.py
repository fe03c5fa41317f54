"""Keeps the best take of jobs that failed because none was good enough, so that somebody can hear why."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Final

from lib.files import draft_beside
from lib.jobqueue import Lease
from lib.records import FileRef
from lib.spool import InvalidSpoolData, SpoolClient, job_digest

log = logging.getLogger(__name__)

_MOST_KEPT: Final = 100  # the newest; who wants one for longer copies it
_MOST_BYTES: Final = 64 * 1024 * 1024  # ten minutes at 48 kHz


class RejectedTakes:
    """A folder of WAV files, one for each job that failed so, as it did last.

    Whatever is wrong with one, its job has failed all the same: that is said in the log.

    Threads: the loop's only.
    Raises: HostUnreachable and SpoolUnusable, of the host.
    """

    def __init__(self, root: Path, *, most: int = _MOST_KEPT) -> None:
        self._root, self._most = root, most

    def keep(self, spool: SpoolClient, entry: str, lease: Lease, file: FileRef) -> Path | None:
        """Fetch what the worker kept; where it lies now, None where it cannot be had."""
        target = self._root / f"{job_digest(lease.request_id)[:32]}.wav"
        if file.bytes > _MOST_BYTES:
            log.warning("the rejected take of %s is too long to be kept", lease.request_id)
            return None
        try:
            with draft_beside(target, make_folder=True) as draft:
                spool.fetch(entry, file, draft)
                draft.replace(target)
            self.sweep()
        except (InvalidSpoolData, OSError) as error:
            log.warning("the rejected take of %s is not kept: %s", lease.request_id, error)
            return None
        return target

    def sweep(self) -> None:
        """Remove all but the newest."""
        kept = sorted(self._root.glob("*.wav"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[self._most :]:
            with contextlib.suppress(OSError):
                path.unlink()
