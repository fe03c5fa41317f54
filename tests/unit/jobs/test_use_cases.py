"""What commands do can be done without them: over any queue, without a terminal and without settings."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lib.jobs
from lib.clock import ManualClock
from lib.errors import BadConfiguration, ExitStatus
from lib.jobqueue import ErrorClass, JobQueue, JobState
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs import doctor_probes
from lib.jobs.cancel import cancel
from lib.jobs.doctor import NO_WATCHER, diagnose, exit_status
from lib.jobs.explain import Reason, explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.export import COLUMNS, flat
from lib.jobs.flush import flush, foresee
from lib.jobs.follow import Batch
from lib.jobs.history import read_history
from lib.jobs.overview import Health, overview_of
from lib.jobs.reconcile import reconcile
from lib.jobs.report import Standing, report_on
from lib.jobs.results import ending_of, ending_or_record, result_rows
from lib.jobs.retry import failed_ids, retry
from lib.jobs.submit import submit
from lib.voices import VoiceRegistry
from tests.unit.jobs.jobs import Shelf, fail, file_of, finish, spec

MODULES = sorted(path.stem for path in Path(lib.jobs.__path__[0]).glob("*.py") if path.stem != "__init__")


@pytest.fixture(autouse=True)
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No test of this file may print; what reads the standard input fails in every test anyway."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def queue() -> JobQueue:
    clock = ManualClock()
    return MemoryQueue(now_ms=lambda: round(clock.now() * 1000))


def test_the_use_cases_load_nothing_that_prints_and_no_settings() -> None:
    """Neither a page nor a pipeline that calls them pays for a command line, or for a client library."""
    names = ", ".join(f"lib.jobs.{name}" for name in MODULES)
    unwanted = ("lib.cli", "lib.settings", "typer", "rich", "redis", "numpy", "sqlalchemy")
    code = f"import sys, {names}; print([name for name in {unwanted} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_file_is_submitted_followed_and_its_results_are_read(queue: JobQueue) -> None:
    submission = submit(queue, file_of(spec("a"), spec("b")))
    batch = Batch(queue, [spec("a"), spec("b")])
    finish(queue, "a", "b")
    batch.follow(lambda current: None)

    assert submission.sentence == "2 created"
    rows = result_rows(batch, Shelf())
    assert [(row.state, row.audio_seconds) for row in rows] == [(JobState.DONE, 1.5)] * 2
    assert all(row.is_gone for row in rows)  # the shelf holds nothing
    assert ending_of(batch, rows) is ExitStatus.JOB_FAILED
    assert batch.exit_status is ExitStatus.OK


def test_the_overview_judges_a_queue_in_memory(queue: JobQueue) -> None:
    queue.enqueue([spec("a")])

    assert overview_of(queue, server=False).verdict is Health.WATCHER_NOT_RUNNING
    assert overview_of(queue).to_json()["server"] == queue.server_health()


def test_a_report_holds_a_file_against_a_queue_in_memory(queue: JobQueue) -> None:
    finish(queue, "a")

    report = report_on(queue, [spec("a"), spec("b")], Shelf(), now=0.0)

    assert [row.standing for row in report.rows] == [Standing.DONE, Standing.MISSING]


def test_every_state_is_explained_without_an_operators_hands(queue: JobQueue) -> None:
    finish(queue, "done")
    fail(queue, "failed")
    queue.enqueue([spec("waiting"), spec("delayed", not_before=4_000_000_000.0)])
    names = ("done", "failed", "waiting", "delayed")

    reasons = [explain(evidence_of(queue, Shelf(), name)).reason for name in names]

    assert reasons == [Reason.DONE, Reason.FAILED, Reason.NO_WATCHER, Reason.NOT_BEFORE]


def test_all_failed_jobs_of_a_class_are_requeued_and_no_other(queue: JobQueue) -> None:
    for name in ("first", "second"):
        fail(queue, name)
    queue.enqueue([spec("withdrawn")])
    cancel(queue, "withdrawn")

    assert failed_ids(queue, error_class=ErrorClass.POISON) == []
    assert sorted(failed_ids(queue)) == ["first", "second"]
    assert failed_ids(queue, error_class=ErrorClass.CANCELED) == ["withdrawn"]
    assert retry(queue, failed_ids(queue, error_class=ErrorClass.BAD_INPUT)).requeued == 2
    assert failed_ids(queue) == []


def test_only_failures_since_then_are_requeued() -> None:
    clock = ManualClock()
    queue = MemoryQueue(now_ms=lambda: round(clock.now() * 1000))
    fail(queue, "old")
    clock.advance(60)
    fail(queue, "new")

    assert failed_ids(queue, since=clock.now() - 30) == ["new"]
    assert failed_ids(queue) == ["new", "old"]


def test_a_job_is_withdrawn_once_and_its_state_before_is_known(queue: JobQueue) -> None:
    queue.enqueue([spec("a")])

    first, again = cancel(queue, "a"), cancel(queue, "a")

    assert (first.canceled, first.before, first.exit_status) == (True, JobState.WAITING, ExitStatus.OK)
    assert (again.canceled, again.before, again.exit_status) == (False, JobState.CANCELED, ExitStatus.OK)


def test_a_done_job_is_not_withdrawn(queue: JobQueue) -> None:
    finish(queue, "a")

    assert cancel(queue, "a").exit_status is ExitStatus.BAD_INPUT
    assert ending_or_record(queue, "a").state is JobState.DONE


def test_an_exported_row_has_every_column(queue: JobQueue) -> None:
    finish(queue, "a")

    (row,) = map(flat, read_history(queue))

    columns = dict(zip(COLUMNS, row, strict=True))
    assert (columns["output"], columns["revision"]) == ("out/a.1.wav", 1)
    assert (columns["verdict"], columns["flags"], columns["pieces_broken"]) == ("UNVERIFIED", "", 0)
    assert COLUMNS[16] == "revision"  # programs that read by place go on


def test_doctor_judges_a_queue_that_lies_in_memory(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_probes, "bad_engine", lambda name: None)
    queue.enqueue([spec("a")])
    home = doctor_probes.Home(tmp_path, (tmp_path / "store").as_uri(), "hibari", "local", embedded=False)

    @contextlib.contextmanager
    def opened() -> Iterator[JobQueue]:
        yield queue

    found = diagnose(doctor_probes.examine(home, VoiceRegistry([]), opened, ManualClock()))

    assert [item.kind for item in found if item.subject == "watchers"] == [NO_WATCHER]
    assert exit_status(found) is ExitStatus.OK


def test_what_needs_a_server_is_refused_in_a_sentence(queue: JobQueue) -> None:
    with pytest.raises(BadConfiguration, match="lies in memory"):
        reconcile(queue, Shelf(), apply=False)
    with pytest.raises(BadConfiguration, match="lies in memory"):
        foresee(queue, hard=False, force=False)
    with pytest.raises(BadConfiguration, match="lies in memory"):
        flush(queue, hard=True, force=True)
    with pytest.raises(BadConfiguration, match="lies in memory"):
        submit(queue, file_of(spec("a")), durable=True)

    assert queue.job("a") is None
