"""The voice-over: each beat is a job of the queue, and what they made is joined to one file with captions."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages import wiring
from job_pipeline.stages.instruction import notes_of, told
from job_pipeline.stages.material import read_material
from job_pipeline.stages.narration import Narration, NarrationBeat
from job_pipeline.stages.origin import files_of, narration_fields
from job_pipeline.stages.prose import count_words, first_words
from job_pipeline.stages.script_file import narration_at
from lib.captions import Cue, render
from lib.errors import BadInput, ExitStatus, JobFailed, TryAgain
from lib.files import replace_durably, write_whole
from lib.jobs.episode import EpisodeBeat, stored_beat
from lib.jobs.join_process import join
from lib.jobs.playlist import Titles, playlist
from lib.jobspec import InvalidJobSpec, JobSpec, normalize_job_spec, to_payload
from lib.pipeline.context import ExternalJob, TaskContext
from lib.records import DoneRecord
from lib.storage import Storage

VOICEOVER: Final = "voiceover.mp3"
CAPTIONS: Final = "captions.srt"
GAP_S: Final = 0.7  # between beats that have no gap_after
_SPOKEN_BY: Final = ("voice", "speaker")
_LONGEST_TITLE: Final = 60
_SLOWER: Final = re.compile(r"\b(?:slower|slow down|too fast)\b", re.I)
_FASTER: Final = re.compile(r"\b(?:faster|quicker|speed up|too slow)\b", re.I)
_STEP: Final = 0.1
_SLOWEST, _FASTEST = 0.5, 2.0


def speak_script(inputs: Mapping[str, Any], context: TaskContext) -> list[dict[str, Any]]:
    """The jobs that speak the script of the stage `script`, as it is in `script.txt` now.

    Raises:
        BadInput: script.txt was edited and cannot be read, or a beat cannot be a job.
    """
    narration, _ = narration_at(context.folder, inputs["script"])
    return specs_of(narration, context)


def speak_material(inputs: Mapping[str, Any], context: TaskContext) -> list[dict[str, Any]]:
    """The jobs that speak the script, beatsheet or job file of a run, as it is.

    Raises:
        BadInput: what is given cannot be used, or has nothing to say.
    """
    narration = read_material(context.run_inputs, narration_fields(context.config)).narration
    if not narration.beats:
        raise BadInput("the run has a topic and no script; give a script, or use the pipeline video")
    return specs_of(narration, context)


def specs_of(narration: Narration, context: TaskContext) -> list[dict[str, Any]]:
    """One job for each beat, without its request id, as `lib.jobspec` has checked it.

    Raises:
        BadInput: a beat cannot be a job.
    """
    notes = notes_of(context)
    fields = narration_fields(context.config)
    if notes and "seed" not in fields:  # else the queue would give back what was rejected
        fields["seed"] = len(notes)
    return [
        _spec(beat, number, narration, fields, _pace(notes), context)
        for number, beat in enumerate(narration.beats)
    ]


def _spec(
    beat: NarrationBeat,
    number: int,
    narration: Narration,
    fields: Mapping[str, Any],
    pace: float,
    context: TaskContext,
) -> dict[str, Any]:
    own: dict[str, Any] = dict(beat.options)
    for name, other in (_SPOKEN_BY, _SPOKEN_BY[::-1]):
        if own.get(name) and other not in own:
            own[other] = None  # who is named in the beat goes before who narrates the rest
    if pace:
        speed = float(own.get("speed") or fields.get("speed") or 1.0) + pace
        own["speed"] = round(min(max(speed, _SLOWEST), _FASTEST), 2)
    place = {"run": context.run, "stage": context.task, "beat": beat.id, "index": number}
    own |= {
        "output_name": f"runs/{context.run}/{context.task}/{beat.id}",
        "text": beat.text,
        "callback_data": {
            **own.get("callback_data", {}),
            **place,
            "title": beat.title or first_words(beat.text, _LONGEST_TITLE),
            "production": narration.title,
        },
    }
    try:
        spec = normalize_job_spec(own, {"batch": context.run, **fields})
    except InvalidJobSpec as error:
        raise BadInput(f"{beat.id} of {context.run} cannot be spoken: {error.problems[0]}") from None
    return {name: value for name, value in to_payload(spec).items() if name != "request_id"}


def _pace(notes: Sequence[str]) -> float:
    slower = sum(1 for note in notes if _SLOWER.search(note))
    return _STEP * (sum(1 for note in notes if _FASTER.search(note)) - slower)


def collect(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Join what the queue's jobs made: `voiceover.mp3` and `captions.srt`.

    Raises:
        JobFailed: a job failed, or what was spoken cannot be joined.
        TryAgain: the store or the program that joins is not ready.
    """
    specs, done = _done(context.jobs)
    storage = wiring.storage()
    beats = [stored_beat(spec, record, storage) for spec, record in zip(specs, done, strict=True)]
    titles = [str(spec.callback_data.get("title", spec.output_name)) for spec in specs]
    whole = Titles(str(specs[0].callback_data.get("production", context.run)), context.slug or "", "")
    context.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".join-", dir=context.folder) as scratch:
        places = [_place(beat, Path(scratch), number, storage) for number, beat in enumerate(beats)]
        answer = _joined(Path(scratch), playlist(beats, places, titles, whole, GAP_S), specs)
        _put(Path(scratch), answer, context, specs)
    seconds = answer["audio_seconds"]
    words = sum(count_words(spec.text) for spec in specs)
    measures = {"seconds": seconds, "words": words, "beats": len(specs)}
    context.record(VOICEOVER, type="audio/mpeg", measures=measures)
    context.record(CAPTIONS, type="application/x-subrip", measures={"seconds": seconds})
    notes = notes_of(context)
    paced = "the speed was changed" if _pace(notes) else ""
    left = "" if paced else "every beat was spoken anew, as before; a note can ask for slower or faster"
    return {
        **measures,
        "title": whole.title,
        "loudness_lufs": answer["loudness_lufs"],
        "engines": sorted({record.maker for record in done}),
        "beats": [
            {
                "id": str(spec.callback_data["beat"]),
                "title": chapter["title"],
                "text": spec.text,
                "start": chapter["start"],
                "end": chapter["end"],
                "sha256": beat.record.chosen.audio.sha256,
            }
            for spec, beat, chapter in zip(specs, beats, answer["chapters"], strict=True)
        ],
        "warnings": answer["warnings"],
        "files": files_of(context),
        **told(notes, paced, left),
    }


def _done(jobs: Sequence[ExternalJob]) -> tuple[list[JobSpec], list[DoneRecord]]:
    if not jobs:
        raise JobFailed("the queue was given no job, so there is nothing to join")
    bad = [job for job in jobs if job.state != "done"]
    if bad:
        why = bad[0].result.get("error") if isinstance(bad[0].result, Mapping) else None
        more = f"; {len(bad) - 1} more were not, too" if len(bad) > 1 else ""
        raise JobFailed(f"{bad[0].request_id} was not spoken: {why or bad[0].state}{more}")
    gone = [job.request_id for job in jobs if job.result is None]
    if gone:
        raise JobFailed(f"the queue has forgotten what it made of {gone[0]} (JOBS_RESULT_TTL)")
    specs = [normalize_job_spec({**job.spec, "request_id": job.request_id}) for job in jobs]
    return specs, [DoneRecord.from_json(job.result) for job in jobs]


def _place(beat: EpisodeBeat, scratch: Path, number: int, storage: Storage) -> Path:
    """Where a beat's audio is on this machine; what is elsewhere is fetched, verified."""
    if beat.place is not None:
        return beat.place
    place = scratch / f"{number}.{beat.spec.format}"
    storage.fetch(beat.artifact, place)
    return place


def _joined(scratch: Path, content: Mapping[str, Any], specs: Sequence[JobSpec]) -> dict[str, Any]:
    list_file = scratch / "playlist.json"
    write_whole(list_file, json.dumps(content, ensure_ascii=False).encode(), sync=False)
    level = specs[0].loudness
    options = ["--out", str(scratch / VOICEOVER), *([] if level is None else [f"--loudness={level:g}"])]
    status, answer = join(list_file, options)
    if status == ExitStatus.OK:
        return answer
    told_why = answer.get("error", {})
    why = told_why.get("message") if isinstance(told_why, Mapping) else None
    kind = TryAgain if status in (ExitStatus.TRY_AGAIN, ExitStatus.UNAVAILABLE) else JobFailed
    raise kind(f"the beats could not be joined: {why or f'voice-synth join ended with status {status}'}")


def _put(scratch: Path, answer: Mapping[str, Any], context: TaskContext, specs: Sequence[JobSpec]) -> None:
    """Move what was joined into the run's folder. Without captions of an engine each beat is one cue."""
    made = scratch / "voiceover.srt"
    if answer["srt"] is None:
        seconds = answer["audio_seconds"]
        cues = [
            Cue(chapter["start"], min(chapter["end"], seconds), " ".join(spec.text.split()), "estimated")
            for spec, chapter in zip(specs, answer["chapters"], strict=True)
        ]
        write_whole(made, render(cues, seconds, "srt").encode(), sync=True)
    replace_durably(made, context.folder / CAPTIONS)
    replace_durably(scratch / VOICEOVER, context.folder / VOICEOVER)
