"""Transitions, backoff, turns, options: no server, no clock."""

from __future__ import annotations

import inspect
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.backoff import backoff_s
from lib.errors import BadConfiguration, BadInput
from lib.jobqueue import ErrorClass, Failure, QueueOptions, UnknownJob
from lib.jobqueue.codec import to_json
from lib.jobqueue.lifecycle import TRANSITIONS, IllegalJobTransition, JobEvent, advance
from lib.jobqueue.memory.priority_turns import turns
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobqueue.model import TERMINAL, JobState
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.queue import RedisQueue
from lib.redislink.embedded import EmbeddedServer
from tests.unit.jobs.jobs import spec


def test_every_state_can_be_reached_and_every_job_can_end() -> None:
    reachable: set[JobState | None] = {None}
    for _ in JobState:
        reachable |= {after for (before, _), after in TRANSITIONS.items() if before in reachable}
    can_end: set[JobState | None] = set(TERMINAL)
    for _ in JobState:
        can_end |= {before for (before, _), after in TRANSITIONS.items() if after in can_end}

    assert reachable == {None, *JobState}
    assert can_end == {None, *JobState}


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_terminal_states_change_only_by_retry_replacement_and_forgetting(state: JobState) -> None:
    leaving = {event for (before, event) in TRANSITIONS if before is state}

    assert leaving <= {JobEvent.RETRIED, JobEvent.REPLACED, JobEvent.DEFERRED, JobEvent.FORGOTTEN}
    if state is JobState.DONE:
        assert leaving == {JobEvent.REPLACED, JobEvent.FORGOTTEN}


def test_what_is_not_in_the_table_is_refused_in_words() -> None:
    with pytest.raises(IllegalJobTransition, match="a done job cannot be claimed"):
        advance(JobState.DONE, JobEvent.CLAIMED)
    with pytest.raises(IllegalJobTransition, match="an unknown job cannot be done"):
        advance(None, JobEvent.DONE)


@given(
    tries=st.integers(0, 10_000),
    chance=st.floats(0, 1, exclude_max=True),
    base=st.floats(0, 1e4),
    cap=st.floats(0, 1e6),
)
def test_backoff_stays_within_its_bounds(tries: int, chance: float, base: float, cap: float) -> None:
    assert 0 <= backoff_s(tries, chance, base_s=base, cap_s=cap) <= cap


def test_backoff_doubles_up_to_the_cap() -> None:
    waits = [backoff_s(tries, 1.0, base_s=5, cap_s=60) for tries in range(1, 7)]

    assert waits == [5, 10, 20, 40, 60, 60]


def test_backoff_is_drawn_evenly_from_nothing_to_the_whole() -> None:
    """Full jitter: a floor under it would bring jobs that failed together back together."""
    waits = [backoff_s(4, chance / 4, base_s=5, cap_s=60) for chance in range(4)]

    assert waits == [0, 10, 20, 30]


def test_the_queue_draws_each_wait_anew() -> None:
    chances = iter([0.25, 0.75])
    queue = MemoryQueue(now_ms=lambda: 0, chance=lambda: next(chances))
    queue.enqueue([spec("a"), spec("b")])

    for lease in queue.claim("ann", count=2):
        queue.fail(queue.begin(lease), Failure(ErrorClass.TRANSIENT, "It broke."))

    first, second = (record.due_at for name in ("a", "b") if (record := queue.job(name)))
    assert (first, second) == (0.25 * 5, 0.75 * 5)


def test_nobody_has_to_bring_the_chance() -> None:
    for kind in (MemoryQueue, RedisQueue):
        assert inspect.signature(kind).parameters["chance"].default is random.random


@given(
    turn=st.integers(0, 1000),
    count=st.integers(0, 50),
    available=st.fixed_dictionaries({name: st.integers(0, 60) for name in ("high", "normal", "low")}),
)
def test_turns_waste_none_and_invent_none(turn: int, count: int, available: dict[str, int]) -> None:
    taken = turns(turn, count, available)

    assert len(taken) == min(count, sum(available.values()))
    assert all(taken.count(name) <= available[name] for name in available)


BAD_PREFIXES = ["", "a b", "x*", "{tag", "a{b}", "{}", "{a}b", "jobs[1]", "-x", "a" * 101, "a\nb"]


@pytest.mark.parametrize("prefix", BAD_PREFIXES)
def test_a_prefix_that_means_something_to_the_server_is_refused(prefix: str) -> None:
    with pytest.raises(BadConfiguration, match="JOBS_PREFIX"):
        QueueOptions(prefix=prefix)


def test_a_record_that_is_no_json_is_refused_before_it_is_sent() -> None:
    with pytest.raises(BadInput, match="must be JSON"):
        to_json({"x": float("nan")})
    with pytest.raises(BadInput, match="must be JSON"):
        to_json({"x": object()})


def test_an_unknown_job_names_its_neighbours() -> None:
    assert "did you mean a:1, a:2?" in UnknownJob("a:3", ("a:1", "a:2")).message


def test_importing_the_queue_does_not_import_redis() -> None:
    code = "import lib.jobqueue, sys; assert 'redis' not in sys.modules; lib.jobqueue.normalize_job_spec"

    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_embedded_server_is_found_without_importing_redis() -> None:
    code = (
        "import lib.redislink.embedded as e, sys; e.server_binary(); assert 'redis' not in sys.modules; "
        "assert 'valkey' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
    assert EmbeddedServer.__doc__


def test_on_a_cluster_a_prefix_in_braces_is_the_hash_tag_as_it_is() -> None:
    assert Keys(QueueOptions(prefix="{pab:jobs}").prefix, cluster=True)["state"] == "{pab:jobs}:state"
    assert Keys("pab:jobs", cluster=True)["state"] == "{pab:jobs}:state"
    assert Keys("pab:jobs")["state"] == "pab:jobs:state"
