"""What an earlier result left in a folder: files that nobody asks for any more, and outputs of no job."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from lib.files import open_plain, sync_folder
from lib.jobspec import CAPTION_SUFFIXES, PEAKS_SUFFIX, take_name
from lib.jobspec.fields import FORMATS
from lib.jobspec.names import MAX_TAKES, RESULT_FILE, folded
from lib.jobspec.pictures import PICTURE_SUFFIX
from lib.manifest.folder import WORKROOM, InTheWay, OutFolder
from lib.manifest.manifest_json import MANIFEST
from lib.manifest.order import Order
from lib.records import FileRef, InvalidRecord, MadeRecord, record_from

_MAX_RESULT: Final = 8 * 1024 * 1024
_MOST_FOLDERS: Final = 100_000  # that are looked through for outputs of no job
_SUFFIXES: Final = (*FORMATS, PICTURE_SUFFIX, PEAKS_SUFFIX, *CAPTION_SUFFIXES)

#: The output name of the job that each path of a file's jobs belongs to, the paths folded.
Owners = Mapping[str, str]


def owners_of(orders: Iterable[Order]) -> Owners:
    """Say whose each path is that the jobs' audio goes to, and what lies beside it."""
    return {
        folded(path): order.spec.output_name
        for order in orders
        for take in range(1, order.spec.variants + 1)
        for path in order.take_paths(take)
    }


def record_at(folder: OutFolder, output_name: str) -> MadeRecord | None:
    """The record of the job's latest result; None where there is none of ours."""
    try:
        data = folder.read(f"{output_name}/{RESULT_FILE}", _MAX_RESULT)
        if data is None or len(data) > _MAX_RESULT:
            return None
        return record_from(json.loads(data))
    except (InTheWay, OSError, InvalidRecord, ValueError, RecursionError):
        return None  # whatever it is, it is no result of ours


def holds(folder: OutFolder, name: str, file: FileRef) -> bool:
    """Whether a plain file of that size and hash lies there."""
    try:
        if not folder.need_parents(name, make=False):
            return False
        fd = open_plain(folder.path(name))
    except (InTheWay, OSError):
        return False
    try:
        if os.fstat(fd).st_size != file.bytes:
            return False
        with open(fd, "rb", closefd=False) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    finally:
        os.close(fd)


def remove_former(
    folder: OutFolder, order: Order, before: MadeRecord, present: MadeRecord, owners: Owners
) -> tuple[str, ...]:
    """Remove what the job's record `before` names and `present`, whose files stand, does not.

    Called before `present` is written: killed at any point, the next call has the same record to go by. Paths
    of other jobs are left alone. Returns the paths where other bytes lie than the record says: they stay.

    Raises OSError.
    """
    name = order.spec.output_name
    new = {path for path, _ in _files(name, present)}
    former = [
        (path, file)
        for path, file in _files(name, before)
        if path not in new
        and os.path.lexists(folder.path(path))
        and not _of_another(folder, path, name, owners)
    ]
    if former:  # after a power cut too, the new files stand before the old ones are gone
        sync_folder(folder.path(name).parent)
    edited = []
    for path, file in former:
        if holds(folder, path, file):
            folder.remove(path)
        else:
            edited.append(path)
    return tuple(edited)


def outputs_of_no_job(folder: OutFolder, orders: Sequence[Order]) -> tuple[str, ...]:
    """The chosen takes in the folder that were spoken for jobs which `orders` has no more, sorted.

    Manifests in folders of their own below this one are left out, with all that is theirs.
    """
    present = {folded(order.spec.output_name) for order in orders}
    owners = owners_of(orders)
    found = []
    for name in islice(_with_results(folder), _MOST_FOLDERS):
        if folded(name) in present:
            continue
        record = record_at(folder, name)
        if record is None or record.inputs is None:  # spoken by hand: it never was a job's of a file
            continue
        path = next((path for path, _ in _files(name, record)), None)
        if path is not None and folded(path) not in owners and os.path.isfile(folder.path(path)):
            found.append(path)
    return tuple(sorted(found))


def _with_results(folder: OutFolder) -> Iterator[str]:
    """Each folder below that holds a `result.json`, as the output name it would be of."""
    for where, folders, files in os.walk(folder.root):
        here = os.path.relpath(where, folder.root)
        if here == os.curdir:
            folders[:] = [each for each in folders if each != WORKROOM]
        elif MANIFEST in files:
            folders.clear()
        elif RESULT_FILE in files:
            yield here.replace(os.sep, "/")


def _files(output_name: str, record: MadeRecord) -> Iterator[tuple[str, FileRef]]:
    """The record's files by path, the chosen audio first; only under names that a job's files can have."""
    parent, slash, last = output_name.rpartition("/")
    for take in record.takes[:MAX_TAKES]:
        possible = {take_name(last, take.take, suffix) for suffix in _SUFFIXES}
        for file in take.files:
            if file.file in possible:
                yield f"{parent}{slash}{file.file}", file


def _of_another(folder: OutFolder, path: str, output_name: str, owners: Owners) -> bool:
    """Whether another job of the file has its own file there, or the audio of one that is gone lies there.

    `x.take-02.wav` is of `x` with two takes, and of a job that is called `x.take-02`.
    """
    if owners.get(folded(path), output_name) != output_name:
        return True
    for suffix in _SUFFIXES:
        owner = path.removesuffix(f".{suffix}")
        if owner not in (path, output_name):
            record = record_at(folder, owner)
            return record is not None and any(
                path == each and holds(folder, path, file) for each, file in _files(owner, record)
            )
    return False
