"""What the loop spends beside the work itself (W8, W9), and the clairvoyant that it is measured by."""

from __future__ import annotations

import itertools
import random

import pytest

from bench.clairvoyant import JOB_S, Errand, KnownHost, least_micros
from bench.cost import CAPS, OURS, SPECS, Day, clairvoyant, lived, one_a_job, taste_of
from job_watcher.simulation.machine_history import Life, lives_of
from job_watcher.simulation.market import SimulatedMarket, Stay, Taste
from job_watcher.simulation.world import Scenario, World

GAP_S = 600.0
AUDIO_S = 240.0
TRICKLE = Day(
    [(GAP_S * index, [SPECS[index]]) for index in range(6)],
    {job.request_id: AUDIO_S for job in SPECS[:6]},
)


@pytest.fixture(scope="module")
def trickled() -> list[Life]:
    """Six jobs of four minutes, ten minutes apart, on a market that is the same whoever rents there."""
    scenario = Scenario(TRICKLE.arrivals, taste_of(TRICKLE), OURS, CAPS, attentive=True)
    world = World(scenario, 1)
    world.run()
    assert world.conditions.queue.snapshot().done == 6
    return lives_of(world)


def test_w9_where_work_never_comes_back_soon_no_machine_is_kept_for_it(trickled: list[Life]) -> None:
    assert [life.jobs for life in trickled] == [1] * 6
    kept = [life.went for life in trickled]
    assert all(went.endswith("idle for 0 s") or went.endswith("idle for 1 s") for went in kept), kept


def test_w9_a_machine_that_did_well_is_rented_again_at_once(trickled: list[Life]) -> None:
    assert len({(life.gpu, life.hourly_micros) for life in trickled}) == 1


def test_w9_an_idle_machine_goes_in_the_pass_that_finds_it_unwanted(trickled: list[Life]) -> None:
    finishing = [part for life in trickled for part in life.stretches if part.what == "finishing"]
    assert all(part.begin == part.end for part in finishing)


def test_w8_a_trickle_costs_at_most_a_third_more_than_hindsight() -> None:
    assert lived(TRICKLE, 1, OURS) <= 1.3 * clairvoyant(TRICKLE, 1)


def test_a_market_by_itself_is_the_same_whatever_is_rented_on_it() -> None:
    taste = Taste(by_itself=True)
    quiet, busy = (SimulatedMarket(taste, random.Random(3), 0.0, 10**9) for _ in range(2))
    offer = busy.offers(interruptible=True)[4]
    lot = busy.rent(offer, "a label", 1e9)
    assert (lot.runs_at, lot.machine.speed) == quiet.draws(offer)[:2]
    quiet.advance(20_000.0)
    for moment in range(7, 20_001, 7):  # looked at often, and never when a host comes
        busy.advance(moment)
    busy.advance(20_000.0)
    assert quiet.hosts == busy.hosts
    assert quiet.draws(quiet.hosts[-1]) == busy.draws(busy.hosts[-1])


def test_a_day_that_begins_later_finds_the_market_of_that_moment() -> None:
    opened, later = 1_000_000.0, 1_020_000.0
    taste = Taste(by_itself=True)
    begun = World(Scenario([], taste, start=opened), 3).conditions.market
    begun.advance(later)
    joined = World(Scenario([], taste, start=later, opened=opened), 3).conditions.market
    assert joined.offers(interruptible=True) == begun.offers(interruptible=True)


def test_what_others_have_rented_cannot_be_had_until_they_give_it_back() -> None:
    taste = Taste(by_itself=True, others=[Stay("host-2", 10.0, 20.0)])
    market = SimulatedMarket(taste, random.Random(3), 0.0, 10**9)

    def there(now: float) -> bool:
        market.advance(now)
        return any(offer.machine_id == "host-2" for offer in market.offers(interruptible=False))

    assert [there(now) for now in (9.0, 10.0, 19.0, 20.0)] == [True, False, False, True]


def test_w8_no_way_of_renting_is_cheaper_than_the_clairvoyant() -> None:
    """Two of the jobs come while the machine of the one before is not done: they must do without it."""
    crowd = Day([*TRICKLE.arrivals[:2], (620.0, [SPECS[2], SPECS[3]])], TRICKLE.audio_s)
    best = clairvoyant(crowd, 1)
    assert best <= lived(crowd, 1, OURS) <= one_a_job(crowd, 1)
    assert best < one_a_job(crowd, 1)


def host(name: str, hourly: int, start: float, speed: float) -> KnownHost:
    return KnownHost(name, hourly, start, speed, 60.0, 0.0, 1e9)


CHEAP, QUICK = host("cheap", 3_600, 100.0, 1.0), host("quick", 9_000, 10.0, 2.0)


def test_the_clairvoyant_keeps_a_machine_over_a_short_gap_and_lets_it_go_over_a_long_one() -> None:
    work_s = 40.0 + JOB_S
    for gap, paid in ((-30.0, 0.0), (30.0, 30.0), (99.0, 99.0), (101.0, 100.0), (9_000.0, 100.0)):
        free = 1_000.0 + CHEAP.start_s + work_s
        two = [Errand(1_000.0, 40.0), Errand(free + gap, 40.0)]
        assert least_micros(two, [CHEAP]) == pytest.approx(100.0 + 2 * work_s + paid)


def test_the_clairvoyant_is_as_cheap_as_the_best_of_all_ways_tried_one_by_one() -> None:
    chance = random.Random(7)
    hosts = [CHEAP, QUICK]
    for _ in range(40):
        errands = sorted(
            (Errand(chance.uniform(60, 600), chance.uniform(1, 90)) for _ in range(5)), key=lambda one: one.at
        )
        choices = itertools.product([(index, new) for index in (0, 1) for new in (True, False)], repeat=5)
        costs = [cost for way in choices if (cost := tried(errands, hosts, way)) is not None]
        assert least_micros(errands, hosts) == pytest.approx(min(costs))


def tried(errands: list[Errand], hosts: list[KnownHost], way: tuple[tuple[int, bool], ...]) -> float | None:
    """What that way costs; None where it keeps a machine that is not there."""
    paid, free, before = 0.0, 0.0, None
    for errand, (index, new) in zip(errands, way, strict=True):
        one = hosts[index]
        begins, work_s = max(free, errand.at), errand.audio_s / one.speed + JOB_S
        if new:
            begins += one.start_s
            paid += one.start_micros
        elif before != index:
            return None
        else:
            paid += (begins - free) * one.hourly_micros / 3600
        paid, free, before = paid + work_s * one.hourly_micros / 3600, begins + work_s, index
    return paid
