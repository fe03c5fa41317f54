"""`job-runner page`: a page to listen to for each topic, beside its audio."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from job_runner import wiring
from job_runner.listen.pages import MadePage, make_pages
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption, SpeakerOption, VoiceOption
from lib.cli.progress import ProgressBar
from lib.cli.signals import sigterm_interrupts
from lib.clock import SystemClock
from lib.errors import BadConfiguration, BadInput, ExitStatus, UsageError
from lib.jobqueue import JobQueue
from lib.jobs.episode import beats_of
from lib.jobs.page_beats import (
    PageBeat,
    folder_of,
    page_beats_in_folder,
    page_beats_in_queue,
    page_beats_of,
)
from lib.jobs.selection import select
from lib.jobspec import JobSpec, load_job_file
from lib.records import Made
from lib.storage import ArtifactMismatch, NotStored, Storage, StoredArtifact

_FILES = (".yaml", ".yml", ".json")
_MANY = 5  # takes; so many copied ones are worth a line

EXAMPLES = (
    "job-runner page jobs.yaml",
    "job-runner page topic/",
    "job-runner page jobs.yaml --from outputs/jobs",
    "job-runner page jobs.yaml --out for-the-client",
)

WhatArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE|TOPIC",
        help="A job file or beatsheet, or a topic of the queue such as course/; else all that is known.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="DIR",
        help="The folder of a `run`; else the queue knows where the audio is.",
        show_default=False,
    ),
]
TopicOption = Annotated[
    str | None,
    typer.Option("--topic", metavar="NAME", help="Only this topic of the file.", show_default=False),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Copy the audio into this folder, too, and make the pages beside it there.",
        show_default=False,
    ),
]


def command(
    what: WhatArgument = None,
    folder: FolderOption = None,
    topic: TopicOption = None,
    out: OutOption = None,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Make a page to listen to for each topic: texts, waveforms, a player; one file beside the audio.

    It opens from the disk and asks no network for anything. What is not done is shown as such; so is audio
    that is missing.
    """
    file = _file_of(what)
    if topic is not None and file is None:
        raise UsageError("--topic is of a file; name a topic of the queue alone: job-runner page course/")
    if folder is not None and out is not None:
        raise UsageError("--out copies from the store; the folder of --from can be copied as it is")
    specs = None if file is None else load_job_file(file, voice=voice, speaker=speaker).specs
    if specs is not None:
        specs = tuple(beats_of(specs, topic)[1])
    with sigterm_interrupts():
        if folder is not None:
            if what is not None and file is None:
                raise UsageError("--from is of a file; name the file, or leave it out for all of the folder")
            beats = page_beats_in_folder(folder.absolute(), specs)
            made = make_pages(beats, lambda each: folder / each, folder.absolute().name)
        else:
            made = _of_queue(what, file, specs, redis_url, out)
    return _tell(made, as_json=json_)


def _file_of(what: str | None) -> Path | None:
    """The file that is meant: what exists, or is called like one; a slash at the end is a topic's."""
    if what is None or what.endswith("/"):
        return None
    path = Path(what)
    return path if what == "-" or path.suffix in _FILES or os.path.isfile(path) else None


def _of_queue(
    what: str | None,
    file: Path | None,
    specs: Sequence[JobSpec] | None,
    redis_url: str | None,
    out: Path | None,
) -> list[MadePage]:
    here = wiring.here(redis_url)
    storage = here.storage()
    folder = folder_of(storage) if out is None else out
    if folder is None:
        raise BadConfiguration(
            "The store is a bucket, and a page lies beside its audio on a disk; name a folder to copy both "
            "into: --out DIR"
        )
    with here.open_queue() as queue:
        if specs is None:
            beats = page_beats_of(queue, _known(queue, what), storage)
        else:
            beats = page_beats_in_queue(queue, specs, storage, SystemClock().now(), here.again)
    name = file.stem if file is not None and file != Path("-") else "jobs"
    return make_pages(
        beats if out is None else _copied(beats, storage, out.absolute()), lambda each: folder / each, name
    )


def _known(queue: JobQueue, what: str | None) -> Sequence[str]:
    """The ids that the queue knows under a topic, or all."""
    if what is not None:
        return select(queue, [f"{what.rstrip('/')}/"], None).ids
    ids = queue.ids_under("")
    if not ids:
        raise BadInput("The queue knows no jobs, so there is nothing to show; name a job file.")
    return ids


def _copied(beats: Sequence[PageBeat], storage: Storage, out: Path) -> list[PageBeat]:
    """The beats with their audio in that folder, under the published names."""
    takes = sum(len(beat.record.takes) for beat in beats if beat.record is not None)
    copied = []
    with ProgressBar(takes, "copied", quiet=takes < _MANY) as bar:
        for beat in beats:
            files = [] if beat.record is None else [_copy(take, storage, out) for take in beat.record.takes]
            bar.advance(len(files))
            copied.append(replace(beat, files=tuple(files), peaks=beat.peaks if any(beat.peaks) else ()))
    return copied


def _copy(take: Made, storage: Storage, out: Path) -> Path | None:
    target = out / take.main.file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        storage.fetch(StoredArtifact.of(take.main), target)
    except (NotStored, ArtifactMismatch):
        return None
    except OSError as error:
        raise BadConfiguration(f"{target} cannot be written: {error.strerror or error}.") from None
    return target


def _tell(made: Sequence[MadePage], *, as_json: bool) -> int:
    problems = [page.problem for page in made if page.problem is not None]
    if as_json:
        output.emit_json({"pages": [page.to_json() for page in made]})
    else:
        for page in made:
            if page.problem is None:
                missing = page.beats - page.playable
                beats = f"{page.beats} beat{'' if page.beats == 1 else 's'}"
                output.say(f"{page.file}  {beats}" + (f", {missing} cannot be played" if missing else ""))
    for problem in problems:
        output.error(problem)
    return ExitStatus.BAD_CONFIGURATION if problems else ExitStatus.OK
