"""Finished work that machines left in the store before they ended themselves, as a host to adopt it from.

It is no more trusted than what lies on a machine: its size, hash and job are looked at where results are
settled, and only a lease for which the queue gives the same work, after the one it was made under, takes it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from lib.clock import Clock
from lib.dispatch.incoming_files import IncomingFiles
from lib.jobqueue import JobQueue, JobRecord, JobState, Lease
from lib.spool import HostUnreachable, InvalidSpoolData, SpoolClient, digest_of, job_digest
from lib.spool.layout import MAX_FILE_BYTES, MAX_FILES, MAX_RESULT_BYTES, RESULT, incoming_entry, lease_no_of
from lib.storage import Incoming, IncomingFile, StorageUnavailable
from lib.workers import WorkerDeath

log = logging.getLogger(__name__)

NAME: Final = "last-words"
_LOOK_S: Final = 60.0
_KEPT_S: Final = 24 * 3600.0  # longer than any job of ours waits for a machine that is worth a wait
_MOST_CLAIMS: Final = 3  # for one entry, while no machine has room
_OVER: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED})


@dataclass(slots=True)
class _Words:
    """A whole result, and what the queue said of its job.

    `host` is where it was made, as far as the queue knows; `claims` how often it was claimed for in vain.
    `is_stale`: the queue knew the job's lease before, and it was not this one.
    """

    request_id: str
    record: JobRecord
    host: str = ""
    claims: int = 0
    is_stale: bool = False


class LastWords:
    """`WorkerHost` without a worker: it gets no job; what it has is adopted, and what nobody wants goes.

    `name` stands in the rows of leases. `machine` is none: it is no place to try a job on.

    Threads: the loop's only.
    Raises: as `WorkerHost`; `look` Unavailable, where the queue does not answer.
    """

    name, machine, remote = NAME, "", False

    def __init__(self, incoming: Incoming, queue: JobQueue, clock: Clock) -> None:
        self._incoming, self._queue, self._clock = incoming, queue, clock
        self._files = IncomingFiles(incoming)
        self._spool = SpoolClient(self._files)
        self._words: dict[str, _Words] = {}
        self._of_others: dict[str, str] = {}  # by entry, the job: read once, and asked for at each look
        self._next_look = float("-inf")

    # --- as a host ---------------------------------------------------------------------------------------

    def files(self) -> IncomingFiles:
        """What was found at the last look and may be adopted."""
        return self._files

    def tend(self) -> WorkerDeath | None:
        """There is no worker."""
        return None

    def restart(self) -> None:
        """There is no worker."""

    def stop(self, grace: float) -> None:
        """There is no worker."""

    def has_heard(self) -> bool:
        """Whether a look has succeeded: before that, nothing is known to be missing."""
        return self._files.is_known

    # --- what lies there ---------------------------------------------------------------------------------

    def soon(self) -> None:
        """Look at the next occasion: a machine may just have ended itself."""
        self._next_look = float("-inf")

    def look(self, held: Collection[str]) -> None:
        """See what came, and remove what nobody wants; `held` are the entries that are being settled.

        A store that does not answer is asked again later.
        """
        now = self._clock.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_S
        try:
            found = _by_entry(self._incoming)
            for known in (self._words, self._of_others):
                for entry in known.keys() - found.keys():
                    del known[entry]
            self._files.show({entry: found[entry] for entry in self._words})
            for entry, files in found.items():
                if entry not in held or entry not in self._words:  # a lease may be older than what we heard
                    self._judge(entry, files)
            self._files.show({entry: found[entry] for entry in self._words})
            self._files.is_known = True
        except (StorageUnavailable, HostUnreachable) as error:
            log.info("what machines left in the store is looked for later: %s", error.message)

    def entries(self) -> set[str]:
        """Whole results of jobs that are not finished."""
        return set(self._words)

    def wanted(self) -> int:
        """For how many of them a lease may come now, if one is asked for."""
        now = self._clock.now()
        return sum(
            _is_free(words.record, now) for words in self._words.values() if words.claims < _MOST_CLAIMS
        )

    def claimed_for(self) -> None:
        """Leases came that were asked for on their behalf: who got none does not ask without end."""
        for words in self._words.values():
            words.claims += 1

    def fits(self, entry: str, lease: Lease) -> bool:
        """Whether the queue may have given the entry's lease before this one, of the same job."""
        words = self._words.get(entry)
        if words is None or words.request_id != lease.request_id or lease_no_of(entry) >= lease.lease_no:
            return False
        if lease.spool_entry not in ("", entry):  # where it knows the lease before, that one and no other
            words.is_stale = True
        if words.is_stale:
            return False
        words.host = lease.host
        return True

    def came_from(self, entry: str, host: str) -> None:
        """The entry's lease says where it was made."""
        if entry in self._words:
            self._words[entry].host = host

    def host_of(self, request_id: str) -> str:
        """Where a job that is settled from here was made; "" where nobody knows."""
        return next((words.host for words in self._words.values() if words.request_id == request_id), "")

    def _judge(self, entry: str, files: Mapping[str, IncomingFile]) -> None:
        """Let it be adopted, leave it alone for now, or remove it."""
        came = max(file.at for file in files.values())
        if self._clock.now() - came > _KEPT_S:
            self._remove(entry, files, "nobody wanted it for a day")
            return
        if RESULT not in files:
            return  # a machine is at it, or was cut off
        if len(files) > 2 * MAX_FILES + 1 or any(file.bytes > _most(name) for name, file in files.items()):
            self._remove(entry, files, "it is larger than any result")
            return
        request_id = self._words[entry].request_id if entry in self._words else self._of_others.get(entry)
        if request_id is None:
            self._files.show({entry: files})
            request_id = self._job_of(entry)
            if request_id is None:
                self._remove(entry, files, "it is no result of that job")
                return
        record = self._queue.job(request_id)
        if record is None:
            self._of_others[entry] = request_id  # of another queue with the same store
            return
        self._of_others.pop(entry, None)
        stale = entry in self._words and self._words[entry].is_stale
        if stale or record.state in _OVER or record.lease_no < lease_no_of(entry):
            self._remove(entry, files, f"its job is {record.state.value} without it")
            return
        known = self._words.setdefault(entry, _Words(request_id, record))
        known.record = record

    def _job_of(self, entry: str) -> str | None:
        """The job of a finished result, as it says and as its place says; None where these are two."""
        try:
            result = self._spool.result(entry)
        except InvalidSpoolData as error:
            log.warning("what a machine left as %s cannot be read: %s", entry, error.message)
            return None
        if result is None or result.record is None or result.request_id is None:
            return None
        return result.request_id if job_digest(result.request_id) == digest_of(entry) else None

    def _remove(self, entry: str, files: Mapping[str, IncomingFile], why: str) -> None:
        log.info("what a machine left as %s is removed: %s", entry, why)
        self._incoming.remove([file.name for file in files.values()])
        self._words.pop(entry, None)


def _by_entry(incoming: Incoming) -> dict[str, dict[str, IncomingFile]]:
    found: dict[str, dict[str, IncomingFile]] = defaultdict(dict)
    for each in incoming.list():
        place = incoming_entry(each.name)
        if place is not None:
            found[place[0]][place[1]] = each
    return found


def _most(name: str) -> int:
    return MAX_RESULT_BYTES if name == RESULT else MAX_FILE_BYTES


def _is_free(record: JobRecord, now: float) -> bool:
    """Whether the queue gives the job to whoever asks: nobody has it, or its lease has run out."""
    if record.state is JobState.RUNNING:
        return record.expires_at is not None and record.expires_at <= now
    return record.state is JobState.WAITING
