"""A machine that breaks more speech than its peers is a suspect host; chance and bad engines are none."""

from __future__ import annotations

import random

import pytest

from lib.fleet import MachineEvent, Policy, verdict
from lib.fleet.broken_takes import TakeCount, is_suspect, suspects
from tests.unit.fleet.things import NOW, demand, machine

PEERS = TakeCount(1000, 10)


@pytest.mark.parametrize(
    ("count", "found"),
    [
        (TakeCount(300, 3), False),
        (TakeCount(300, 9), False),  # three times as many: it happens
        (TakeCount(300, 20), True),
        (TakeCount(40, 10), True),
        (TakeCount(4, 4), False),  # too few, however bad
    ],
)
def test_what_chance_explains_is_none(count: TakeCount, found: bool) -> None:
    assert is_suspect(count, PEERS) is found


def test_one_alone_is_never_suspected_nor_one_whose_peers_have_hardly_begun() -> None:
    assert suspects({"a": TakeCount(1000, 900)}) == frozenset()
    assert suspects({"a": TakeCount(1000, 900), "b": TakeCount(99, 0)}) == frozenset()
    assert suspects({"a": TakeCount(1000, 900), "b": TakeCount(100, 0)}) == {"a"}


def test_an_engine_that_breaks_a_fifth_everywhere_makes_nobody_suspect() -> None:
    assert suspects({name: TakeCount(300, 60) for name in "abc"}) == frozenset()


def test_peers_without_a_fault_make_the_usual_share_no_suspicion() -> None:
    assert suspects({"a": TakeCount(200, 5), "b": TakeCount(200, 0)}) == frozenset()


def test_no_sound_machine_is_suspected_in_a_year_of_work() -> None:
    """It is looked at after each job: three machines, 1.5 % broken, 5,000 jobs."""
    chance = random.Random(5)
    counts = dict.fromkeys("abc", TakeCount())
    for _ in range(5_000):
        name = chance.choice("abc")
        counts[name] = counts[name].plus(3, sum(chance.random() < 0.015 for _ in range(3)))
        assert not suspects(counts)


def test_a_machine_that_claims_a_million_sound_ones_makes_no_other_suspect() -> None:
    honest = dict.fromkeys("abc", TakeCount(1000, 15))
    assert suspects({**honest, "liar": TakeCount(1_000_000, 0)}) == frozenset()


def test_a_suspect_machine_is_given_up_and_its_host_avoided() -> None:
    found = verdict(machine(suspect=True), demand(waiting=3), Policy(), now=NOW, hold=0)

    assert found == (MachineEvent.FAILED, "broken_takes")
