"""What log lines say of jobs to programs: each transition once, in its order."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from lib.dispatch.transitions import transition_of
from lib.jobspec import JobSpec
from lib.spool import ResultError, ResultErrorClass
from tests.unit.dispatch.bench import Bench, spec

SCHEMA = Path(__file__).parents[3] / "docs/reference/json/job-watcher-run.json"
JOB = spec("mine")


@pytest.fixture(autouse=True)
def _every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def events(caplog: pytest.LogCaptureFixture, job: JobSpec = JOB) -> list[tuple[str, int]]:
    """The job's transitions and attempts so far."""
    told = map(transition_of, caplog.records)
    return [(line["event"], line["attempt"]) for line in told if line.get("request_id") == job.request_id]


def test_a_job_is_claimed_begun_and_done(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = bench.holding(JOB)
    taken = bench.host.take()
    bench.host.script = lambda: None
    dispatcher.step()
    bench.host.speak(taken[0])
    dispatcher.step()

    assert events(caplog) == [("claimed", 0), ("begun", 1), ("done", 1)]
    assert {transition_of(record).get("host") for record in caplog.records} <= {"here", None}


@pytest.mark.parametrize(
    ("error_class", "state"), [(ResultErrorClass.ENGINE, "delayed"), (ResultErrorClass.BAD_INPUT, "failed")]
)
def test_a_failure_tells_the_state_it_leads_to(
    bench: Bench, caplog: pytest.LogCaptureFixture, error_class: ResultErrorClass, state: str
) -> None:
    dispatcher = bench.holding(JOB)
    (taken,) = bench.host.take()
    bench.host.speak(taken, error=ResultError(error_class, "It did not work."))

    dispatcher.step()

    assert events(caplog)[-1] == (state, 1)


def test_a_job_that_is_handed_back_is_released(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = bench.holding(JOB)

    dispatcher.hand_back("drain limit", keep_work=False)

    assert events(caplog)[-1] == ("released", 0)


def test_what_goes_on_after_a_restart_is_adopted(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.holding(JOB).close()
    caplog.clear()

    bench.dispatcher("bob").resume()

    assert events(caplog) == [("adopted", 0)]


def test_the_page_names_each_event() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    told = {"claimed", "begun", "done", "delayed", "failed", "released", "adopted", "lost", "log"}

    assert told <= set(schema["properties"]["event"]["enum"])
