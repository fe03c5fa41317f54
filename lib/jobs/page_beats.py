"""The beats of a page to listen to: the jobs of a topic, done or not, with the files that can be played.

Other than an episode, a page shows what is not done as such: whoever listens sees what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from lib.jobqueue import FinishedJob, JobQueue, JobState
from lib.jobs.advice import HERE, AskingAgain
from lib.jobs.episode import bytes_beside, cues_of, execution_at, stored_bytes
from lib.jobs.names import newer_owner, strange_file
from lib.jobs.report import ReportRow, Standing, report_on
from lib.jobspec import JobSpec, titles
from lib.manifest import MANIFEST, OutFolder, load_manifest
from lib.manifest.obsolete_files import record_at
from lib.records import ExecutionJob, FileRef, Made, MadeRecord, SpokenRecord, Take
from lib.storage import Storage, StoredArtifact, output_name_of

PAGE_NAME: Final = "listen.html"
_SPOKEN: Final = frozenset({Standing.DONE, Standing.REPLACED, Standing.ARTIFACT_GONE})
_ANY_ARTIFACT: Final = StoredArtifact(f"blobs/sha256/00/{'0' * 64}", "0" * 64, 1)  # which need not be there
_DONE: Final = frozenset({"done", "skipped"})  # states in an execution.json


@dataclass(frozen=True, slots=True)
class PageBeat:
    """One job. `files` and `peaks` are of its record's takes, None for one that is not on this machine.

    `state` is a word, `note` a sentence about it, "" where there is nothing to say.
    """

    output_name: str
    text: str
    state: str
    note: str = ""
    record: MadeRecord | None = None
    files: tuple[Path | None, ...] = ()
    peaks: tuple[Path | None, ...] = ()

    @property
    def topic(self) -> str:
        """The folder of its output name, "" for none."""
        return titles(self.output_name)[1]

    @property
    def is_playable(self) -> bool:
        """Whether any take can be played here, or the picture shown."""
        return any(self.files)


def page_beats_in_queue(
    queue: JobQueue, specs: Sequence[JobSpec], storage: Storage, now: float, again: AskingAgain = HERE
) -> list[PageBeat]:
    """The jobs as the queue's records and the store have them. Reads in bulk; changes nothing.

    Of a store whose places are no paths, no beat has files: they have to be fetched.

    Raises:
        StorageUnavailable: the store refuses.
    """
    rows = report_on(queue, specs, storage, now, again=again).rows
    spoken = [row.spec.request_id for row in rows if row.standing in _SPOKEN]
    records = dict(zip(spoken, queue.results(spoken), strict=True))
    beats = []
    for row in rows:
        finished = records.get(row.spec.request_id)
        done = finished.done() if finished else None
        if done is None or finished is None or not done.takes:
            beats.append(_silent(row.spec, row.standing.value, row.reason or ""))
        else:
            beats.append(_made(row, done.record, storage))
    return beats


def _made(row: ReportRow, record: MadeRecord, storage: Storage) -> PageBeat:
    own = row.standing is Standing.DONE and row.reason is None
    files = tuple(_place(storage, take.main, published=own) for take in record.takes)
    peaks = tuple(_peaks(storage, take) for take in record.takes)
    note = row.reason or ""
    if own and files[0] is not None and files[0] != Path(storage.location(record.chosen.main.file)):
        here = "what was spoken is played" if isinstance(record, SpokenRecord) else "what was drawn is shown"
        note = f"What lies under its name was edited; {here} here."
    shown = _with_cues(record, lambda file: stored_bytes(storage, file))
    return PageBeat(row.spec.output_name, row.spec.words, row.standing.value, note, shown, files, peaks)


def page_beats_of(queue: JobQueue, request_ids: Sequence[str], storage: Storage) -> list[PageBeat]:
    """The jobs of these ids without their file. Of a finished one the queue keeps no text: captions tell it.

    What it does not know any more is left out. Raises StorageUnavailable: the store refuses.
    """
    known = zip(
        request_ids,
        queue.jobs(request_ids),
        queue.results(request_ids),
        queue.specs(request_ids),
        strict=True,
    )
    beats = []
    for request_id, job, finished, spec in known:
        done = finished.done() if finished else None
        if finished is not None and done is not None and done.takes:
            beats.append(_by_record(finished, done.record, storage))
        elif spec is not None:
            beats.append(_silent(spec, job.state.value if job else "missing", ""))
        elif finished is not None or job is not None:
            failure = finished.failure() if finished else None
            state = finished.state if finished else job.state if job else JobState.FAILED
            name = request_id.replace(":", "/")  # as ids are made of names
            beats.append(PageBeat(name, "", state.value, failure.message if failure else ""))
    return beats


def _by_record(finished: FinishedJob, record: MadeRecord, storage: Storage) -> PageBeat:
    own = newer_owner(storage, finished, record.takes) is None
    own = own and strange_file(storage, finished, record.takes) is None
    files = tuple(_place(storage, take.main, published=own) for take in record.takes)
    peaks = tuple(_peaks(storage, take) for take in record.takes)
    shown = _with_cues(record, lambda file: stored_bytes(storage, file))
    text = " ".join(cue.text for cue in shown.chosen.captions) if isinstance(shown, SpokenRecord) else ""
    return PageBeat(output_name_of(record.takes), text, "done", "", shown, files, peaks)


def _silent(spec: JobSpec, state: str, note: str) -> PageBeat:
    return PageBeat(spec.output_name, spec.words, state, note)


def _place(storage: Storage, file: FileRef, *, published: bool) -> Path | None:
    """The published path where that holds what was spoken, by its length; else the store's own."""
    artifact = _artifact(file)
    if artifact is None or storage.sign_download(artifact, file.file) is not None:
        return None
    path = Path(storage.location(file.file))
    if published and _length(path) == file.bytes:
        return path
    place = storage.blob(artifact)
    return Path(place) if place else None


def _peaks(storage: Storage, take: Made) -> Path | None:
    peaks = _peaks_of(take)
    return None if peaks is None else _place(storage, peaks, published=True)


def _peaks_of(take: Made) -> FileRef | None:
    return take.peaks if isinstance(take, Take) else None


def _artifact(file: FileRef) -> StoredArtifact | None:
    return None if file.key is None else StoredArtifact.of(file)


def _length(path: Path) -> int | None:
    try:
        return path.stat(follow_symlinks=False).st_size
    except OSError:
        return None


def _with_cues(record: MadeRecord, read: Callable[[FileRef], bytes]) -> MadeRecord:
    """The record, whose chosen take has its captions though they were too long for the queue."""
    if not isinstance(record, SpokenRecord):
        return record
    cues = cues_of(record, read)
    first = record.chosen if cues == record.chosen.captions else replace(record.chosen, captions=cues)
    return record.placed([first, *record.takes[1:]])


def page_beats_in_folder(root: Path, specs: Sequence[JobSpec] | None = None) -> list[PageBeat]:
    """The jobs in the folder of a `run`, by its records; without `specs` all of its manifest.

    Raises:
        InvalidManifest: the folder holds none, or one that was changed.
    """
    manifest, folder = load_manifest(root / MANIFEST), OutFolder(root)
    known = {order.spec.request_id: order.spec for order in manifest.orders}
    execution = execution_at(root)
    told = {job.request_id: job for job in execution.jobs} if execution else {}
    beats = []
    for spec in known.values() if specs is None else specs:
        compiled, job = known.get(spec.request_id), told.get(spec.request_id)
        if compiled is None:
            beats.append(_silent(spec, "missing", f"It is no job of {root}."))
        elif compiled.fingerprint != spec.fingerprint:
            beats.append(_silent(spec, "changed", "It was changed since it was spoken."))
        else:
            beats.append(_in_folder(folder, root, spec, job))
    return beats


def _in_folder(folder: OutFolder, root: Path, spec: JobSpec, job: ExecutionJob | None) -> PageBeat:
    record = record_at(folder, spec.output_name) if job and job.state in _DONE else None
    if record is None or job is None or job.sha256 != record.chosen.main.sha256:
        state = (
            job.state if job and job.state not in _DONE else "not drawn" if spec.is_picture else "not spoken"
        )
        return _silent(spec, state, (job.error if job else None) or "")
    around = root / Path(spec.output_name).parent
    files = tuple(_there(around, take.main) for take in record.takes)
    peaks = tuple(_there(around, file) if file else None for file in map(_peaks_of, record.takes))
    shown = _with_cues(record, partial(bytes_beside, around))
    return PageBeat(spec.output_name, spec.words, "done", "", shown, files, peaks)


def _there(folder: Path, file: FileRef) -> Path | None:
    path = folder / file.file
    return path if os.path.isfile(path) else None


def folder_of(storage: Storage) -> Path | None:
    """The folder that published names are relative to; None where the store's places are no paths."""
    if storage.sign_download(_ANY_ARTIFACT, PAGE_NAME) is not None:
        return None
    return Path(storage.location(PAGE_NAME)).parent


def by_topic(beats: Sequence[PageBeat]) -> dict[str, list[PageBeat]]:
    """The beats of each topic, in their order."""
    found: dict[str, list[PageBeat]] = {}
    for beat in beats:
        found.setdefault(beat.topic, []).append(beat)
    return found
