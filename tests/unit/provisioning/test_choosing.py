"""Which offer one watcher asks for, and when it looks again: W8, W10."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lib.fleet import Caps, Policy
from lib.machines.model import Epoch, HostNote
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import DOLLAR, NINE, Bench, offer

BID = offer(id="bid", machine_id="m2", hourly_micros=DOLLAR // 10, interruptible=True)


def remember(bench: Bench, reason: str, machine: str, ago_s: float = 600.0) -> None:
    """A leader before us noted what that machine did."""
    if not bench.ledger.last_epoch():
        bench.ledger.open_epoch(Epoch(1, "ann", NINE))
    note = HostNote("scripted", machine, "h", reason, False, NINE - ago_s)
    bench.ledger.note_host(note, epoch=1)


def asked(bench: Bench) -> list[str]:
    """What the watcher asks for in its first pass."""
    bench.queue.enqueue([spec("a")])
    bench.watcher().step()
    return bench.company.asked


class TestPreemptions:
    @pytest.mark.parametrize(
        ("reason", "ago_s", "choice"),
        [("outbid", 600.0, "o1"), ("outbid", 3 * 3600.0, "bid"), ("boot_timeout", 600.0, "bid")],
    )
    def test_of_the_last_hours_alone_lead_away_from_machines_that_can_be_taken_away(
        self, bench: Bench, reason: str, ago_s: float, choice: str
    ) -> None:
        bench.company.offered.append(BID)
        for machine in ("m8", "m9"):
            remember(bench, reason, machine, ago_s)

        assert asked(bench) == [choice]


def test_what_a_machine_did_to_a_leader_before_us_is_remembered(bench: Bench) -> None:
    bench.company.offered.append(offer(id="o2", machine_id="m2", hourly_micros=DOLLAR // 4))
    remember(bench, "wrong_gpu", "m1")

    assert asked(bench) == ["o2"]


def test_a_dear_offer_does_not_hide_a_cheaper_one_that_the_caps_can_pay_for(bench: Bench) -> None:
    """It makes so much more of the work that it would be the best for ever."""
    bench.caps, bench.policy = Caps(hour=DOLLAR // 4), Policy(speed=0.3)
    bench.company.offered.append(offer(id="dear", machine_id="m2", hourly_micros=DOLLAR * 4 // 5, perf=20.0))

    assert asked(bench) == ["o1"]


@pytest.mark.parametrize(("credit", "choice"), [(DOLLAR - 1, []), (DOLLAR, ["o1"])])
def test_credit_at_its_floor_rents_nothing(bench: Bench, credit: int, choice: list[str]) -> None:
    bench.company.credit = credit

    assert asked(bench) == choice
    assert ("credit" in [kind for kind, _ in bench.told]) is (choice == [])


class TestASearchThatFoundNothing:
    def test_is_repeated_at_once_for_more_work(self, bench: Bench) -> None:
        bench.company.offered.clear()
        bench.queue.enqueue([spec("a")])
        watcher = bench.watcher()
        watcher.step()
        bench.company.offered.append(offer())
        bench.clock.advance(10)
        watcher.step()
        assert bench.company.asked == []

        bench.queue.enqueue([spec("b")])
        watcher.step()

        assert bench.company.asked == ["o1"]

    def test_is_repeated_after_pauses_that_grow_to_five_minutes(self, bench: Bench) -> None:
        bench.company.offered.clear()
        bench.queue.enqueue([spec("a")])
        bench.live(bench.watcher(), 3600)

        looks = bench.company.looked
        pauses = [round(after - before) for before, after in pairwise(looks)]
        assert pauses[:3] == sorted(pauses[:3])
        assert pauses[0] < 90
        assert set(pauses[4:]) <= set(range(300, 311))
