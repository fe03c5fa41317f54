"""`job-runner enqueue-beatsheet`: the beats of a topic into the queue, once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from job_runner import wiring
from job_runner.commands.enqueue import ReplaceOption, SkipConflictsOption, changed_of, enqueue_jobs
from lib.cli.options import (
    DryRunOption,
    JsonOption,
    RedisUrlOption,
    SpeakerOption,
    VoiceOption,
    WaitOption,
)
from lib.errors import UsageError
from lib.jobs.enqueue_beatsheet import load_speakable_beatsheet

EXAMPLES = ("job-runner enqueue-beatsheet tides.json --voice newsroom",)


def command(
    path: Annotated[
        Path,
        typer.Argument(metavar="JSON", help="The beatsheet; - reads standard input.", show_default=False),
    ],
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    skip_conflicts: SkipConflictsOption = False,
    replace: ReplaceOption = False,
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Enqueue the beats of a beatsheet, {"topic": ..., "beats": [{"id": ..., "text": ...}]}, as jobs.

    The audio of a beat is <topic>/<id>; its callback_data carries topic, beat_id and index. All beats are
    enqueued or none, each once. Exit statuses are those of enqueue.
    """
    if voice is not None and speaker is not None:
        raise UsageError("give one of --voice and --speaker, not both")
    here = wiring.here(redis_url)
    file = load_speakable_beatsheet(path, here.check(), voice=voice, speaker=speaker)
    here.warn_of_machines_for(file)
    return enqueue_jobs(
        file,
        changed=changed_of(skip_conflicts=skip_conflicts, replace=replace),
        wait=wait,
        dry_run=dry_run,
        here=here,
        as_json=json_,
    )
