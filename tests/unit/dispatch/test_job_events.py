"""What log lines say of jobs to programs: each transition once, in its order."""

from __future__ import annotations

import importlib
import json
import logging
import pkgutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import lib.events
from lib.events import Fanout, LogSink, transition_of
from lib.events.model import JobDone, LifecycleEvent
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


def test_the_page_names_each_event_and_its_fields() -> None:
    for module in pkgutil.iter_modules(lib.events.__path__):  # a class not imported is no subclass yet
        importlib.import_module(f"lib.events.{module.name}")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]
    kinds = list(every_kind(LifecycleEvent))
    told = {field.name for kind in kinds for field in fields(kind) if field.metadata.get("told", True)}

    assert {kind.name for kind in kinds} | {"log"} == set(schema["event"]["enum"])
    assert told | {"at", "level", "event", "source", "message"} == set(schema)


def every_kind(base: type[LifecycleEvent]) -> Iterator[type[LifecycleEvent]]:
    """The classes of events that have a name, each once."""
    for kind in base.__subclasses__():
        if "name" in vars(kind):
            yield kind
        yield from every_kind(kind)


class Deaf:
    """A sink that cannot hear."""

    def emit(self, event: LifecycleEvent) -> None:
        raise RuntimeError("no ears")


def test_a_sink_that_fails_stops_neither_the_others_nor_the_work(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.events = Fanout([Deaf(), LogSink()], epoch=lambda: 7)

    bench.holding(JOB)

    assert events(caplog) == [("claimed", 0)]
    assert [line["epoch"] for line in map(transition_of, caplog.records) if "epoch" in line] == [7]
    assert "Deaf missed an event: RuntimeError: no ears" in caplog.text


def test_an_end_that_was_recorded_before_a_crash_is_told_by_the_next_process(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """W19: who listens hears of it at least once, and can tell that it is the same end."""
    heard: list[LifecycleEvent] = []

    class Ears:
        def emit(self, event: LifecycleEvent) -> None:
            heard.append(event)

    bench.events = Ears()
    dispatcher = bench.holding(JOB)
    bench.host.speak_all()
    left = {path: path.read_bytes() for path in (bench.root / "leases").rglob("*") if path.is_file()}
    dispatcher.step()
    for path, data in left.items():  # as if it had been killed right after the record
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    bench.dispatcher("bob").resume()

    first, second = (event for event in heard if isinstance(event, JobDone))
    assert (first.identity, first.lease_no, first.request_id) == (
        second.identity,
        second.lease_no,
        second.request_id,
    )
    assert second.audio_seconds == first.audio_seconds > 0
