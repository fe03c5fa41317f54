"""Finished jobs at their exact places: recognised by content, put there whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.manifest.folder import WORKROOM, InTheWay, OutFolder
from lib.manifest.inputs import Inputs
from lib.manifest.order import Order
from lib.spool import InvalidSpoolData, ResultFile, SpoolClient, SpoolResult

_INCOMING: Final = f"{WORKROOM}/incoming"
_MAX_RESULT: Final = 4 * 1024 * 1024
_MOST_TAKES: Final = 16


@dataclass(frozen=True, slots=True)
class Finished:
    """What is known of a job that is done: the record in its `result.json`, and the chosen take's hash."""

    record: Mapping[str, Any]
    sha256: str

    @property
    def seconds(self) -> float | None:
        """Seconds of audio."""
        return _number(self.record.get("seconds"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people must hear of it."""
        found = self.record.get("warnings")
        return tuple(text for text in found if isinstance(text, str)) if isinstance(found, list) else ()

    @property
    def work_seconds(self) -> float | None:
        """Seconds the engine took."""
        return _number(self.record.get("work_seconds"))


def finished_result(folder: OutFolder, inputs: Inputs) -> Finished | None:
    """The result of a job that is done for just these inputs, its files read and verified; else None."""
    order = inputs.order
    record = _record_of(folder, order)
    if record is None or record.get("inputs") != inputs.hash:
        return None
    takes = record.get("takes")
    if not isinstance(takes, list) or not 1 <= len(takes) <= _MOST_TAKES:
        return None
    hashes = [_verified(folder, order, number, take) for number, take in enumerate(takes, start=1)]
    return Finished(record, hashes[0]) if hashes[0] is not None and all(hashes) else None


def deliver(folder: OutFolder, inputs: Inputs, spool: SpoolClient, result: SpoolResult) -> Finished:
    """Copy a worker's files out of the spool, verify them, put them in place, then the record.

    The spool keeps its copy, so this may be repeated after a crash at any point.

    Raises:
        InvalidSpoolData: what the worker wrote cannot be used.
        InTheWay: a link or folder stands where a file has to be.
    """
    order = inputs.order
    files = _in_order(result)
    record = _renamed(result.record, order, files)
    data = _json_bytes({**record, "inputs": inputs.hash})
    before = _record_of(folder, order)
    folder.need_parents(f"{_INCOMING}/")
    for file in files:
        for part, name in _places(order, file):
            draft = f"{_INCOMING}/{result.entry}"
            spool.fetch(result.entry, part, folder.path(draft))
            _sync_file(folder, draft)
            folder.put(draft, name)
        if file.peaks is None:  # one from an earlier result would be of other audio
            folder.remove(order.peaks_path(file.take))
    folder.write(order.result_path, data)
    _remove_former_takes(folder, order, before, len(files))
    return Finished(record, files[0].sha256)


def _places(order: Order, file: ResultFile) -> Iterator[tuple[ResultFile, str]]:
    """The files of a take, each with its place; the audio last, for whoever waits for it."""
    if file.peaks is not None:
        yield file.peaks, order.peaks_path(file.take)
    yield file, order.audio_path(file.take)


def _in_order(result: SpoolResult) -> Sequence[ResultFile]:
    files = sorted(result.files, key=lambda file: file.take)
    if [file.take for file in files] != list(range(1, len(files) + 1)) or len(files) > _MOST_TAKES:
        raise InvalidSpoolData(f"The worker's result in {result.entry} does not number its takes from 1.")
    return files


def _renamed(record: Mapping[str, Any], order: Order, files: Sequence[ResultFile]) -> dict[str, Any]:
    """The worker's record with the names that its files have here.

    Raises:
        InvalidSpoolData: its takes are not those of `files`.
    """
    takes = record.get("takes")
    if not isinstance(takes, list) or [_take_facts(take) for take in takes] != [
        (file.take, *_facts(file)) for file in files
    ]:
        raise InvalidSpoolData("The worker's record does not describe the files it came with.")
    named = [_named(take, order, file) for take, file in zip(takes, files, strict=True)]
    return {**record, "file": named[0]["file"], "takes": named}


def _named(take: Mapping[str, Any], order: Order, file: ResultFile) -> dict[str, Any]:
    peaks = file.peaks and {
        "file": _last(order.peaks_path(file.take)),
        "bytes": file.peaks.bytes,
        "sha256": file.peaks.sha256,
    }
    return {**take, "file": _last(order.audio_path(file.take)), "peaks": peaks}


def _facts(file: ResultFile) -> tuple[int, str, tuple[int, str] | None]:
    peaks = file.peaks
    return file.bytes, file.sha256, None if peaks is None else (peaks.bytes, peaks.sha256)


def _take_facts(take: object) -> tuple[Any, ...] | None:
    """The same of a record's take, with its number in front; None for what is none."""
    if not isinstance(take, dict):
        return None
    peaks = take.get("peaks")
    if peaks is not None and not isinstance(peaks, dict):
        return None
    of_peaks = None if peaks is None else (peaks.get("bytes"), peaks.get("sha256"))
    return take.get("take"), take.get("bytes"), take.get("sha256"), of_peaks


def _record_of(folder: OutFolder, order: Order) -> dict[str, Any] | None:
    try:
        data = folder.read(order.result_path, _MAX_RESULT)
        record = None if data is None or len(data) > _MAX_RESULT else json.loads(data)
    except (InTheWay, ValueError, RecursionError):
        return None  # whatever it is, it is no result of ours
    return record if isinstance(record, dict) else None


def _verified(folder: OutFolder, order: Order, number: int, take: object) -> str | None:
    """The hash of a take's audio when all its files are what the record says."""
    facts = _take_facts(take)
    if facts is None or facts[0] != number:
        return None
    _, size, digest, peaks = facts
    if peaks is not None and not _holds(folder, order.peaks_path(number), *peaks):
        return None
    return digest if _holds(folder, order.audio_path(number), size, digest) else None


def _holds(folder: OutFolder, name: str, size: object, sha256: object) -> bool:
    """Whether a plain file of that size and hash lies there."""
    try:
        if not folder.need_parents(name, make=False):
            return False
        fd = os.open(folder.path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (InTheWay, OSError):
        return False
    try:
        if not os.path.isfile(fd) or os.fstat(fd).st_size != size:
            return False
        with open(fd, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    finally:
        os.close(fd)


def _remove_former_takes(
    folder: OutFolder, order: Order, before: Mapping[str, Any] | None, present: int
) -> None:
    """An earlier result of more takes leaves files that nothing describes any more."""
    takes = (before or {}).get("takes")
    former = min(len(takes), _MOST_TAKES) if isinstance(takes, list) else 0
    for number in range(present + 1, former + 1):
        folder.remove(order.audio_path(number))
        folder.remove(order.peaks_path(number))


def _sync_file(folder: OutFolder, name: str) -> None:
    fd = os.open(folder.path(name), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _json_bytes(value: Mapping[str, Any]) -> bytes:
    try:
        return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
    except (ValueError, UnicodeEncodeError):
        raise InvalidSpoolData("The worker's record holds what JSON cannot.") from None


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
