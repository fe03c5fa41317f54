"""Which jobs a command line means: ids, topics, files (Q45)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import BadInput, ExitStatus
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobSpec, JobState, UnknownJob
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.cancel import cancel_many
from lib.jobs.retry import retriable_of
from lib.jobs.selection import Selection, UnknownTopic, select
from lib.jobs.several_results import endings_of, exit_status
from tests.doubles import records
from tests.unit.jobs.jobs import Shelf


def spec(name: str) -> JobSpec:
    return JobSpec(request_id=name, output_name=name.replace(":", "/"), text="Hello.", speaker="Ryan")


@pytest.fixture
def queue() -> JobQueue:
    made = MemoryQueue()
    made.enqueue([spec("tides:done"), spec("tides:failed")])
    done, failed = (made.begin(lease) for lease in made.claim("tests", count=2))
    made.complete(done, records.done("tides/done", 1, place="tides").to_json())
    made.fail(failed, Failure(ErrorClass.BAD_INPUT, "It is wrong."))
    made.enqueue([spec(name) for name in ("tides:a", "tides:b", "seas:a", "deep:sea:a")])
    return made


def job_file(folder: Path, *names: str) -> Path:
    path = folder / "jobs.yaml"
    path.write_text("".join(f"- {{output_name: {name}, speaker: Ryan, text: Hello.}}\n" for name in names))
    return path


def test_ids_topics_and_files_name_each_job_once_in_the_order_asked_for(
    queue: JobQueue, tmp_path: Path
) -> None:
    chosen = select(queue, ["tides:b", "seas/", "tides/"], job_file(tmp_path, "deep/sea/a", "tides/a"))

    assert chosen.ids == ("tides:b", "seas:a", "tides:a", "tides:done", "tides:failed", "deep:sea:a")
    assert chosen.named == {"tides:b"}
    assert select(queue, ["deep/sea/"], None).ids == ("deep:sea:a",)


def test_an_unknown_id_is_told_with_those_near_it_before_anything_is_done(queue: JobQueue) -> None:
    with pytest.raises(UnknownJob, match="did you mean tides:done"):
        select(queue, ["tides:a", "tides:dome"], None)
    with pytest.raises(BadInput, match=r"(?s)'x'.*'y'"):
        select(queue, ["x", "y", "tides/"], None)


def test_an_unknown_topic_is_told_with_topics_near_it(queue: JobQueue) -> None:
    with pytest.raises(UnknownTopic) as caught:
        select(queue, ["tidse/"], None)
    assert caught.value.message == (
        "no job of tidse/ is known: no request id begins with tidse:; did you mean tides/?"
    )
    with pytest.raises(UnknownTopic, match=r"did you mean deep/sea/\?"):
        select(queue, ["deep/see/"], None)
    with pytest.raises(UnknownTopic, match=r"begins with qqqq:$"):
        select(queue, ["qqqq/"], None)


def test_jobs_of_a_file_that_are_not_there_are_told_apart(queue: JobQueue, tmp_path: Path) -> None:
    chosen = select(queue, [], job_file(tmp_path, "tides/a", "tides/new", "tides/newer"))

    assert (chosen.ids, chosen.absent) == (("tides:a",), ("tides:new", "tides:newer"))
    assert chosen.absent_sentence == "2 jobs of the file are not in the queue: tides:new, tides:newer"
    with pytest.raises(BadInput, match="tides:newer; enqueue the file first"):
        chosen.require_all()
    many = Selection((), absent=tuple("abcdefg"))
    assert many.absent_sentence == "7 jobs of the file are not in the queue: a, b, c, d, e and more"
    with pytest.raises(BadInput, match=r"none of the 2 jobs of .*jobs\.yaml is in the queue"):
        select(queue, [], job_file(tmp_path, "x", "y"))


def test_cancel_withdraws_what_is_unfinished_of_a_topic_and_leaves_the_rest_in_peace(queue: JobQueue) -> None:
    many = cancel_many(queue, select(queue, ["tides/"], None))

    assert [each.request_id for each in many.answers if each.canceled] == ["tides:a", "tides:b"]
    assert [each.request_id for each in many.left] == ["tides:done", "tides:failed"]
    assert (many.refused, many.exit_status) == ((), ExitStatus.OK)
    again = cancel_many(queue, select(queue, ["tides:a", "tides/"], None))
    assert (sum(each.canceled for each in again.answers), again.exit_status) == (0, ExitStatus.OK)


def test_a_finished_job_that_is_named_is_refused_though_its_topic_is_named_too(queue: JobQueue) -> None:
    many = cancel_many(queue, select(queue, ["tides:done", "tides/"], None))

    assert [each.request_id for each in many.refused] == ["tides:done"]
    assert many.exit_status is ExitStatus.BAD_INPUT
    assert many.to_json()["canceled"] == 2


def test_retry_takes_of_a_topic_what_ended_badly_and_of_what_is_named_everything(queue: JobQueue) -> None:
    queue.cancel("tides:b")

    topic = retriable_of(queue, select(queue, ["tides/"], None))
    assert (topic.wanted, topic.retriable, topic.left) == (["tides:b", "tides:failed"], 2, 2)
    named = retriable_of(queue, select(queue, ["tides:done", "tides:failed"], None))
    assert (named.wanted, named.retriable, named.left) == (["tides:done", "tides:failed"], 1, 0)


def test_the_endings_of_many_are_told_as_each_is_told_alone(queue: JobQueue) -> None:
    endings = endings_of(queue, Shelf(), ["tides:done", "tides:failed", "tides:a", "gone"])

    assert [(each.state, each.why) for each in endings] == [
        (JobState.DONE, "gone from the store; see: job-runner report"),
        (JobState.FAILED, "bad_input: It is wrong."),
        (JobState.WAITING, None),
    ]
    assert exit_status(endings) is ExitStatus.JOB_FAILED
    assert exit_status(endings[::2]) is ExitStatus.TRY_AGAIN
    assert exit_status(endings[:1]) is ExitStatus.OK
