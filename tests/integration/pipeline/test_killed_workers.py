"""Runs finish while their workers are killed and stopped again and again, and no attempt counts twice."""

from __future__ import annotations

import random
import signal
from collections import Counter
from functools import partial

import pytest
from sqlalchemy import text

from lib.pipeline.model import TrailEvent
from tests.integration.pipeline import sample_dags
from tests.integration.pipeline.shop import Shop, WorkerProcess, until

LEASE_S = 3.0
STANDING_STILL = text(
    "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'ClientRead' AND xact_start < now() - interval '9 s'"
)
STAGES = len(sample_dags.five.tasks)


def left(shop: Shop) -> int:
    """How many runs have not completed."""
    states = shop.states()
    return sum(states.values()) - states.get("completed", 0)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("runs", "kills"), [(100, 5), (2000, 50)])
def test_runs_finish_while_workers_are_killed_and_stopped(shop: Shop, runs: int, kills: int) -> None:
    chance = random.Random(17)
    names = [f"r{number}" for number in range(runs)]
    shop.start(sample_dags.five, *names)
    shop.program({"recovery": 0.5})
    workers = [start(shop) for _ in range(3)]
    for kill in range(kills):
        # Spread over all of the work: what is ready longest goes first, so that runs end late and together.
        goal = STAGES * runs * (kill + 1) // (kills + 1)
        until(partial(has_done, shop, goal), within_s=1800, pause_s=0.1)
        number = chance.randrange(len(workers))
        # One that is stopped in the middle of a transaction holds an SQLite file's lock until it wakes, and
        # on Postgres those of the runs that it was writing.
        if kill % 5 == 4 and shop.ledger.database.dialect == "postgresql":
            workers[number].send(signal.SIGSTOP)
            until(partial(is_done_for, shop, workers[number].owner), pause_s=0.5)
            workers[number].send(signal.SIGCONT)
        else:
            workers[number].end(signal.SIGKILL)
            workers[number] = start(shop)
    until(lambda: not left(shop), within_s=1800, pause_s=0.5)

    assert [worker.end() for worker in workers] == [0] * len(workers)
    notes = Counter((run, task, attempt, event) for run, task, attempt, event, _ in shop.notes())
    assert [what for what, count in notes.items() if count > 1] == []
    completed = Counter((event.run, event.task) for run in names for event in completions(shop, run))
    assert sorted(completed) == sorted((run, task) for run in names for task in sample_dags.five.tasks)
    assert set(completed.values()) == {1}
    for run in names:
        assert_told_in_order(shop.story(run))


def start(shop: Shop) -> WorkerProcess:
    return shop.worker("five", concurrency=2, lease_s=LEASE_S, owner=f"w{len(shop.processes)}")


def has_done(shop: Shop, goal: int) -> bool:
    """Whether so many tasks have ended, by what they noted."""
    path = shop.runs / "attempts.log"
    return path.exists() and path.read_bytes().count(b" ends ") >= goal


def is_done_for(shop: Shop, owner: str) -> bool:
    """Whether every lease of a stopped worker was taken back, or cannot be: it stopped in a transaction."""
    if not shop.ledger.look(lambda t: t.all("leases_of", owner=owner)):
        return True
    return bool(shop.ledger.database.read(lambda connection: connection.execute(STANDING_STILL).all()))


def completions(shop: Shop, run: str) -> list[TrailEvent]:
    return [event for event in shop.events(run) if event.kind == "stage_completed"]


def assert_told_in_order(story: list[str]) -> None:
    """What a stage requires was completed before it was started, each time."""
    done: set[str] = set()
    for line in story:
        kind, _, task = line.partition(":")
        if kind == "stage_started":
            assert set(sample_dags.five.tasks[task].stage.requires) <= done, story
        if kind == "stage_completed":
            done.add(task)
    assert story[0] == "job_started"
    assert story[-1] == "job_completed"
