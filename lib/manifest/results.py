"""Recognises finished jobs by content, and puts new ones at their exact places, whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lib.captions import rendered
from lib.files import sync_file
from lib.jobspec.names import MAX_TAKES
from lib.manifest.folder import WORKROOM, OutFolder
from lib.manifest.inputs import Inputs
from lib.manifest.obsolete_files import Owners, holds, record_at, remove_former
from lib.manifest.order import Order
from lib.records import DrawnRecord, FileRef, Made, MadeRecord, SpokenRecord, Take
from lib.spool import InvalidSpoolData, SpoolClient, SpoolResult
from lib.spool.pictures import asked_picture, check_picture

_INCOMING: Final = f"{WORKROOM}/incoming"
_MOST_TAKES: Final = MAX_TAKES


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that is done: the record in its `result.json`, whose files lie beside it.

    `edited` are files of its earlier result that someone changed, so they were left.
    """

    record: MadeRecord
    edited: tuple[str, ...] = ()


def finished_result(folder: OutFolder, inputs: Inputs) -> Finished | None:
    """The result of a job that is done for just these inputs, its files read and verified; else None."""
    order = inputs.order
    record = record_at(folder, order.spec.output_name)
    if record is None or record.inputs != inputs.hash or len(record.takes) > _MOST_TAKES:
        return None
    return Finished(record) if all(_verified(folder, order, take) for take in record.takes) else None


def complete_captions(folder: OutFolder, inputs: Inputs, finished: Finished) -> None:
    """Write the captions of a finished job that are missing; what someone made of the others stays.

    Raises:
        InTheWay: a link or folder stands where a file has to be.
    """
    for take in finished.record.takes:
        if not isinstance(take, Take):
            continue
        names = inputs.order.caption_paths(take.take).values() if take.captions else ()
        missing = {name for name in names if not os.path.lexists(folder.path(name))}
        if not missing:  # as nearly always: making them takes longer than looking
            continue
        for name, data in _captions(inputs.order, take).items():
            if name in missing:
                folder.write(name, data)


def deliver(
    folder: OutFolder,
    inputs: Inputs,
    spool: SpoolClient,
    entry: str,
    result: SpoolResult,
    owners: Owners | None = None,
) -> Finished:
    """Copy a worker's files out of the spool's `entry`, verify them, put them in place, then the record.

    What the job's earlier result has besides (another format, more takes) is removed in between, but for
    paths that `owners` gives to other jobs. The spool keeps its copy, so this may be repeated after a crash
    at any point.

    Raises:
        InvalidSpoolData: what the worker wrote cannot be used.
        InTheWay: a link or folder stands where a file has to be.
    """
    order, told = inputs.order, result.record
    takes = told.takes if isinstance(told, SpokenRecord) else ()
    captions = {take.take: _captions(order, take) for take in takes[:_MOST_TAKES]}
    record = _placed(order, entry, told, captions).of_inputs(inputs.hash)
    data = _json_bytes(record.to_json())
    before = record_at(folder, order.spec.output_name)
    folder.need_parents(f"{_INCOMING}/")
    if isinstance(told, DrawnRecord):
        draft = f"{_INCOMING}/{entry}"
        spool.fetch(entry, told.picture.main, folder.path(draft))
        check_picture(folder.path(draft), told.picture)
        sync_file(folder.path(draft))
        folder.put(draft, order.audio_path())
    for take in takes:
        _put_take(folder, order, spool, entry, take, captions[take.take])
    edited = () if before is None else remove_former(folder, order, before, record, owners or {})
    folder.write(order.result_path, data)
    return Finished(record, edited)


def _placed(
    order: Order, entry: str, told: MadeRecord | None, captions: Mapping[int, Mapping[str, bytes]]
) -> MadeRecord:
    """The record with the names that its files have here. Raises InvalidSpoolData."""
    spec = order.spec
    if spec.is_picture:
        drawn = asked_picture(told, spec.size, spec.seed, spec.drawn_by)
        file = replace(drawn.picture.picture, file=_last(order.audio_path()))
        return drawn.placed([replace(drawn.picture, picture=file)])
    if not isinstance(told, SpokenRecord) or len(told.takes) > _MOST_TAKES:
        raise InvalidSpoolData(f"The worker's result in {entry} has no takes, or more than {_MOST_TAKES}.")
    return told.placed([_named(take, order, captions[take.take]) for take in told.takes])


def _put_take(
    folder: OutFolder,
    order: Order,
    spool: SpoolClient,
    entry: str,
    take: Take,
    captions: Mapping[str, bytes],
) -> None:
    """Put a take's files in place, each whole."""
    for name, caption in captions.items():
        folder.write(name, caption)
    for file, name in _places(order, take):
        draft = f"{_INCOMING}/{entry}"
        spool.fetch(entry, file, folder.path(draft))
        sync_file(folder.path(draft))
        folder.put(draft, name)
    for name in _not_made(order, take):  # one from an earlier result would be of other audio
        folder.remove(name)


def _places(order: Order, take: Made) -> Iterator[tuple[FileRef, str]]:
    """The files of a take, each with its place; the audio last, for whoever waits for it."""
    if isinstance(take, Take) and take.peaks is not None:
        yield take.peaks, order.peaks_path(take.take)
    yield take.main, order.audio_path(take.take)


def _not_made(order: Order, take: Take) -> Iterator[str]:
    """What would lie beside the take, and does not."""
    if take.peaks is None:
        yield order.peaks_path(take.take)
    if not take.captions:
        yield from order.caption_paths(take.take).values()


def _captions(order: Order, take: Take) -> dict[str, bytes]:
    """The files of a take's captions by path, made of its cues; whole ones, as each is written."""
    paths = order.caption_paths(take.take)
    return {paths[suffix]: data for suffix, data in rendered(take.captions, take.audio_seconds).items()}


def _named(take: Take, order: Order, captions: Mapping[str, bytes]) -> Take:
    """The take with the names that its files have here."""
    audio = replace(take.audio, file=_last(order.audio_path(take.take)))
    peaks = take.peaks and replace(take.peaks, file=_last(order.peaks_path(take.take)))
    files = [
        FileRef(_last(path), len(data), hashlib.sha256(data).hexdigest()) for path, data in captions.items()
    ]
    return take.placed(audio, peaks, files)


def _verified(folder: OutFolder, order: Order, take: Made) -> bool:
    """Whether all files of a take are what the record says."""
    return all(holds(folder, name, file) for file, name in _places(order, take))


def _json_bytes(value: Mapping[str, Any]) -> bytes:
    try:
        return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
    except (ValueError, UnicodeEncodeError):
        raise InvalidSpoolData("The worker's record holds what JSON cannot.") from None


def _last(name: str) -> str:
    return name.rpartition("/")[2]
