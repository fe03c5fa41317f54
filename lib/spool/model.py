"""What the files of a spool hold. Writing is exact; reading refuses whatever breaks the format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from lib.records import FileRef, InvalidRecord, MadeRecord, SpokenRecord, record_from
from lib.spool.checked_json import Checked, parse_object
from lib.spool.errors import InvalidSpoolData
from lib.spool.layout import (
    MAX_CAPTIONS_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_LINE_CHARACTERS,
    MAX_LOG_LINES,
    MAX_PEAKS_BYTES,
    MAX_PICTURE_BYTES,
    MAX_RECORD_BYTES,
    entry_name,
    is_entry,
    is_file_name,
    is_mark,
)

FORMAT: Final = 2
_LONGEST_ID: Final = 200
_LONGEST_FINGERPRINT: Final = 100
_MOST_IN_A_BATCH: Final = 64


class ResultErrorClass(StrEnum):
    """Why a job failed, as far as the caller's next step depends on it."""

    BAD_INPUT = "bad_input"  # the job is wrong; another try ends the same
    ENGINE = "engine"  # the engine failed; another try may work
    TIMEOUT = "timeout"  # the job ran longer than its timeout_s
    CANCELED = "canceled"  # the client asked for it
    POISON = "poison"  # workers keep dying while they work on this job


class WorkerState(StrEnum):
    """What a worker does at the time of its heartbeat."""

    LOADING = "loading"
    IDLE = "idle"
    WORKING = "working"
    DRAINING = "draining"
    STOPPED = "stopped"


class Phase(StrEnum):
    """Where an entry lies."""

    INBOX = "inbox"
    WORK = "work"
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class SpoolJob:
    """One lease of one job on its way to a worker. `spec` is the job specification's payload.

    `mark` tells leases of one number apart (`lib.spool.layout.lease_mark`). `fingerprint` names the work: an
    entry left by an earlier lease is good for a later one only where both ask for the same. `alone` keeps the
    job out of batches: its last batch ended its worker.
    """

    request_id: str
    lease_no: int
    mark: str
    attempt: int
    fingerprint: str
    spec: Mapping[str, Any]
    alone: bool = False

    @property
    def entry(self) -> str:
        """Its name in the spool."""
        return entry_name(self.request_id, self.lease_no, self.mark)

    def to_bytes(self) -> bytes:
        """The job file."""
        return _dump(
            {
                "format": FORMAT,
                "request_id": self.request_id,
                "lease_no": self.lease_no,
                "mark": self.mark,
                "attempt": self.attempt,
                "fingerprint": self.fingerprint,
                "alone": self.alone,
                "spec": self.spec,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> SpoolJob:
        """Read a job file.

        Raises:
            InvalidSpoolData: it breaks the format.
        """
        what = "The job file"
        checked = _open(data, what)
        return cls(
            request_id=checked.text("request_id", longest=_LONGEST_ID),
            lease_no=checked.whole("lease_no"),
            mark=_read_mark(checked),
            attempt=checked.whole("attempt"),
            fingerprint=checked.text("fingerprint", longest=_LONGEST_FINGERPRINT),
            alone=checked.flag("alone"),
            spec=checked.mapping("spec"),
        )


@dataclass(frozen=True, slots=True)
class ResultError:
    """Why a job failed: its class, a sentence, and the worker's last lines about it.

    `rejected` is the best take of one that was not good enough, as a file of the result.
    """

    error_class: ResultErrorClass
    message: str
    log: tuple[str, ...] = ()
    rejected: FileRef | None = None


@dataclass(frozen=True, slots=True)
class SpoolResult:
    """What a worker made of a job. `error` is None exactly when the job is done."""

    entry: str
    request_id: str | None  # None only when the job file could not be read
    started_at: float  # seconds since the epoch, by the worker's clock
    finished_at: float
    record: MadeRecord | None = None  # None exactly when the job failed
    error: ResultError | None = None
    fingerprint: str = ""  # of the job file it answers; empty when that could not be read

    @property
    def state(self) -> str:
        """`done` or `failed`."""
        return "failed" if self.error else "done"

    def to_bytes(self) -> bytes:
        """The `result.json`; over-long messages and logs are shortened, the end of a log is kept."""
        return _dump(
            {
                "format": FORMAT,
                "entry": self.entry,
                "request_id": self.request_id,
                "fingerprint": self.fingerprint,
                "state": self.state,
                "started_at": self.started_at,
                "finished_at": self.finished_at,
                "record": None if self.record is None else self.record.to_json(),
                "error": _error_json(self.error),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> SpoolResult:
        """Read a worker's `result.json`, trusting nothing in it.

        Raises:
            InvalidSpoolData: it breaks the format.
        """
        what = "The worker's result"
        checked = _open(data, what)
        state = checked.text("state", longest=10)
        if state not in ("done", "failed"):
            checked.refuse("state", "must be done or failed")
        failed = state == "failed"
        return cls(
            entry=checked.text("entry", longest=64),
            request_id=checked.optional_text("request_id", longest=_LONGEST_ID),
            fingerprint=checked.text("fingerprint", longest=_LONGEST_FINGERPRINT),
            started_at=checked.number("started_at"),
            finished_at=checked.number("finished_at"),
            record=None if failed else _read_record(checked),
            error=_read_error(checked, what) if failed else None,
        )


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker's sign of life."""

    pid: int
    state: WorkerState
    at: float  # seconds since the epoch, by the worker's clock
    started_at: float
    engine: str
    finished: int  # jobs since it started, done or failed
    entries: tuple[str, ...] = ()  # the jobs at hand: several when the engine speaks a batch
    pieces_done: int = 0
    pieces: int = 0

    def to_bytes(self) -> bytes:
        """The `heartbeat.json`."""
        return _dump(
            {
                "format": FORMAT,
                "pid": self.pid,
                "state": self.state.value,
                "at": self.at,
                "started_at": self.started_at,
                "engine": self.engine,
                "finished": self.finished,
                "entries": list(self.entries),
                "pieces_done": self.pieces_done,
                "pieces": self.pieces,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Heartbeat:
        """Read a worker's heartbeat.

        Raises:
            InvalidSpoolData: it breaks the format.
        """
        checked = _open(data, "The worker's heartbeat")
        state = checked.text("state", longest=20)
        if state not in set(WorkerState):
            checked.refuse("state", "is unknown")
        return cls(
            pid=checked.whole("pid"),
            state=WorkerState(state),
            at=checked.number("at"),
            started_at=checked.number("started_at"),
            engine=checked.text("engine", longest=200),
            finished=checked.whole("finished"),
            entries=_read_entries(checked),
            pieces_done=checked.whole("pieces_done"),
            pieces=checked.whole("pieces"),
        )


def _dump(value: Mapping[str, Any]) -> bytes:
    # "replace": half a surrogate pair (of a file name in a log line, say) is no UTF-8 and would be refused
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def _open(data: bytes, what: str) -> Checked:
    checked = Checked(parse_object(data, what), what)
    if checked.whole("format") != FORMAT:
        checked.refuse("format", f"is not {FORMAT}; the two sides have different versions")
    return checked


def _error_json(error: ResultError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    told: dict[str, Any] = {
        "class": error.error_class.value,
        "message": error.message[:MAX_LINE_CHARACTERS],
        "log": [line[:MAX_LINE_CHARACTERS] for line in error.log[-MAX_LOG_LINES:]],
    }
    return told if error.rejected is None else {**told, "rejected": error.rejected.to_json()}


def _read_error(checked: Checked, what: str) -> ResultError:
    error = Checked(checked.mapping("error"), f"{what}: error")
    name = error.text("class", longest=20)
    if name not in set(ResultErrorClass):
        error.refuse("class", "is unknown")
    lines = error.items("log", most=MAX_LOG_LINES)
    if not all(isinstance(line, str) and len(line) <= MAX_LINE_CHARACTERS for line in lines):
        error.refuse("log", f"must hold lines of at most {MAX_LINE_CHARACTERS} characters")
    message = error.text("message", longest=MAX_LINE_CHARACTERS)
    return ResultError(ResultErrorClass(name), message, tuple(lines), _read_rejected(error))


def _read_rejected(error: Checked) -> FileRef | None:
    if not error.has("rejected"):
        return None
    try:
        return FileRef.from_json(dict(error.mapping("rejected")))
    except InvalidRecord as problem:
        error.refuse("rejected", f"is no file: {problem}")


def _read_mark(checked: Checked) -> str:
    mark = checked.text("mark", longest=8)
    if not is_mark(mark):
        checked.refuse("mark", "must have 8 of the characters A-Z a-z 0-9 _ -")
    return mark


def _read_entries(checked: Checked) -> tuple[str, ...]:
    entries = checked.items("entries", most=_MOST_IN_A_BATCH)
    if not all(isinstance(entry, str) and is_entry(entry) for entry in entries):
        checked.refuse("entries", "must name entries of the spool")
    return tuple(entries)


def _read_record(checked: Checked) -> MadeRecord:
    """The record, bounded; each of its files has a plain name and a size that may be fetched."""
    raw = checked.mapping("record")
    size, bare = len(_dump(raw)), len(_dump(_without_captions(raw)))
    if bare > MAX_RECORD_BYTES:
        checked.refuse("record", f"is over {MAX_RECORD_BYTES} bytes")
    if size - bare > MAX_CAPTIONS_BYTES:
        checked.refuse("record", f"has captions of over {MAX_CAPTIONS_BYTES} bytes")
    try:
        record = record_from(raw)
    except InvalidRecord as error:
        raise InvalidSpoolData(f"The worker's result: {error.message}") from None
    if not isinstance(record, SpokenRecord):
        _check_file(checked, record.picture.picture, MAX_PICTURE_BYTES)
        return record
    if len(record.takes) > MAX_FILES:
        checked.refuse("record", f"has more than {MAX_FILES} takes")
    for take in record.takes:
        _check_file(checked, take.audio, MAX_FILE_BYTES)
        if take.peaks is not None:
            _check_file(checked, take.peaks, MAX_PEAKS_BYTES)
    return record.placed([replace(take, caption_files=()) for take in record.takes])


def _without_captions(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it came, but for the cues of its takes."""
    takes = raw.get("takes")
    bare = [
        {key: value for key, value in take.items() if key != "captions"}
        if isinstance(take, Mapping)
        else take
        for take in (takes if isinstance(takes, list) else ())
    ]
    return {**raw, "takes": bare} if bare else dict(raw)


def _check_file(checked: Checked, file: FileRef, most: int) -> None:
    if not is_file_name(file.file):
        checked.refuse("record", "names a file that is no plain file name")
    if file.bytes > most:
        checked.refuse("record", f"has a file of more than {most} bytes")
