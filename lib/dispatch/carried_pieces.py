"""Carries spoken pieces of long texts from a machine that may go at any moment to the one that goes on."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lib.clock import Clock
from lib.files import draft_beside, read_plain, sync_file
from lib.jobqueue import Lease
from lib.spool import HostUnreachable, InvalidSpoolData, SpoolClient, job_digest
from lib.spool.pieces import MAX_PIECE_BYTES, PieceFile, key_of, piece_name
from lib.voices.length_estimate import estimated_audio_s

log = logging.getLogger(__name__)

KEEP_S: Final = 7 * 24 * 3600.0
#: Of one look at one job: the loop has others, and the next look goes on.
_LOOK_PIECES: Final = 16
_LOOK_S: Final = 2.0
#: Before a job is laid; what is not there by then is spoken again.
BRING_S: Final = 60.0
#: What a job's pieces may take here: a machine says what it likes. 48 kHz, each take made three times.
_BYTES_A_SECOND: Final = 4 * 48_000 * 3
_SPARE_BYTES: Final = 2 * MAX_PIECE_BYTES  # beyond that
_MOST_PIECES: Final = 20_000


class CarriedPieces:
    """Keeps what rented machines spoke so far of long texts, in a folder for each job.

    A machine is asked only for the folder of a job that it holds, and what it gives is taken only as whole
    pieces under their keys, within bounds. Whether a piece is one of the job, the next worker says: it looks
    for keys that it makes itself. It is help, and no part of any promise: trouble with our own disk is said
    in the log and costs nothing but time.

    Threads: `fetch` the loop's; `bring` and `forget` any.
    Raises: HostUnreachable and SpoolUnusable, of the host, from `fetch` and `bring`.
    """

    def __init__(self, root: Path, clock: Clock, *, spare_bytes: int = _SPARE_BYTES) -> None:
        self._root, self._clock, self._spare_bytes = root, clock, spare_bytes
        self._refused: dict[str, set[str]] = {}  # by job: keys of what was no piece

    def fetch(self, spool: SpoolClient, lease: Lease) -> bool:
        """Take some of the pieces that lie on the job's machine and not here; whether more are left."""
        digest, until = job_digest(lease.request_id), self._clock.monotonic() + _LOOK_S
        have, refused = set(self._keys(digest)), self._refused.setdefault(digest, set())
        missing = [key for key in spool.pieces(digest) if key not in have and key not in refused]
        room = self._spare_bytes + _usual_bytes(lease) - sum(self._sizes(digest))
        for key in missing[:_LOOK_PIECES]:
            if room <= 0 or len(have) + len(refused) >= _MOST_PIECES:
                return False
            if self._clock.monotonic() >= until:
                return True
            try:
                size = self._take(spool, digest, key, min(room, MAX_PIECE_BYTES))
            except InvalidSpoolData as error:
                log.warning("a piece of %s from %s is not taken: %s", lease.request_id, spool.machine, error)
                refused.add(key)
                continue
            if size is None:
                return False
            room -= size
            have.add(key)
        return len(missing) > _LOOK_PIECES

    def bring(self, spool: SpoolClient, request_id: str) -> int:
        """Put the pieces that are here where the job's next worker looks for them; how many that were."""
        digest, until = job_digest(request_id), self._clock.monotonic() + BRING_S
        keys = self._keys(digest)
        try:
            there = set(spool.pieces(digest)) if keys else set()
        except HostUnreachable:  # or it has more of them than are listed: the job itself is laid all the same
            return 0
        brought = 0
        for key in keys:
            if key not in there and self._clock.monotonic() < until:
                with contextlib.suppress(OSError, InvalidSpoolData):  # damaged since: it is spoken again
                    data = read_plain(self._folder(digest) / piece_name(key), MAX_PIECE_BYTES)
                    PieceFile.from_bytes(data, key)
                    spool.bring_piece(digest, key, data)
                    brought += 1
        if brought:
            log.info("%d pieces of %s were brought to %s", brought, request_id, spool.machine)
        return brought

    def forget(self, request_id: str) -> None:
        """Remove a job's pieces: it has ended. Never raises."""
        digest = job_digest(request_id)
        self._refused.pop(digest, None)
        shutil.rmtree(self._folder(digest), ignore_errors=True)

    def sweep(self, keep_s: float = KEEP_S) -> None:
        """Remove what no machine added to for so long: of jobs that were canceled, or done by others."""
        before = self._clock.now() - keep_s
        with contextlib.suppress(OSError):
            for folder in self._root.iterdir():
                if folder.stat().st_mtime < before:
                    shutil.rmtree(folder, ignore_errors=True)

    def _take(self, spool: SpoolClient, digest: str, key: str, most: int) -> int | None:
        """Fetch one; its bytes. None where our own disk refuses. Raises InvalidSpoolData."""
        target = self._folder(digest) / piece_name(key)
        try:
            with draft_beside(target, make_folder=True) as draft:
                spool.fetch_piece(digest, key, draft, most)
                data = read_plain(draft, most)
                PieceFile.from_bytes(data, key)
                sync_file(draft)
                draft.replace(target)
        except OSError as error:
            log.warning("spoken pieces cannot be kept in %s: %s", target.parent, error.strerror or error)
            return None
        return len(data)

    def _folder(self, digest: str) -> Path:
        return self._root / digest

    def _keys(self, digest: str) -> list[str]:
        with contextlib.suppress(OSError):
            return sorted(filter(None, map(key_of, os.listdir(self._folder(digest)))))
        return []

    def _sizes(self, digest: str) -> Iterator[int]:
        with contextlib.suppress(OSError), os.scandir(self._folder(digest)) as scan:
            for item in scan:
                yield item.stat(follow_symlinks=False).st_size


def _usual_bytes(lease: Lease) -> int:
    """How many bytes the pieces of a job may take, by what its text should take to say."""
    spec = lease.spec
    seconds = estimated_audio_s(spec.text, pronounce=spec.pronounce, speed=spec.speed, language=spec.language)
    return round(seconds * spec.variants * _BYTES_A_SECOND)
