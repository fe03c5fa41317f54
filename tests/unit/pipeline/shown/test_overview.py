"""All runs together: depth, stale leases, what fails most, what waits for a person."""

from __future__ import annotations

from lib.pipeline.gates import reject_gate
from lib.pipeline.overview import (
    gates_inbox,
    queue_depth,
    retryable_stages,
    stale_leases,
    top_failures,
)
from lib.pipeline.runs import StageRules, advance
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of, diamond, file


def test_the_depth_counts_each_state_and_what_can_be_claimed(floor: Floor) -> None:
    """P8."""
    floor.start(diamond(), "r1")
    floor.start(dag_of("single", only={}), "r2")
    only = next(task for task in floor.claim() if task.name == "only")
    floor.done(only)
    floor.start(diamond(), "r3")

    found = {depth.dag: (depth.states, depth.ready) for depth in queue_depth(floor.ledger)}

    assert found == {"diamond": ({"pending": 7, "processing": 1}, 1), "single": ({"succeeded": 1}, 0)}


def test_a_lease_is_stale_once_it_ran_out_and_not_before(floor: Floor) -> None:
    """P8."""
    floor.start(diamond())
    floor.claim("host:12")
    fresh = stale_leases(floor.ledger)
    floor.clock.sleep(LEASE_S + 5)

    (stale,) = stale_leases(floor.ledger)

    assert fresh == []
    assert (stale.owner, stale.stage, stale.age_s) == ("host:12", "top", 5.0)


def test_what_failed_most_comes_first_with_its_newest_reason_and_the_old_is_left_out(floor: Floor) -> None:
    """P8."""
    floor.start(dag_of("old", long_ago={}), "r0")
    floor.fail(floor.claim()[0], "forgotten", pause_s=1e6)
    floor.clock.sleep(86_400)
    since = floor.clock.now()
    floor.start(dag_of("two", often={}, once={}), "r1")
    for count in (1, 2):
        for task in floor.claim():
            floor.fail(task, f"reason {count}", pause_s=0 if task.name == "often" else 1e6)

    found = top_failures(floor.ledger, since=since)

    assert [(each.stage, each.failures, each.reason) for each in found] == [
        ("often", 2, "reason 2"),
        ("once", 1, "reason 1"),
    ]


def test_the_inbox_has_a_gates_files_and_what_was_said_before(floor: Floor) -> None:
    """P20."""
    floor.start(dag_of("asking", a={"gate": True}))
    floor.done(floor.claim()[0], files=[file("a.txt")])
    reject_gate(floor.ledger, "r1", "a", operator="ann", notes="less moon")
    advance(floor.ledger, "r1", operator="ann")
    floor.done(floor.claim()[0], files=[file("a.txt", "b")])
    floor.clock.sleep(90)

    (found,) = gates_inbox(floor.ledger)

    assert (found.gate.attempt, found.age_s, found.dag) == (2, 90.0, "asking")
    assert [each.sha256 for each in found.artifacts] == [file("a.txt", "b").sha256]
    assert [(each.decision, each.notes) for each in found.before] == [("rejected", "less moon")]
    assert gates_inbox(floor.ledger, run="r2") == []


def test_what_can_be_retried_is_chosen_by_its_time_and_its_failures(floor: Floor) -> None:
    """P8."""
    floor.start(dag_of("two", a={}, b={}), rules=StageRules(max_attempts=2))
    first, second = sorted(floor.claim(), key=lambda task: task.name)
    floor.fail(first)
    floor.fail(second, pause_s=1e6)
    floor.clock.sleep(10)
    floor.fail(floor.claim()[0])

    def found(since: float = 0.0, min_failures: int = 0) -> list[tuple[str, str]]:
        stages = retryable_stages(floor.ledger, since=since, min_failures=min_failures)
        return [(each.stage, each.state) for each in stages]

    assert found() == [("a", "dead"), ("b", "failed")]
    assert found(min_failures=2) == [("a", "dead")]
    assert found(since=floor.clock.now()) == [("a", "dead")]
