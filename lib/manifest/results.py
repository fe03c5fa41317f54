"""Recognises finished jobs by content, and puts new ones at their exact places, whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lib.files import open_plain, sync_file
from lib.manifest.folder import WORKROOM, InTheWay, OutFolder
from lib.manifest.inputs import Inputs
from lib.manifest.order import Order
from lib.records import FileRef, InvalidRecord, SpokenRecord, Take
from lib.spool import InvalidSpoolData, SpoolClient, SpoolResult

_INCOMING: Final = f"{WORKROOM}/incoming"
_MAX_RESULT: Final = 4 * 1024 * 1024
_MOST_TAKES: Final = 16


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that is done: the record in its `result.json`, whose files lie beside it."""

    record: SpokenRecord


def finished_result(folder: OutFolder, inputs: Inputs) -> Finished | None:
    """The result of a job that is done for just these inputs, its files read and verified; else None."""
    order = inputs.order
    record = _record_of(folder, order)
    if record is None or record.inputs != inputs.hash or len(record.takes) > _MOST_TAKES:
        return None
    return Finished(record) if all(_verified(folder, order, take) for take in record.takes) else None


def deliver(
    folder: OutFolder, inputs: Inputs, spool: SpoolClient, entry: str, result: SpoolResult
) -> Finished:
    """Copy a worker's files out of the spool's `entry`, verify them, put them in place, then the record.

    The spool keeps its copy, so this may be repeated after a crash at any point.

    Raises:
        InvalidSpoolData: what the worker wrote cannot be used.
        InTheWay: a link or folder stands where a file has to be.
    """
    order, spoken = inputs.order, result.record
    if spoken is None or len(spoken.takes) > _MOST_TAKES:
        raise InvalidSpoolData(f"The worker's result in {entry} has no takes, or more than {_MOST_TAKES}.")
    record = spoken.placed([_named(take, order) for take in spoken.takes]).of_inputs(inputs.hash)
    data = _json_bytes(record.to_json())
    before = _record_of(folder, order)
    folder.need_parents(f"{_INCOMING}/")
    for take in spoken.takes:
        for file, name in _places(order, take):
            draft = f"{_INCOMING}/{entry}"
            spool.fetch(entry, file, folder.path(draft))
            sync_file(folder.path(draft))
            folder.put(draft, name)
        if take.peaks is None:  # one from an earlier result would be of other audio
            folder.remove(order.peaks_path(take.take))
    folder.write(order.result_path, data)
    _remove_former_takes(folder, order, before, len(record.takes))
    return Finished(record)


def _places(order: Order, take: Take) -> Iterator[tuple[FileRef, str]]:
    """The files of a take, each with its place; the audio last, for whoever waits for it."""
    if take.peaks is not None:
        yield take.peaks, order.peaks_path(take.take)
    yield take.audio, order.audio_path(take.take)


def _named(take: Take, order: Order) -> Take:
    """The take with the names that its files have here."""
    audio = replace(take.audio, file=_last(order.audio_path(take.take)))
    peaks = take.peaks and replace(take.peaks, file=_last(order.peaks_path(take.take)))
    return take.placed(audio, peaks)


def _record_of(folder: OutFolder, order: Order) -> SpokenRecord | None:
    try:
        data = folder.read(order.result_path, _MAX_RESULT)
        if data is None or len(data) > _MAX_RESULT:
            return None
        return SpokenRecord.from_json(json.loads(data))
    except (InTheWay, InvalidRecord, ValueError, RecursionError):
        return None  # whatever it is, it is no result of ours


def _verified(folder: OutFolder, order: Order, take: Take) -> bool:
    """Whether all files of a take are what the record says."""
    return all(_holds(folder, name, file.bytes, file.sha256) for file, name in _places(order, take))


def _holds(folder: OutFolder, name: str, size: object, sha256: object) -> bool:
    """Whether a plain file of that size and hash lies there."""
    try:
        if not folder.need_parents(name, make=False):
            return False
        fd = open_plain(folder.path(name))
    except (InTheWay, OSError):
        return False
    try:
        if os.fstat(fd).st_size != size:
            return False
        with open(fd, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    finally:
        os.close(fd)


def _remove_former_takes(folder: OutFolder, order: Order, before: SpokenRecord | None, present: int) -> None:
    """An earlier result of more takes leaves files that nothing describes any more."""
    former = 0 if before is None else min(len(before.takes), _MOST_TAKES)
    for number in range(present + 1, former + 1):
        folder.remove(order.audio_path(number))
        folder.remove(order.peaks_path(number))


def _json_bytes(value: Mapping[str, Any]) -> bytes:
    try:
        return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
    except (ValueError, UnicodeEncodeError):
        raise InvalidSpoolData("The worker's record holds what JSON cannot.") from None


def _last(name: str) -> str:
    return name.rpartition("/")[2]
