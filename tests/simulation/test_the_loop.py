"""Single stories of the loop for rented machines, each with one trouble: W3 to W6, W8, W15, W17."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from job_watcher.simulation.checks import broken_promises
from job_watcher.simulation.conditions import LOCK_S, Told
from job_watcher.simulation.fault_schedule import STEPS, Fault, Planned
from job_watcher.simulation.machine_history import lives_of
from job_watcher.simulation.market import Taste
from job_watcher.simulation.world import Scenario, World
from lib.fleet import Policy
from lib.jobspec import JobSpec, normalize_job_spec


def jobs(count: int) -> list[JobSpec]:
    text = "A sentence that is spoken on a machine far away. " * 6
    return [
        normalize_job_spec({"output_name": f"loop/beat-{index:03d}", "speaker": "Ryan", "text": text})
        for index in range(count)
    ]


def live(*faults: Planned, count: int = 10, seed: int = 5, **different: Any) -> World:
    facts: dict[str, Any] = {"taste": Taste(base_speed=0.3), "policy": Policy(speed=0.3)}
    world = World(Scenario(arrivals=[(0.0, jobs(count))], faults=faults, **(facts | different)), seed)
    world.run()
    assert [*world.conditions.violations, *broken_promises(world)] == []
    return world


def told(world: World, kind: str) -> list[Told]:
    return [item for item in world.conditions.story if item.kind == kind]


def done(world: World) -> int:
    return world.conditions.queue.snapshot().done


def test_w9_a_quiet_day_needs_one_machine_and_leaves_none() -> None:
    world = live(count=3)
    assert done(world) == 3
    assert len(lives_of(world)) == 1
    assert world.conditions.ledger.open_rows() == []


@pytest.mark.parametrize("step", STEPS)
def test_w3_a_crash_at_any_step_is_repaired_by_the_next_pass(step: str) -> None:
    world = live(Planned(Fault.CRASH, at=0.0, step=step), Planned(Fault.CRASH, at=400.0, step=step))
    assert done(world) == 10
    assert told(world, "crash") or step.startswith(("machine.submit", "queue.release", "ledger.note_host"))


def test_w4_a_machine_rented_by_a_watcher_that_died_is_adopted_by_its_label() -> None:
    world = live(Planned(Fault.CRASH, at=0.0, step="provider.rent after"))
    assert [item.kind for item in world.conditions.story if item.kind in ("unclear", "found")] == [
        "unclear",
        "found",
    ]
    assert len(world.conditions.rents) == len(lives_of(world))


def test_w15_running_work_is_adopted_and_not_spoken_twice() -> None:
    world = live(Planned(Fault.CRASH, at=300.0, step="provider.list before"))
    assert told(world, "adopted")
    spoken = sum(lot.machine.finished for lot in world.conditions.market.lots.values())
    assert spoken == 10


def test_w15_a_standby_takes_over_within_two_lease_times() -> None:
    world = live(
        Planned(Fault.PAUSE, at=200.0, seconds=3000.0, step="ledger.charge after"), watchers=2, seed=9
    )
    if not told(world, "pause"):
        world = live(
            Planned(Fault.PAUSE, at=200.0, seconds=3000.0, step="ledger.charge after", watcher=1),
            watchers=2,
            seed=9,
        )
    paused = told(world, "pause")[0].at
    taken = next(item.at for item in told(world, "leading") if item.at > paused)
    assert taken - paused <= 2 * LOCK_S
    assert done(world) == 10


def test_w15_a_leader_woken_after_the_take_over_stops_acting() -> None:
    world = live(
        *(
            Planned(Fault.PAUSE, at=200.0, seconds=900.0, step="ledger.open_epoch before", watcher=index)
            for index in (0, 1)
        ),
        *(
            Planned(Fault.PAUSE, at=200.0, seconds=900.0, step="queue.claim after", watcher=index)
            for index in (0, 1)
        ),
        watchers=2,
    )
    assert told(world, "pause")
    assert told(world, "abdicated")


def test_w17_a_deploy_keeps_machines_and_their_work() -> None:
    world = live(Planned(Fault.DRAIN, at=300.0))
    spoken = sum(lot.machine.finished for lot in world.conditions.market.lots.values())
    assert spoken == 10
    assert len(lives_of(world)) == len(lives_of(live()))


def test_w5_an_empty_listing_stops_creates_and_concludes_nothing() -> None:
    world = live(Planned(Fault.LIST_EMPTY, at=400.0, seconds=1200.0), count=20)
    blind = [item.at for item in told(world, "blind")]
    ends = [item.at for item in told(world, "fault over")]
    rented = [item.at for item in told(world, "planned")]
    assert blind
    assert not [at for at in rented if blind[0] <= at < ends[0]]
    for item in told(world, "vanished"):  # only what was destroyed and is unknown by its id, too
        states = [event.state for event in world.conditions.ledger.history(item.token)]
        assert states[-2:] == ["leaving", "gone"]


def test_w6_a_machine_that_ignores_destroys_is_destroyed_until_it_is_gone() -> None:
    world = live(
        *(Planned(Fault.ZOMBIE, at=300.0) for _ in range(4)), taste=Taste(base_speed=0.3, dead_man=False)
    )
    assert not world.conditions.market.living()


def test_w6_a_provider_that_refuses_for_an_hour_does_not_end_the_destroying() -> None:
    world = live(
        Planned(Fault.REFUSING, at=700.0, seconds=3600.0),
        count=3,
        taste=Taste(base_speed=0.3, dead_man=False),
    )
    assert not world.conditions.market.living()


def test_w9_short_jobs_do_not_wait_for_the_next_pass() -> None:
    world = live(count=200, taste=Taste(base_speed=80.0), policy=Policy(speed=80.0, max_machines=1))
    first, last = (told(world, "settled")[index].at for index in (0, -1))
    assert done(world) == 200
    assert last - first < 250  # two in a pass of ten seconds took 1000 s


def test_w9_machines_that_leave_count_against_the_most() -> None:
    world = live(
        *(Planned(Fault.ZOMBIE, at=at) for at in (400.0, 500.0, 600.0)),
        Planned(Fault.PREEMPTION, at=620.0, seconds=9000.0),
        count=40,
        policy=Policy(speed=0.3, max_machines=1),
        taste=Taste(base_speed=0.3, dead_man=False),
    )
    lives = lives_of(world)
    assert len(lives) > 1
    assert all(one.end <= other.begin for one, other in pairwise(lives))


def test_w10_after_two_preemptions_the_work_goes_on_where_nobody_can_take_it() -> None:
    preempted = [Planned(Fault.PREEMPTION, at=at, seconds=9000.0) for at in (300.0, 900.0, 1500.0, 2100.0)]
    world = live(*preempted, count=40, policy=Policy(speed=0.3, max_machines=1))
    lives = lives_of(world)
    assert [life.interruptible for life in lives][:2] == [True, True]
    assert not lives[-1].interruptible
    assert done(world) == 40


def test_w4_machines_of_others_are_never_touched() -> None:
    world = live(strangers=3)
    assert len(world.conditions.market.living()) == 3
