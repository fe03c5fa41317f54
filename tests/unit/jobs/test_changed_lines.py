"""A changed line: what a conflict says of it, who waited for the old one, where the old record is (Q42)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from lib.clock import ManualClock
from lib.errors import ExitStatus
from lib.jobqueue import Changed, FinishedJob, JobQueue, JobSpec
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.follow import Batch, Followed
from lib.jobs.results import NoSuchRevision, ending_of, ending_or_record, result_rows
from lib.jobs.submit import Conflict, submit
from lib.jobspec import take_name
from lib.voices.seeds import usual_seed
from tests.doubles import records
from tests.unit.jobs.jobs import Shelf, fail, file_of, finish, result, spec


@pytest.fixture
def queue() -> JobQueue:
    clock = ManualClock()
    return MemoryQueue(now_ms=lambda: round(clock.now() * 1000))


def other(name: str, text: str = "Another text.") -> JobSpec:
    return JobSpec(request_id=name, output_name=f"out/{name}", text=text, speaker="Ryan")


def refused(queue: JobQueue, *specs: JobSpec, lines: tuple[int, ...] = ()) -> str:
    refusal = submit(queue, file_of(*specs, lines=lines)).refusal
    assert isinstance(refusal, Conflict)
    return refusal.message


def test_a_conflict_names_file_line_state_and_what_differs(queue: JobQueue) -> None:
    queue.enqueue([spec("a"), spec("b")])

    message = refused(queue, spec("a"), other("b"), lines=(3, 9))

    assert "1 of 2 jobs is known with other content" in message
    assert "jobs.yaml\n  line 9: b (waiting): text differs" in message
    assert "--replace" in message
    assert "--skip-conflicts" not in message


def test_it_names_every_field_of_a_failed_job_that_differs(queue: JobQueue) -> None:
    fail(queue, "a")

    message = refused(queue, JobSpec("a", "out/a", "New.", speaker="Ryan", speed=1.2, priority="high"))

    assert "a (failed): text, speed differ" in message


def speak(queue: JobQueue, asked: JobSpec) -> None:
    """Bring a job to its end with the record that a worker writes of it."""
    queue.enqueue([asked])
    (lease,) = queue.claim("w")
    language = "English" if asked.language == "Auto" else asked.language.capitalize()
    speaker = asked.speaker and asked.speaker.capitalize()
    usual = usual_seed("hibari", asked.voice, speaker, language, asked.text)
    takes = [
        records.take(
            number,
            records.file_ref(take_name(asked.output_name, number, asked.format), key=f"blobs/{number}"),
            made=asked.variants - number + 1,  # the last one was chosen
            seed=(usual if asked.seed is None else asked.seed) + asked.variants - number,
            speed=asked.speed if number == asked.variants else 1.07,
        )
        for number in range(1, asked.variants + 1)
    ]
    spoken = records.spoken(
        *takes,
        voice=asked.voice,
        speaker=speaker,
        language=language,
        profile=asked.profile,
        characters=len(asked.text),
        audio_format=asked.format,
        target_lufs=-19.0 if asked.loudness is None else asked.loudness,
    )
    queue.complete(queue.begin(lease), replace(records.done("unused"), record=spoken).to_json())


_LONG: Final[dict[str, Any]] = {"text": "The sea comes back.", "speaker": "Ryan"}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"text": "The sea came back, too."}, "text differs"),
        ({}, {"text": "The sea came back, too.", "profile": "fast"}, "profile, text differ"),
        ({}, {"output_name": "out/moved"}, "output_name differs"),
        ({}, {"format": "flac"}, "format differs"),
        ({"variants": 3}, {"variants": 2}, "variants differs"),
        ({}, {"speaker": None, "voice": "newsroom"}, "voice, speaker differ"),
        ({}, {"language": "French"}, "language differs"),
        (
            {"language": "english", "speaker": "ryan"},
            {"speaker": "ryan", "language": "english", "chunk": True},
            "chunk differs",
        ),
        ({"speaker": "ryan"}, {"chunk": True}, "speaker, chunk differ"),
        ({"language": "Auto"}, {"language": "Auto", "speed": 1.1}, "speed differs"),
        ({"speed": 1.1, "variants": 2}, {"variants": 2}, "speed differs"),
        ({"seed": 9}, {}, "seed differs"),
        ({"seed": 9}, {"seed": 10}, "seed differs"),
        ({}, {"seed": 9}, "seed differs"),
        ({}, {"select_best": True, "loudness": -16.0}, "select_best, loudness differ"),
        ({}, {"loudness": -19.0}, "loudness differs"),
        ({}, {"pronounce": {"sea": "see"}}, "pronounce differs"),
        ({"pronounce": {"sea": "see"}}, {}, "pronounce differs"),
        ({"pronounce": {"sea": "see"}}, {"pronounce": {"sea": "seeh"}}, "pronounce differs"),
        ({"seed": 9}, {"seed": 9, "text": "The sea goes  back."}, "text or pronounce differs"),
        ({}, {"text": "The sea goes  back."}, "text or seed differs"),
    ],
)
def test_of_a_done_job_it_names_just_what_differs_as_far_as_the_record_tells(
    queue: JobQueue, before: dict[str, Any], after: dict[str, Any], said: str
) -> None:
    speak(queue, JobSpec("a", **{"output_name": "out/a", **_LONG, **before}))

    message = refused(queue, JobSpec("a", **{"output_name": "out/a", **_LONG, **after}))

    assert f"a (done): {said}" in message


def test_of_a_done_job_without_a_record_that_can_be_read_it_says_that_none_is_kept(queue: JobQueue) -> None:
    queue.enqueue([spec("a")])
    (lease,) = queue.claim("w")
    queue.complete(queue.begin(lease), {"of": "another version"})

    assert "a (done): content, of which no record is kept, differs" in refused(queue, other("a"))


def test_of_many_it_names_the_first_and_how_many_more(queue: JobQueue) -> None:
    names = [f"j{number}" for number in range(8)]
    queue.enqueue([spec(name) for name in names])

    message = refused(queue, *(other(name) for name in names))

    assert "j4" in message
    assert "j5" not in message
    assert "and 3 more" in message


def test_a_waiter_on_a_replaced_revision_is_told_so_and_ends_with_1(queue: JobQueue) -> None:
    queue.enqueue([spec("a"), spec("b")])
    jobs = Followed(queue, ["a", "b"])
    jobs.refresh()

    queue.enqueue([other("a")], changed=Changed.REPLACE)
    for lease in queue.claim("w", count=2):
        queue.complete(lease, result(lease.request_id))
    jobs.refresh()

    assert jobs.finished
    assert jobs.exit_status is ExitStatus.JOB_FAILED
    told = jobs.to_json(jobs.results())
    assert [job["state"] for job in told["jobs"]] == ["replaced", "done"]
    assert "other content" in told["jobs"][0]["error"]
    assert told["counts"] == {"done": 1, "replaced": 1}


def test_a_replacement_that_is_done_before_anybody_looks_is_seen_by_its_event(queue: JobQueue) -> None:
    queue.enqueue([spec("a")])
    jobs = Followed(queue, ["a"])

    def replace_it(current: Followed) -> None:
        if not current.replaced and len(current.states) == 1:
            queue.enqueue([other("a")], changed=Changed.REPLACE)
            (lease,) = queue.claim("w")
            queue.complete(lease, result("a"))

    jobs.follow(replace_it, ManualClock())

    assert jobs.replaced == {"a"}


def test_the_jobs_of_a_file_are_followed_by_what_the_file_asks_for(queue: JobQueue) -> None:
    queue.enqueue([spec("a")])
    queue.enqueue([other("a")], changed=Changed.REPLACE)
    batch = Batch(queue, [spec("a")])

    batch.refresh()

    assert batch.replaced == {"a"}
    (row,) = result_rows(batch, Shelf())
    assert (row.file, row.word) == (None, "replaced")
    assert "other content" in (row.error or "")
    assert ending_of(batch, [row]) is ExitStatus.JOB_FAILED


def test_the_record_of_an_earlier_revision_is_read_by_its_number(queue: JobQueue) -> None:
    finish(queue, "a")
    queue.enqueue([other("a")], changed=Changed.REPLACE)
    queue.enqueue([other("a", "A third.")], changed=Changed.REPLACE)

    found = ending_or_record(queue, "a", 1)

    assert isinstance(found, FinishedJob)
    assert found.revision == 1
    with pytest.raises(NoSuchRevision, match="replaced before it was finished"):
        ending_or_record(queue, "a", 2)
    with pytest.raises(NoSuchRevision, match="has no revision 4; it has 3"):
        ending_or_record(queue, "a", 4)
    assert not isinstance(ending_or_record(queue, "a", 3), FinishedJob)


def test_a_job_that_was_never_replaced_has_one_revision(queue: JobQueue) -> None:
    finish(queue, "a")

    assert isinstance(ending_or_record(queue, "a", 1), FinishedJob)
    with pytest.raises(NoSuchRevision, match="never replaced"):
        ending_or_record(queue, "a", 2)
