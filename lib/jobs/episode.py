"""The beats of an episode: the jobs of a topic, in their order, with the audio that was spoken for them.

They lie where `up` and the queue put them, or in the folder of a `run`. What is not done, or does not hold
what was spoken, is named: an episode has all of its beats or is not made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from lib.captions import BrokenCaptions, Cue, read_json
from lib.errors import BadInput, ExitStatus, JobFailed, TryAgain
from lib.files import NotPlain, read_plain
from lib.foreign import parse_json
from lib.jobqueue import JobQueue
from lib.jobs.advice import HERE, AskingAgain
from lib.jobs.names import Strangeness, strange_name
from lib.jobs.report import UNFINISHED, ReportRow, Standing, report_on
from lib.jobspec import JobSpec, printable, titles
from lib.manifest import MANIFEST, OutFolder, load_manifest
from lib.manifest.obsolete_files import record_at
from lib.records import DoneRecord, ExecutionRecord, FileRef, InvalidRecord, SpokenRecord
from lib.storage import NotStored, Storage, StoredArtifact, files_of

EXECUTION: Final = "execution.json"
_MOST_EXECUTION: Final = 1024 * 1024 * 1024
_MOST_CAPTIONS: Final = 64 * 1024 * 1024
_DONE: Final = frozenset({"done", "skipped"})  # states in an execution.json


class NotAllDone(JobFailed):
    """A beat is not done, and waiting alone does not help."""


class NotYetDone(TryAgain):
    """A beat is not done yet."""


@dataclass(frozen=True, slots=True)
class EpisodeBeat:
    """One done beat. `place` is a path of this machine, or None where the audio has to be fetched first."""

    spec: JobSpec
    record: SpokenRecord
    place: Path | None
    cues: tuple[Cue, ...] = ()  # its captions

    @property
    def artifact(self) -> StoredArtifact:
        """Its audio in the store. Raises NotStored where it never was in one."""
        return StoredArtifact.of(self.record.chosen.audio)


def topics_of(specs: Sequence[JobSpec]) -> tuple[str, ...]:
    """The folders of their output names, each once, in the order of the file."""
    return tuple(dict.fromkeys(titles(spec.output_name)[1] for spec in specs))


def beats_of(specs: Sequence[JobSpec], topic: str | None) -> tuple[str, list[JobSpec]]:
    """The topic that is meant, and its jobs in the order of the file.

    `topic` is a folder of output names, `tides` or `course/tides`; None: all that the file has, which is no
    topic ("") where it has several.

    Raises:
        BadInput: the file has no such topic.
    """
    topics = topics_of(specs)
    if topic is None:
        return topics[0] if len(topics) == 1 else "", list(specs)
    wanted = topic.strip("/")
    found = [spec for spec in specs if f"{titles(spec.output_name)[1]}/".startswith(f"{wanted}/")]
    if not found:
        raise BadInput(
            f"The file has no beats of the topic {printable(wanted)!r}; it has: {_listed(topics)}."
        )
    return wanted, found


def beats_in_queue(
    queue: JobQueue, specs: Sequence[JobSpec], storage: Storage, now: float, again: AskingAgain = HERE
) -> list[EpisodeBeat]:
    """The beats as the queue's records have them. Reads in bulk; changes nothing.

    Raises:
        NotYetDone, NotAllDone: of some beat there is no audio; the first one is named, with what to do.
        BadInput: what is published of a beat was edited.
        StorageUnavailable: the store refuses.
    """
    report = report_on(queue, specs, storage, now, again=again)
    missing = [row for row in report.rows if row.standing not in (Standing.DONE, Standing.REPLACED)]
    if missing:
        raise _not_done([(row.spec.request_id, _why(row)) for row in missing], _worst(missing))
    beats = []
    for spec, finished in zip(specs, queue.results([spec.request_id for spec in specs]), strict=True):
        done = finished.done() if finished else None
        if finished is None or done is None:
            raise _not_done([(spec.request_id, "its record is gone")], ExitStatus.JOB_FAILED)
        if done.spoken is None:  # report has just seen this job's own record, of just this kind
            raise _not_done([(spec.request_id, "it made a picture")], ExitStatus.JOB_FAILED)
        strange = strange_name(storage, finished, done.takes)
        if strange is not None and strange.kind is Strangeness.EDITED and strange.path == done.output:
            raise BadInput(
                f"{storage.location(strange.path)} was edited: it does not hold what was spoken for "
                f"{spec.request_id}. Move it away, and what was spoken is joined; or join it by hand with "
                "voice-synth join."
            )
        beats.append(_stored(spec, done.spoken, storage))
    return beats


def stored_beat(spec: JobSpec, done: DoneRecord, storage: Storage) -> EpisodeBeat:
    """The beat of a finished job, with its captions and where its audio lies.

    Raises:
        NotAllDone: the job made a picture.
        StorageUnavailable: the store refuses.
    """
    if done.spoken is None:
        raise NotAllDone(f"{spec.request_id} is a picture, which cannot be joined to audio.")
    return _stored(spec, done.spoken, storage)


def _stored(spec: JobSpec, record: SpokenRecord, storage: Storage) -> EpisodeBeat:
    cues = cues_of(record, lambda file: stored_bytes(storage, file))
    return EpisodeBeat(spec, record, _local_place(storage, record), cues)


def stored_bytes(storage: Storage, file: FileRef) -> bytes:
    """A file of captions out of the store. Raises NotStored, StorageUnavailable."""
    with storage.open(StoredArtifact.of(file)) as stream:
        return stream.read(_MOST_CAPTIONS)


def cues_of(record: SpokenRecord, read: Callable[[FileRef], bytes]) -> tuple[Cue, ...]:
    """The captions of the chosen take: in the record, or in their file where they were too long for it."""
    take = record.chosen
    if take.captions:
        return take.captions
    for file in take.caption_files:
        if file.file.endswith(".captions.json"):
            with contextlib.suppress(BrokenCaptions, NotStored, OSError):  # the audio is good without them
                return read_json(read(file))[1]
    return ()


def _local_place(storage: Storage, record: SpokenRecord) -> Path | None:
    """Where the chosen take lies, if the places of the store are paths: only then none is signed."""
    audio = record.chosen.audio
    artifact = StoredArtifact.of(audio)
    if storage.sign_download(artifact, audio.file) is not None:
        return None
    return Path(storage.blob(artifact) or files_of(storage, record.takes[:1])[0])


def beats_in_folder(root: Path, specs: Sequence[JobSpec], run: str) -> list[EpisodeBeat]:
    """The beats in the folder of a `run`, by its records; `run` is the command that speaks them there.

    The bytes of the audio are not compared here.

    Raises:
        InvalidManifest: the folder holds none, or one that was changed.
        NotAllDone: of some beat there is no audio; the first one is named, with what to do.
    """
    manifest, folder = load_manifest(root / MANIFEST), OutFolder(root)
    execution = execution_at(root)
    known = {order.spec.request_id: order.spec for order in manifest.orders}
    if execution is None or execution.manifest_sha256 != manifest.sha256:
        jobs = {}
    else:
        jobs = {job.request_id: job for job in execution.jobs if job.state in _DONE}
    beats, missing = list[EpisodeBeat](), list[tuple[str, str]]()
    for spec in specs:
        compiled, job = known.get(spec.request_id), jobs.get(spec.request_id)
        record = record_at(folder, spec.output_name)
        if compiled is None:
            missing.append((spec.request_id, f"{root} has no such job; speak it with: {run}"))
        elif compiled.fingerprint != spec.fingerprint:
            missing.append((spec.request_id, f"it was changed since; speak it anew with: {run}"))
        elif job is None or not isinstance(record, SpokenRecord) or job.sha256 != record.chosen.audio.sha256:
            missing.append((spec.request_id, f"it is not spoken; speak it with: {run}"))
        else:
            around = root / Path(spec.output_name).parent
            cues = cues_of(record, partial(bytes_beside, around))
            beats.append(EpisodeBeat(spec, record, around / record.chosen.audio.file, cues))
    if missing:
        raise _not_done(missing, ExitStatus.JOB_FAILED)
    return beats


def bytes_beside(folder: Path, file: FileRef) -> bytes:
    """A file of captions beside its record. Raises OSError."""
    return read_plain(folder / file.file, _MOST_CAPTIONS)


def execution_at(root: Path) -> ExecutionRecord | None:
    """The record of the latest execution in the folder of a `run`; None where none can be read."""
    try:
        return ExecutionRecord.from_json(parse_json(read_plain(root / EXECUTION, _MOST_EXECUTION)))
    except (OSError, NotPlain, InvalidRecord, ValueError, RecursionError):
        return None


def _worst(rows: Sequence[ReportRow]) -> ExitStatus:
    waits = all(row.standing in UNFINISHED for row in rows)
    return ExitStatus.TRY_AGAIN if waits else ExitStatus.JOB_FAILED


def _why(row: ReportRow) -> str:
    return f"{row.standing.value}: {row.reason}" if row.reason else row.standing.value


def _not_done(missing: Sequence[tuple[str, str]], status: ExitStatus) -> NotAllDone | NotYetDone:
    name, why = missing[0]
    others = len(missing) - 1
    more = f"; {others} more {'is' if others == 1 else 'are'} not done, too" if others else ""
    sentence = f"{name} is not done, so nothing was joined ({why}){more}."
    return NotYetDone(sentence) if status is ExitStatus.TRY_AGAIN else NotAllDone(sentence)


def _listed(topics: Sequence[str], most: int = 8) -> str:
    names = [topic or "(none)" for topic in topics]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
