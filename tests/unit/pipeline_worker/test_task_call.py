"""Whatever a task's function does becomes one outcome, and never an exception."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from job_pipeline.worker.messages import Inbox, message_bytes, outcome_from, outcome_message
from job_pipeline.worker.task_call import MOST_JOBS, carry_out
from lib.errors import BadInput, MissingExtra, Unavailable
from lib.jobspec.names import check_request_id
from lib.pipeline import Dag
from lib.pipeline.context import ExternalJob, TaskContext
from lib.pipeline.work import LONGEST_RESULT, ClaimedTask, Done, Failed, Parked


def task_of(name: str = "audio", **columns: Any) -> ClaimedTask:
    values: dict[str, Any] = {
        "run": "r1",
        "name": name,
        "dag": "beats",
        "attempt": 2,
        "lease_no": 3,
        "timeout_s": 5.0,
        "executor": "worker",
        "inputs": {"text": "Hello."},
        "run_inputs": {"text": "Hello."},
        "config": {},
        "input_hash": "",
    }
    return ClaimedTask(**{**values, **columns})


def outcome_of(
    function: Callable[..., Any], folder: Path, *, options: Mapping[str, Any] | None = None, **columns: Any
) -> Done | Failed | Parked:
    """What becomes of a task, as it reaches the worker."""
    dag = Dag("beats")
    dag.task(name="audio", **(options or {}))(function)
    outcome = carry_out({"beats": dag}, task_of(**columns), folder / "r1")
    (message,) = Inbox().feed(message_bytes(outcome_message(outcome)))
    return outcome_from(message)


def error_of(function: Callable[..., Any], folder: Path, **columns: Any) -> str:
    found = outcome_of(function, folder, **columns)
    assert isinstance(found, Failed)
    assert not found.for_good
    return found.error


def test_a_task_gets_its_inputs_and_its_context_and_its_files_are_told(tmp_path: Path) -> None:
    def audio(inputs: dict[str, Any], context: TaskContext) -> dict[str, Any]:
        context.write("outline.txt", inputs["text"], type="text/plain", measures={"words": 1})
        return {"attempt": context.attempt, "as_before": context.instruction}

    done = outcome_of(audio, tmp_path, instruction="shorter")

    assert isinstance(done, Done)
    assert done.result == {"attempt": 2, "as_before": "shorter"}
    assert [(a.path, a.size, a.measures) for a in done.artifacts] == [("outline.txt", 6, {"words": 1})]
    assert (tmp_path / "r1/outline.txt").read_text() == "Hello."


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (float("nan"), "no JSON"),
        (object(), "no JSON: Object of type object"),
        (b"bytes", "no JSON: Object of type bytes"),
        ({1: "a", "b": "c"}, "no JSON"),
        ("\ud800", "half of a character"),
        ("x" * LONGEST_RESULT, "1 MiB is the most"),
        (nested(100), "deeper than 64 levels"),
        (nested(100_000), "deeper than 64 levels"),
    ],
    ids=range(8),
)
def test_what_is_no_json_fails_with_a_sentence(tmp_path: Path, result: object, words: str) -> None:
    error = error_of(lambda inputs: result, tmp_path)

    assert "audio" in error
    assert words in error
    assert len(error) < 300


def test_what_is_said_of_files_must_be_json_too(tmp_path: Path) -> None:
    def audio(measures: dict[str, Any], type: str, fails: bool = False) -> Callable[..., None]:
        def function(inputs: Any, context: TaskContext) -> None:
            context.write("a.txt", "text", type=type, measures=measures)
            if fails:
                raise ValueError("after it wrote")

        return function

    assert "says of its files is no JSON" in error_of(audio({"words": float("nan")}, "text/plain"), tmp_path)
    assert "cannot be the type of the file a.txt" in error_of(audio({}, "text\0plain"), tmp_path)
    assert "after it wrote" in error_of(audio({"words": float("nan")}, "text/plain", fails=True), tmp_path)


def raises(error: BaseException) -> Callable[[Any], None]:
    def audio(inputs: Any) -> None:
        raise error

    return audio


def test_an_exception_is_told_with_its_line(tmp_path: Path) -> None:
    error = error_of(raises(ValueError("a\0b\n" * 2000)), tmp_path)

    assert error.startswith("ValueError: a?b")
    assert "(test_task_call.py, line " in error
    assert "raise error)" in error
    assert len(error) <= 2000
    assert error.isprintable()
    assert "sys.exit(3)" in error_of(lambda inputs: sys.exit(3), tmp_path)


def test_an_error_that_cannot_tell_itself_is_told_by_its_name(tmp_path: Path) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert error_of(raises(MuteError()), tmp_path).startswith("MuteError (")


def test_a_retry_is_spared_where_it_finds_the_same(tmp_path: Path) -> None:
    bad = outcome_of(raises(BadInput("the script has no text; write one")), tmp_path)
    assert bad == Failed(error="the script has no text; write one", for_good=True)

    missing = outcome_of(raises(MissingExtra("Video", "video")), tmp_path)
    assert isinstance(missing, Failed)
    assert missing.for_good

    away = outcome_of(raises(Unavailable("the endpoint does not answer")), tmp_path)
    assert away == Failed(error="the endpoint does not answer", for_good=False)


QUEUE = {"executor": "queue"}


def test_job_specifications_park_the_task_under_ids_of_run_task_and_attempt(tmp_path: Path) -> None:
    specs = [{"text": "One."}, {"text": "Two."}]

    parked = outcome_of(lambda inputs: specs, tmp_path, options=QUEUE, executor="queue")

    assert parked == Parked(specs={"r1.audio.2.0000": specs[0], "r1.audio.2.0001": specs[1]})


def test_the_longest_names_make_an_id_that_the_queue_takes() -> None:
    assert check_request_id(f"{'r' * 64}.{'t' * 63}.{2**63}.{MOST_JOBS - 1:04}")


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "returned nothing"),
        ({"text": "One."}, "returned a dict"),
        (["One."], "job 0 that the task audio returned is a str"),
        ([{"text": "One."}, {"request_id": "mine"}], "job 1"),
        ([{"speed": float("inf")}], "no JSON"),
        ([{}] * (MOST_JOBS + 1), "10000 are the most"),
    ],
)
def test_what_the_queue_cannot_do_fails_with_a_sentence(tmp_path: Path, returned: object, words: str) -> None:
    assert words in error_of(lambda inputs: returned, tmp_path, options=QUEUE, executor="queue")


def test_what_the_queue_did_is_collected(tmp_path: Path) -> None:
    jobs = [ExternalJob(request_id=f"r1.audio.2.000{n}", spec={}, state="done", result=n) for n in (0, 1)]

    def collect(inputs: Any, context: TaskContext) -> int:
        return sum(job.result for job in context.jobs)

    def order(inputs: Any) -> None:
        pytest.fail("the jobs are done")

    gathered = outcome_of(order, tmp_path, options={**QUEUE, "collect": collect}, executor="queue", jobs=jobs)
    assert gathered == Done(result=1, artifacts=[])
    plain = outcome_of(order, tmp_path, options=QUEUE, executor="queue", jobs=jobs)
    assert plain == Done(result=[0, 1], artifacts=[])


def test_a_task_with_nothing_for_the_queue_is_done_at_once(tmp_path: Path) -> None:
    def collect(inputs: Any, context: TaskContext) -> str:
        return f"{len(context.jobs)} beats"

    assert outcome_of(lambda inputs: [], tmp_path, options=QUEUE, executor="queue") == Done(
        result=[], artifacts=[]
    )
    found = outcome_of(lambda inputs: [], tmp_path, options={**QUEUE, "collect": collect}, executor="queue")
    assert found == Done(result="0 beats", artifacts=[])


def test_a_task_that_the_code_does_not_have_any_more_fails(tmp_path: Path) -> None:
    assert "no task 'video' of beats" in error_of(lambda inputs: 1, tmp_path, name="video")


@pytest.mark.parametrize(("then", "now"), [("worker", "queue"), ("queue", "worker")])
def test_a_run_keeps_the_executor_that_it_was_started_with(tmp_path: Path, then: str, now: str) -> None:
    found = outcome_of(lambda inputs: [{"text": "x"}], tmp_path, options={"executor": now}, executor=then)

    assert isinstance(found, Failed)
    assert found.for_good
    assert f"executor='{now}'" in found.error
    assert f"executor='{then}'" in found.error


def test_messages_come_whole_however_they_are_cut() -> None:
    messages = [{"task": n, "text": "x" * n} for n in (0, 1, 5000)]
    data = b"".join(map(message_bytes, messages))
    inbox = Inbox()

    found = [message for at in range(0, len(data), 7) for message in inbox.feed(data[at : at + 7])]

    assert json.dumps(found) == json.dumps(messages)
