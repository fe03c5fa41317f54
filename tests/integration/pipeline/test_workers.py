"""Real workers on real databases: what they carry out and stop, and what is left when they are killed."""

from __future__ import annotations

import signal

import pytest
from sqlalchemy import text

from lib.pipeline.states import TaskState
from tests.integration.pipeline import sample_dags
from tests.integration.pipeline.shop import Shop, WorkerProcess, helper_of, is_gone, until


def test_a_task_that_spins_is_gone_soon_after_its_time_and_the_worker_goes_on(lite_shop: Shop) -> None:
    lite_shop.start(sample_dags.spin, "r1")
    worker = lite_shop.worker("spin")
    spinning = until(lambda: lite_shop.began("spin"))

    until(lambda: lite_shop.task("r1", "spin").state is TaskState.DEAD)
    assert is_gone(spinning)
    assert is_gone(helper_of(lite_shop))
    until(lambda: lite_shop.task("r1", "after").state is TaskState.SUCCEEDED)

    assert "did not end within 2 s" in str(lite_shop.task("r1", "spin").error)
    assert worker.end() == 0


def test_a_killed_workers_task_ends_with_it_and_is_done_once_by_another(shop: Shop) -> None:
    shop.start(sample_dags.held, "r1")
    doomed = shop.worker("held", lease_s=1.0, owner="doomed")
    at_work = until(lambda: shop.began("wait"))

    doomed.end(signal.SIGKILL)
    until(lambda: is_gone(at_work), "the killed worker's task is still at work", within_s=20)
    shop.program({"recovery": 0.1})
    shop.worker("held", owner="second")
    (shop.runs / "go-1").touch()  # nobody of the first attempt is there to see it
    until(lambda: shop.began("wait", attempt=2))
    (shop.runs / "go-2").touch()
    until(lambda: shop.states() == {"completed": 1})

    ends = [(attempt, event) for _, _, attempt, event, _ in shop.notes() if event == "ends"]
    assert ends == [(2, "ends")]
    assert shop.story("r1").count("stage_completed:wait") == 1
    assert [e.attempt for e in shop.events("r1") if e.kind == "stage_started"] == [1, 2]


STANDING = text(
    "SELECT state FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    " AND datname = current_database()"
)


def stop_between_transactions(shop: Shop, worker: WorkerProcess) -> None:
    """SIGSTOP to a worker. One that stands still in a transaction would keep its locks, and so its task."""

    def states() -> set[str]:
        return set(shop.ledger.database.read(lambda connection: connection.execute(STANDING).scalars().all()))

    def stands_outside() -> bool:
        worker.send(signal.SIGSTOP)
        until(lambda: "active" not in states())  # what it had sent is carried out
        if not any(state.startswith("idle in transaction") for state in states()):
            return True
        worker.send(signal.SIGCONT)
        return False

    until(stands_outside)


def test_a_worker_that_wakes_after_its_lease_changes_nothing(pg_shop: Shop) -> None:
    pg_shop.start(sample_dags.held, "r1")
    zombie = pg_shop.worker("held", lease_s=1.0, owner="zombie")
    until(lambda: pg_shop.began("wait"))
    stop_between_transactions(pg_shop, zombie)
    pg_shop.program({"recovery": 0.1})
    pg_shop.worker("held", owner="second")
    until(lambda: pg_shop.began("wait", attempt=2))

    (pg_shop.runs / "go-1").touch()  # the zombie's task returns, and the zombie finds that when it wakes
    until(lambda: (1, "ends") in [(attempt, event) for _, _, attempt, event, _ in pg_shop.notes()])
    zombie.send(signal.SIGCONT)
    until(lambda: zombie.says("its end was not written now") or zombie.says("its lease is gone"))
    assert pg_shop.task("r1", "wait").state is TaskState.PROCESSING
    assert pg_shop.task("r1", "wait").lease_owner == "second"
    (pg_shop.runs / "go-2").touch()
    until(lambda: pg_shop.states() == {"completed": 1})

    completed = [e.attempt for e in pg_shop.events("r1") if e.kind == "stage_completed"]
    assert completed == [2]


def test_a_worker_that_is_asked_to_stop_finishes_its_work_and_claims_no_more(pg_shop: Shop) -> None:
    pg_shop.start(sample_dags.held, "r1")
    worker = pg_shop.worker("held", concurrency=2)
    until(lambda: pg_shop.began("wait"))
    worker.send(signal.SIGTERM)
    until(lambda: worker.says("finishes what is at work"))
    pg_shop.start(sample_dags.held, "r2")  # it hears of that, and has a process that is free
    (pg_shop.runs / "go-1").touch()

    assert worker.process.wait(30) == 0
    states = [pg_shop.task(run, "wait").state for run in ("r1", "r2")]
    assert states == [TaskState.SUCCEEDED, TaskState.PENDING]


def test_a_second_signal_gives_the_work_back_unharmed(lite_shop: Shop) -> None:
    lite_shop.start(sample_dags.held, "r1")
    worker = lite_shop.worker("held")
    at_work = until(lambda: lite_shop.began("wait"))
    worker.send(signal.SIGTERM)
    until(lambda: worker.says("finishes what is at work"))
    worker.send(signal.SIGTERM)

    assert worker.process.wait(30) == 0
    assert is_gone(at_work)
    task = lite_shop.task("r1", "wait")
    assert (task.state, task.failures) == (TaskState.PENDING, 0)
    assert task.ready_at is not None
    assert lite_shop.story("r1")[-1] == "stage_released:wait"


@pytest.mark.parametrize("count", [5, pytest.param(20, marks=pytest.mark.soak)])
def test_two_workers_do_runs_and_each_fan_in_once(shop: Shop, count: int) -> None:
    runs = [f"r{number}" for number in range(count)]
    shop.start(sample_dags.five, *runs)
    workers = [shop.worker("five", concurrency=2) for _ in range(2)]
    until(lambda: shop.states() == {"completed": count})

    begun = [(run, task, attempt) for run, task, attempt, event, _ in shop.notes() if event == "begins"]
    assert len(begun) == len(set(begun)) == 5 * count
    for run in runs:
        story = shop.story(run)
        assert story[-1] == "job_completed"
        assert story.index("stage_started:bottom") > max(
            story.index(f"stage_completed:{name}") for name in ("left", "middle", "right")
        )
    assert [worker.end() for worker in workers] == [0, 0]
