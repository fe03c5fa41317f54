"""P32: what was asked for is given back, so that a line can be changed: what is not proved says so."""

from __future__ import annotations

from typing import Any

import pytest

from lib.captions import Cue
from lib.errors import BadInput
from lib.jobqueue import Changed, UnknownJob
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobqueue.model import ErrorClass, Failure
from lib.jobs.spec_again import spec_again
from lib.jobspec import JobSpec, from_payload, normalize_job_spec
from lib.records import SpokenRecord, done_record
from tests.doubles import records


def asked(**fields: Any) -> JobSpec:
    return normalize_job_spec({"output_name": "topic/a", "text": "Two words.", "speaker": "Ryan", **fields})


def spoken_of(spec: JobSpec, *cues: str, **changes: Any) -> SpokenRecord:
    """The record of a job that was spoken so, with these captions."""
    length = 1.5 / max(1, len(cues))
    captions = [Cue(at * length, (at + 1) * length, text, "piece") for at, text in enumerate(cues)]
    stem = spec.output_name
    takes = [
        records.take(
            number,
            records.file_ref(
                f"{stem}.wav" if number == 1 else f"{stem}.take-{number:02}.wav", b"%d" % number
            ),
            speed=spec.speed if number == 1 else 1.1,
            seed=spec.seed if number == 1 and spec.seed is not None else number,
            captions=tuple(captions),
        )
        for number in range(1, spec.variants + 1)
    ]
    return records.spoken(
        *changes.pop("takes", takes),
        voice=spec.voice,
        speaker=spec.speaker,
        profile=spec.profile,
        characters=len(spec.text),
        target_lufs=-19.0 if spec.loudness is None else spec.loudness,
        **{"pronounce": spec.pronounce, **changes},
    )


def done(spec: JobSpec, *cues: str, **changes: Any) -> MemoryQueue:
    """A queue in which it was spoken."""
    queue = MemoryQueue()
    queue.enqueue([spec], changed=Changed.REPLACE)
    lease = queue.begin(queue.claim("w")[0])
    record = done_record(
        spoken_of(spec, *cues, **changes),
        started_at=1.0,
        finished_at=2.0,
        enqueued_at=0.0,
        now=2.0,
        provider="local",
        callback_data=spec.callback_data,
    )
    queue.complete(lease, record.to_json())
    return queue


@pytest.mark.parametrize(
    ("fields", "cues"),
    [
        ({}, ("Two words.",)),
        ({"text": "One. Two."}, ("One.", "Two.")),
        ({"text": "One.\n\nTwo."}, ("One.", "Two.")),
        ({"text": "一。二。"}, ("一。", "二。")),
        ({"speed": 1.2, "variants": 3, "seed": 7}, ("Two words.",)),
        ({"loudness": -16, "profile": "fast", "chunk": True}, ("Two words.",)),
        ({"speaker": None, "voice": "newsroom", "select_best": True, "variants": 2}, ("Two words.",)),
        ({"pronounce": {"words": "wurds", "Two": "/t uː/"}, "speed": 1.1}, ("Two words.",)),
        ({"callback_data": {"scene": 3}, "priority": "high", "max_attempts": 7}, ("Two words.",)),
    ],
)
def test_of_a_done_job_it_is_proved(fields: dict[str, Any], cues: tuple[str, ...]) -> None:
    spec = asked(**fields)
    known = spec_again(done(spec, *cues), "topic:a")
    assert (known.exact, known.unknown) == (True, ())
    again = from_payload(known.job)
    assert again.fingerprint == spec.fingerprint
    assert (again.priority, again.max_attempts, again.callback_data) == (
        spec.priority,
        spec.max_attempts,
        spec.callback_data,
    )


@pytest.mark.parametrize(
    ("fields", "cues", "unknown"),
    [
        ({"text": "One. Two.\nThree."}, ("One.", "Two.", "Three."), ("text", "pronounce", "seed")),
        ({"text": "One.   Two."}, ("One.", "Two."), ("text", "pronounce", "seed")),
        ({}, (), ("text", "pronounce")),
    ],
)
def test_what_is_not_proved_is_said(
    fields: dict[str, Any], cues: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    known = spec_again(done(asked(**fields), *cues), "topic:a")
    assert (known.exact, known.unknown) == (False, unknown)
    assert known.job["speaker"] == "Ryan"
    assert known.job.get("text", "").split() == " ".join(cues).split()
    assert "kept no more" in known.why


def test_takes_that_were_not_needed_were_asked_for() -> None:
    spec = asked(variants=3, select_best=True)
    queue = done(spec, "Two words.", takes=(spoken_of(asked(), "Two words.").takes[0],), variants=3)
    known = spec_again(queue, "topic:a")
    assert (known.exact, known.job["variants"]) == (True, 3)


def test_a_record_of_before_says_nothing_of_how_words_were_said() -> None:
    queue = done(asked(pronounce={"words": "wurds"}), "Two words.", pronounce={})
    known = spec_again(queue, "topic:a")
    assert (known.exact, known.unknown) == (False, ("pronounce", "seed"))


def test_of_a_job_that_is_not_done_it_is_kept() -> None:
    queue, spec = MemoryQueue(), asked(pronounce={"words": "wurds"}, batch="b")
    queue.enqueue([spec])
    assert from_payload(spec_again(queue, "topic:a").job) == spec
    lease = queue.begin(queue.claim("w")[0])
    queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "No."))
    assert from_payload(spec_again(queue, "topic:a").job) == spec


def test_the_present_revision_counts() -> None:
    queue = done(asked(), "Two words.")
    queue.enqueue([asked(text="Other words.")], changed=Changed.REPLACE)
    known = spec_again(queue, "topic:a")
    assert (known.revision, known.job["text"]) == (2, "Other words.")


def test_of_nothing_there_is_nothing() -> None:
    with pytest.raises(UnknownJob):
        spec_again(MemoryQueue(), "topic:a")
    queue = MemoryQueue()
    queue.enqueue([asked()])
    queue.complete(queue.begin(queue.claim("w")[0]), {"broken": True})
    with pytest.raises(BadInput, match="enqueue it from its file"):
        spec_again(queue, "topic:a")
