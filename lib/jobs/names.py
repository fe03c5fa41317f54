"""Whose audio lies under a name: jobs of the queue held against what the store wrote down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from lib.jobqueue import FinishedJob, JobQueue
from lib.jobqueue.earlier_revisions import former_takes
from lib.jobspec import JobSpec, take_name
from lib.records import Made
from lib.storage import (
    Claim,
    NotStored,
    PublishedTakes,
    Storage,
    StoredArtifact,
    files_by_path,
    output_name_of,
    publish_again,
)


class Strangeness(StrEnum):
    """What lies under a name of a done job in place of its audio."""

    REPLACED = "replaced"  # the audio of a job that was asked for later
    ANOTHER_ONES = "another_ones"  # the audio of a job that was asked for before
    EDITED = "edited"  # what no job made: a person's
    UNPUBLISHED = "unpublished"  # nothing


class StrangeName(NamedTuple):
    """A path of a done job that does not hold its audio; `owner` is the job that was asked for later."""

    kind: Strangeness
    path: str
    owner: str | None = None


class HeldName(NamedTuple):
    """A name that a job asks for and under which another job's audio lies."""

    request_id: str
    output_name: str
    owner: str  # request id


def claim_of(job: FinishedJob) -> Claim:
    """What a finished job wants its name with."""
    return Claim(job.request_id, job.revision, job.order)


def published_anew(
    queue: JobQueue, storage: Storage, job: FinishedJob, takes: Sequence[Made]
) -> PublishedTakes:
    """Publish a done job's audio from the store, under the order of the latest asking.

    Raises:
        StorageUnavailable: the store refuses.
        Unavailable: the queue does not answer.
    """
    former = former_takes(queue, job.request_id, job.revision)
    return publish_again(storage, claim_of(job), takes, former=former)


def taken_back(queue: JobQueue, storage: Storage, request_ids: Sequence[str]) -> list[HeldName]:
    """Publish the audio of those done jobs whose name holds another one's, and were asked for again since.

    Returns the names with their owners before. Reads a record for each, and no audio where the name is the
    job's own.

    Raises:
        StorageUnavailable: the store refuses.
        Unavailable: the queue does not answer.
    """
    found = []
    for job in queue.results(request_ids):
        record = job.done() if job is not None else None
        if job is None or record is None or not record.takes:
            continue
        owner = storage.owner(output_name_of(record.takes))
        if owner is not None and owner.request_id != job.request_id and owner.order < job.order:
            published_anew(queue, storage, job, record.takes)
            found.append(HeldName(job.request_id, output_name_of(record.takes), owner.request_id))
    return found


def newer_owner(storage: Storage, job: FinishedJob, takes: Sequence[Made]) -> Claim | None:
    """The job that was asked for later and has the name of one of these takes; None where none has."""
    rivals = storage.rivals(claim_of(job), output_name_of(takes), files_by_path(takes))
    found = (rivals.get(take.main.file) for take in takes)
    return next((rival for rival in found if rival is not None and rival.request_id != job.request_id), None)


def strange_file(
    storage: Storage, job: FinishedJob, takes: Sequence[Made], *, deep: bool = False
) -> str | None:
    """The published path of the job where another job's audio lies; None where none does.

    Not of a job of no order: two of these that share a name are alike. A file that has the length of the
    right one is read only with `deep`, or where the name is another job's as far as the store knows.
    """
    if not job.order:
        return None
    try:
        files = files_by_path(takes)
    except NotStored:
        return None
    own, name = set(files.values()), output_name_of(takes)
    owner = storage.owner(name)
    deep = deep or (owner is not None and owner.request_id != job.request_id)
    rivals = storage.rivals(claim_of(job), name, files)
    for path, artifact in files.items():
        if path not in rivals:
            stranger = storage.stranger(artifact, path, deep=deep)
            if stranger is not None and stranger not in own:
                return path
    return None


def held_by_others(storage: Storage, specs: Iterable[JobSpec]) -> list[HeldName]:
    """Of the names that these jobs would fill, those that hold the audio of a job that is not among them.

    One that is among them gives its name up by itself. Every take's name counts; of a job the first one.

    Raises:
        StorageUnavailable: the store refuses.
    """
    specs = list(specs)
    ours = {spec.request_id for spec in specs}
    found = []
    for spec in specs:
        for name in _names_of_takes(spec):
            owner = storage.owner(name)
            if owner is not None and owner.request_id not in ours:
                found.append(HeldName(spec.request_id, name, owner.request_id))
                break
    return found


def _names_of_takes(spec: JobSpec) -> Iterator[str]:
    """What other jobs may be called whose path one of its takes has."""
    for number in range(1, spec.variants + 1):
        yield take_name(spec.output_name, number, spec.format).removesuffix(f".{spec.format}")


def strange_name(storage: Storage, job: FinishedJob, takes: Sequence[Made]) -> StrangeName | None:
    """What a done job whose audio is in the store has not under its names; None where all is its own.

    Reads the published files.

    Raises:
        StorageUnavailable: the store refuses.
    """
    files = [take.main for take in takes]
    newer = newer_owner(storage, job, takes)
    if newer is not None:
        return StrangeName(Strangeness.REPLACED, files[0].file, newer.request_id)
    other = strange_file(storage, job, takes)
    if other is not None:
        return StrangeName(Strangeness.ANOTHER_ONES, other)
    for file in files:
        if not storage.published(file.file):
            return StrangeName(Strangeness.UNPUBLISHED, file.file)
        if storage.stands(StoredArtifact.of(file), file.file) is False:
            return StrangeName(Strangeness.EDITED, file.file)
    return None


def kept_for_a_person(
    storage: Storage, job: FinishedJob, takes: Sequence[Made], files: Sequence[str]
) -> str | None:
    """The published path of a job where a person's file was left, so that a take is played from the store.

    `files` are where the takes are played after a publication without trouble; None where each by its name.
    """
    pairs = zip(takes, files, strict=True)
    elsewhere = [take.main.file for take, file in pairs if file and file != storage.location(take.main.file)]
    if not elsewhere:
        return None
    rivals = storage.rivals(claim_of(job), output_name_of(takes), files_by_path(takes))
    return next((path for path in elsewhere if path not in rivals), None)


def to_be_replaced(queue: JobQueue, storage: Storage, request_ids: Sequence[str]) -> list[HeldName]:
    """Of these jobs, those whose name holds another one's audio, which speaking them again replaces.

    Raises:
        StorageUnavailable: the store refuses.
    """
    return held_by_others(storage, [spec for spec in queue.specs(request_ids) if spec is not None])
