"""Notes at a time of an audio: what somebody heard there. Kept by what the audio holds, not by its name.

A take that is spoken anew is another audio, so its notes are those of the old one still: they stand beside it
until somebody says that they are settled.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from lib.clock import Clock, rfc3339
from lib.errors import BadConfiguration, ExitStatus, JobRunnerError
from lib.foreign import parse_json

_PLACE: Final = Path("console/notes.jsonl")
MOST_OF_AN_AUDIO: Final = 200
_MOST_BYTES: Final = 64 << 20  # of the file: some 200,000 notes
LONGEST_NOTE: Final = 2_000  # characters


class NoteRefused(JobRunnerError):
    """There are too many notes."""

    exit_status = ExitStatus.BAD_INPUT


class UnknownNote(JobRunnerError):
    """There is no note of that id."""

    exit_status = ExitStatus.BAD_INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerNote:
    """What somebody said about a time of an audio.

    It is of a take of a `job` (`part` is its revision and its number: "r2.1"), or of a file of a `run`
    (`part` is its path). `seconds` are from the audio's start; `at` and `settled_at` are RFC 3339.
    """

    id: str
    at: str
    operator: str
    words: str
    seconds: float
    sha256: str
    part: str
    job: str | None = None
    run: str | None = None
    settled_at: str | None = None
    settled_by: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As REST tells it."""
        return asdict(self)


class NoteBook:
    """`console/notes.jsonl` in the data folder, for its owner alone; only ever appended to, and on the disk
    before anybody is told that a note is kept.

    Several processes may have it open: each reads what the others appended.

    Threads: any.
    Raises:
        BadConfiguration: from the constructor, where the file cannot be written.
    """

    def __init__(self, data: Path, clock: Clock) -> None:
        self.path, self._clock, self._lock = data / _PLACE, clock, threading.Lock()
        self._notes: dict[str, ListenerNote] = {}
        self._read = 0  # bytes, up to the end of a line
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise BadConfiguration(
                f"the notes {self.path} cannot be written: {error.strerror}; give this user that right"
            ) from None

    def add(
        self,
        *,
        operator: str,
        words: str,
        seconds: float,
        sha256: str,
        part: str,
        job: str | None = None,
        run: str | None = None,
    ) -> ListenerNote:
        """Keep a note.

        Raises:
            NoteRefused: that audio has MOST_OF_AN_AUDIO that are not settled.
            BadConfiguration: the disk refuses.
        """
        with self._alone():
            if len(self._open_of(sha256)) >= MOST_OF_AN_AUDIO:
                raise NoteRefused(f"this audio has {MOST_OF_AN_AUDIO} notes; settle some of them first")
            made = ListenerNote(
                id=uuid.uuid4().hex,
                at=rfc3339(self._clock.now()),
                operator=operator,
                words=words,
                seconds=round(seconds, 3),
                sha256=sha256,
                part=part,
                job=job,
                run=run,
            )
            self._append(made.to_json())
            self._notes[made.id] = made
            return made

    def settle(self, id: str, *, operator: str) -> ListenerNote:
        """Say that nothing is left to do about a note; a second time changes nothing.

        Raises:
            UnknownNote: there is none of that id.
            BadConfiguration: the disk refuses.
        """
        with self._alone():
            known = self._notes.get(id)
            if known is None:
                raise UnknownNote("there is no note of that id")
            if known.settled_at is not None:
                return known
            at = rfc3339(self._clock.now())
            self._append({"id": id, "settled_at": at, "settled_by": operator})
            self._notes[id] = replace(known, settled_at=at, settled_by=operator)
            return self._notes[id]

    def of(
        self, *, job: str | None = None, run: str | None = None, sha256: str | None = None
    ) -> list[ListenerNote]:
        """The notes of a job, of a run, or of an audio, by their times in it; the settled ones too."""
        with self._lock:
            self._catch_up()
            found = [
                each
                for each in self._notes.values()
                if (job is None or each.job == job)
                and (run is None or each.run == run)
                and (sha256 is None or each.sha256 == sha256)
            ]
        return sorted(found, key=lambda each: (each.part, each.seconds, each.at))

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)

    def _open_of(self, sha256: str) -> list[ListenerNote]:
        return [each for each in self._notes.values() if each.sha256 == sha256 and each.settled_at is None]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No thread and no other process writes meanwhile, and all that was written is known."""
        with self._lock:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                self._catch_up()
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _append(self, told: dict[str, Any]) -> None:
        """A line on the disk. What a full disk or a lost process left of one ends before it begins."""
        size = os.fstat(self._file).st_size
        data = b"\n" * (size > self._read) + f"{json.dumps(told)}\n".encode()
        if size + len(data) > _MOST_BYTES:
            raise BadConfiguration(f"{self.path} is full; move it away and start the console anew")
        try:
            if os.write(self._file, data) < len(data):
                raise OSError("the disk is full")
            os.fsync(self._file)
        except OSError as error:
            raise BadConfiguration(
                f"the note cannot be kept in {self.path}: {error.strerror or error}"
            ) from None
        self._read = size + len(data)

    def _catch_up(self) -> None:
        """Read what was appended since; a line without its end is not read yet."""
        size = os.fstat(self._file).st_size
        if size <= self._read:
            return
        data = os.pread(self._file, size - self._read, self._read)
        whole, _, _ = data.rpartition(b"\n")
        for line in whole.splitlines():
            self._take(line)
        self._read += len(whole) + 1 if whole else 0

    def _take(self, line: bytes) -> None:
        try:
            told = parse_json(line)
            if "words" in told:
                made = ListenerNote(**told)
                self._notes[made.id] = made
            elif told["id"] in self._notes:
                at, by = told["settled_at"], told["settled_by"]
                self._notes[told["id"]] = replace(self._notes[told["id"]], settled_at=at, settled_by=by)
        except (ValueError, TypeError, KeyError):
            return  # the rest of a line that was never finished
