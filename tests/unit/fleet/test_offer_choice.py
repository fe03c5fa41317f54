"""Which offer: W10."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.fleet import Caps, Demand, Host, Offer, Policy, Score, Speeds, best, ranked
from lib.fleet.host_history import BANNING, HALF_LIFE_S, HostIncident, objection, remembered
from lib.fleet.offer_choice import dominates
from tests.unit.fleet.things import DOLLAR, NOW, demand, offer

WORK = demand(waiting=100)


def rank(
    *offers: Offer, work: Demand = WORK, hosts: dict[str, Host] | None = None, **more: Any
) -> list[Score]:
    policy, caps = more.pop("policy", Policy()), more.pop("caps", Caps())
    speeds = more.pop("speeds", Speeds())
    return ranked(offers, work, policy, caps, speeds, hosts or {}, now=NOW, **more)


def choice(*offers: Offer, **more: Any) -> str | None:
    found = best(rank(*offers, **more))
    return None if found is None else found.offer.id


def test_price_per_unit_of_speed_decides_not_price() -> None:
    slow = offer(id="slow", gpu="A", hourly_micros=150_000, perf=0.5)
    fast = offer(id="fast", gpu="B", hourly_micros=200_000, perf=1.5)
    assert choice(slow, fast) == "fast"


def test_measured_speed_beats_the_providers_figure() -> None:
    speeds = Speeds()
    speeds.measured("hibari", "B", 1.0, 1.0)
    boasting = offer(id="boasting", gpu="B", hourly_micros=200_000, perf=3.0)
    assert choice(boasting, offer(id="plain"), speeds=speeds) == "plain"


def test_a_download_that_costs_more_than_the_gpu_is_seen() -> None:
    cheap = offer(id="cheap", hourly_micros=150_000, fee_micros=500_000)
    assert choice(cheap, offer(id="plain")) == "plain"


def test_an_unreliable_machine_must_be_cheaper_by_its_risk() -> None:
    shaky = offer(id="shaky", hourly_micros=195_000, reliability=0.951)
    assert choice(shaky, offer(id="plain", reliability=0.999)) == "plain"
    assert choice(offer(id="shaky", hourly_micros=150_000, reliability=0.951), offer(id="plain")) == "shaky"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"reliability": 0.5}, "reliability"),
        ({"cuda": 11.0}, "CUDA"),
        ({"driver": 400}, "driver"),
        ({"vram_gb": 4.0}, "GPU memory"),
        ({"disk_gb": 5.0}, "disk"),
        ({"down_mbps": 50.0}, "network"),
        ({"direct_ports": 0}, "direct ports"),
        ({"contract_end": NOW + 600}, "contract"),
        ({"hourly_micros": 2 * DOLLAR}, "dearer"),
        ({"verified": False}, "not verified"),
    ],
)
def test_a_machine_that_cannot_do_the_work_is_named_and_not_taken(facts: dict[str, Any], words: str) -> None:
    policy = Policy(need_direct_ports=True, least_driver=500)
    scores = rank(offer(**facts), policy=policy)
    assert best(scores) is None
    assert words in (scores[0].objection or "")


def test_interruptible_machines_are_taken_until_two_were_lost() -> None:
    bid = offer(id="bid", hourly_micros=100_000, interruptible=True)
    assert choice(bid, offer(id="ask")) == "bid"
    assert choice(bid, offer(id="ask"), work=demand(waiting=100, preemptions=2)) == "ask"
    assert choice(bid, offer(id="ask"), work=demand(waiting=100, resumable=False)) == "ask"


def test_a_host_is_not_rented_twice_at_once() -> None:
    assert (
        choice(
            offer(id="again"),
            offer(id="other", machine_id="m2", hourly_micros=300_000),
            taken=frozenset({"m1"}),
        )
        == "other"
    )


class TestMemory:
    def test_a_failed_host_is_avoided_for_a_while_though_it_is_the_cheapest(self) -> None:
        hosts = remembered([HostIncident("m1", "boot_timeout", False, NOW - 600)], NOW)
        cheap = offer(id="cheap", hourly_micros=50_000)
        assert choice(cheap, offer(id="other", machine_id="m2"), hosts=hosts) == "other"

    def test_the_cool_down_ends_and_grows_with_failures(self) -> None:
        once = remembered([HostIncident("m1", "ssh", False, NOW - 2 * 3600)], NOW)
        twice = remembered(
            [HostIncident("m1", "ssh", False, NOW - 3 * 3600), HostIncident("m1", "ssh", False, NOW - 7200)],
            NOW,
        )
        assert objection(once["m1"], NOW) is None
        assert objection(twice["m1"], NOW) == "failed before: ssh"

    @pytest.mark.parametrize("reason", sorted(BANNING))
    def test_a_host_that_lied_is_banned_for_ever(self, reason: str) -> None:
        hosts = remembered([HostIncident("m1", reason, False, NOW - 300 * 86_400)], NOW)
        assert objection(hosts["m1"], NOW) == f"banned: {reason}"

    def test_a_host_that_failed_before_must_be_cheaper_by_the_start_that_may_be_lost(self) -> None:
        hosts = {"m1": Host("m1", trouble=1.0)}  # its cool-down is over
        ends = NOW + 10**6  # else it would dominate the other one: trouble is no term of that
        usual = offer(id="other", machine_id="m2")
        cheap = offer(id="failed", hourly_micros=190_000, contract_end=ends)
        assert choice(cheap, usual) == "failed"
        assert choice(cheap, usual, hosts=hosts) == "other"
        assert (
            choice(offer(id="failed", hourly_micros=50_000, contract_end=ends), usual, hosts=hosts)
            == "failed"
        )

    def test_trouble_fades_by_half_in_a_week_and_good_work_takes_it_back(self) -> None:
        old = remembered([HostIncident("m1", "ssh", False, NOW - HALF_LIFE_S)], NOW)
        mended = remembered(
            [HostIncident("m1", "ssh", False, NOW), HostIncident("m1", "worked", True, NOW)], NOW
        )
        assert old["m1"].trouble == pytest.approx(0.5)
        assert mended["m1"].trouble == pytest.approx(0.5)

    def test_being_outbid_is_not_the_hosts_fault(self) -> None:
        assert remembered([HostIncident("m1", "outbid", False, NOW)], NOW) == {}


OFFERS = st.builds(
    offer,
    id=st.uuids().map(str),
    machine_id=st.uuids().map(str),
    gpu=st.sampled_from(["A", "B"]),
    hourly_micros=st.integers(50_000, 900_000),
    fee_micros=st.integers(0, 50_000),
    perf=st.sampled_from([0.5, 1.0, 2.0]),
    reliability=st.floats(0.95, 1.0),
    down_mbps=st.floats(200, 2000),
    contract_end=st.none() | st.floats(NOW + 3600, NOW + 10**6),
    interruptible=st.booleans(),
)


@given(st.lists(OFFERS, min_size=1, max_size=12), st.integers(1, 5_000))
def test_a_dominated_offer_is_never_taken(offers: list[Offer], waiting: int) -> None:
    scores = rank(*offers, work=demand(waiting=waiting))
    taken = best(scores)
    assert taken is not None
    for other in scores:
        if other.objection is None:
            assert not dominates(other.offer, taken.offer, other.speed, taken.speed)


def test_of_two_equals_the_one_whose_contract_lasts_is_taken() -> None:
    ending = offer(id="a", contract_end=NOW + 7200)
    assert choice(ending, offer(id="b", machine_id="m2")) == "b"


@given(OFFERS)
def test_no_offer_dominates_itself(one: Offer) -> None:
    assert not dominates(one, one, 1.0, 1.0)


def test_every_offer_is_shown_with_the_terms_of_its_score() -> None:
    scores = rank(offer(id="a"), offer(id="b", cuda=1.0))
    assert [item.offer.id for item in scores] == ["a", "b"]
    assert all(item.total == item.time + item.start + item.risk for item in scores)
    assert min(item.time for item in scores) > 0
