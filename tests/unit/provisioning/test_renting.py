"""What one watcher rents and what it leaves alone: W8, W9, W10, W15. Whole days are in the simulation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from job_watcher.provisioning.ports import Contact
from lib.errors import Unavailable
from lib.fleet import Caps, Policy
from lib.jobqueue import JobState
from lib.machines.memory import MemoryLedger
from lib.machines.model import Category, Charge, Intent, MachineRow
from lib.machines.port import Allow
from lib.providers.rental import NoOffer, OutcomeUnknown, ProviderError, Rental
from tests.unit.dispatch.bench import Refusal
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import DOLLAR, NINE, Bench, offer

THIS_HOUR = int(NINE) // 3600


def allowed(_books: object) -> None:
    """No cap."""


class RacedLedger(MemoryLedger):
    """Between our look at the books and our intent somebody else plans a machine, and spends on it."""

    def __init__(self, *, hourly_micros: int, spent: int = 0, until: float = NINE + 3600) -> None:
        super().__init__()
        self._other: dict[str, Any] = {
            "token": "another-one",
            "hourly_micros": hourly_micros,
            "expires_at": until,
        }
        self._spent = spent

    def plan(self, intent: Intent, *, state: str, hours: Collection[int], allow: Allow) -> MachineRow:
        other = replace(intent, **self._other)
        row = super().plan(other, state=state, hours=hours, allow=allowed)
        if self._spent:
            charge = Charge(row.token, Category.COMPUTE, THIS_HOUR, self._spent)
            self.charge([charge], epoch=intent.epoch)
        return super().plan(intent, state=state, hours=hours, allow=allow)


# The cap, and what the other one does; each takes most of the quarter of a dollar that is allowed.
RACES: dict[str, tuple[dict[str, int], dict[str, Any]]] = {
    "promised under the hour's cap": ({"hour": 250_000}, {"hourly_micros": DOLLAR // 5}),
    "spent under the hour's cap": ({"hour": 250_000}, {"hourly_micros": 1, "until": NINE, "spent": 200_000}),
    "spent under the batch's cap": (
        {"batch": 250_000},
        {"hourly_micros": 1, "until": NINE, "spent": 200_000},
    ),
}


class TestTheCapsInsideTheLedgersTransaction:
    """W8: what was free when we looked may be taken when we write; the check is the product's own."""

    @pytest.mark.parametrize("race", RACES)
    def test_refuse_a_machine_whose_money_another_one_took_meanwhile(self, bench: Bench, race: str) -> None:
        caps, other = RACES[race]
        bench.caps, bench.ledger = Caps(**caps), RacedLedger(**other)
        bench.queue.enqueue([spec("a")])

        bench.watcher().step()

        assert bench.company.asked == []
        assert [row.token for row in bench.rented()] == ["another-one"]
        assert [text for kind, text in bench.told if kind == "cap"] != []

    def test_let_it_pass_where_both_have_room(self, bench: Bench) -> None:
        bench.caps, bench.ledger = Caps(hour=450_000), RacedLedger(hourly_micros=DOLLAR // 5)
        bench.queue.enqueue([spec("a")])

        bench.watcher().step()

        assert bench.company.asked == ["o1"]


def test_a_rental_that_no_row_explains_counts_against_the_most_machines(bench: Bench) -> None:
    """It is paid for until it is gone."""
    bench.policy = Policy(max_machines=1)
    orphan = bench.company.add(bench.label("token-of-nobody"), offer(machine_id="m9"))
    bench.queue.enqueue([spec("a")])
    watcher = bench.watcher()

    bench.live(watcher, 60)
    assert bench.company.asked == []
    assert bench.company.destroyed == []  # a row may be about to explain it

    bench.live(watcher, 300)
    assert bench.company.destroyed == [orphan]
    assert bench.company.asked == ["o1"]


def test_nothing_is_rented_in_the_pass_that_clears_up_what_an_earlier_call_did(bench: Bench) -> None:
    """What is decided on must have been seen when the pass began."""
    bench.company.offered.append(offer(id="o2", machine_id="m2"))
    bench.queue.enqueue([spec(f"j{number}") for number in range(5000)])
    bench.company.refusal = OutcomeUnknown("No answer.")
    watcher = bench.watcher()
    watcher.step()
    (row,) = bench.rented()
    bench.company.refusal = None
    bench.company.add(row.intent.label, offer())
    bench.clock.advance(20)

    watcher.step()
    assert [row.state for row in bench.rented()] == ["rented"]
    assert bench.company.asked == ["o1"]

    bench.clock.advance(10)
    watcher.step()
    assert bench.company.asked == ["o1", "o2"]


def test_a_machine_that_does_not_go_is_destroyed_for_ever(bench: Bench) -> None:
    """Doubled so often, a pause would be a number that no float holds, and the loop would end."""
    bench.queue.enqueue([spec("a")])
    watcher = bench.watcher()
    watcher.step()
    (instance,) = bench.company.rentals
    bench.queue.cancel("a")  # not needed any more
    bench.company.stays.add(instance)

    for _ in range(1100):
        bench.clock.advance(300)
        watcher.step()

    assert len(bench.company.destroyed) > 1090
    assert [row.instance for row in bench.rented()] == [instance]
    bench.company.stays.clear()
    bench.live(watcher, 900)
    assert bench.rented() == []


def test_no_machine_is_asked_for_beyond_the_end_of_its_contract(bench: Bench) -> None:
    bench.company.offered = [offer(contract_end=NINE + 2000)]
    bench.queue.enqueue([spec("a")])

    bench.watcher().step()

    (row,) = bench.rented()
    assert row.intent.expires_at == NINE + 2000


@pytest.mark.parametrize("refusal", [NoOffer("Taken."), ProviderError("No.")])
class TestAnOfferThatCouldNotBeRented:
    def test_is_not_asked_for_again_while_there_is_another(self, bench: Bench, refusal: Exception) -> None:
        dearer = offer(id="o2", machine_id="m2", hourly_micros=DOLLAR // 4)
        bench.company.offered.append(dearer)
        bench.company.refusal = refusal
        bench.queue.enqueue([spec("a")])
        watcher = bench.watcher()

        watcher.step()
        bench.company.refusal = None
        bench.live(watcher, 120)

        assert bench.company.asked == ["o1", "o2"]

    def test_is_left_alone_for_a_quarter_of_an_hour(self, bench: Bench, refusal: Exception) -> None:
        bench.company.refusal = refusal
        bench.queue.enqueue([spec("a")])
        watcher = bench.watcher()

        bench.live(watcher, 899)
        assert bench.company.asked == ["o1"]

        bench.live(watcher, 400)  # the pauses between fruitless searches have grown meanwhile
        assert bench.company.asked == ["o1", "o1"]


class TestAWatcherThatLeadsNoMore:
    """W15: a result on a machine belongs to whoever leads now."""

    @pytest.fixture
    def finished(self, bench: Bench) -> Bench:
        """A job that was spoken on the one machine and is not settled yet."""
        bench.queue.enqueue([spec("a")])
        self.watcher = bench.watcher()
        self.watcher.step()
        (instance,) = bench.company.rentals
        self.host = bench.host(instance)
        self.step(bench, 2)
        (taken,) = self.host.take()
        self.step(bench, 1)
        self.host.speak(taken)
        return bench

    def step(self, bench: Bench, times: int) -> None:
        for _ in range(times):
            bench.clock.advance(10)
            self.watcher.step()

    def state(self, bench: Bench) -> JobState:
        record = bench.queue.job("a")
        assert record is not None
        return record.state

    def test_settles_nothing_that_a_machine_finished_meanwhile(
        self, finished: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It leads when the pass begins, and loses the lock while a machine takes long to answer."""
        look = finished.access.look

        def slow(row: MachineRow, rental: Rental | None) -> Contact:
            finished.lead.leads = False
            return look(row, rental)

        monkeypatch.setattr(finished.access, "look", slow)

        self.step(finished, 1)

        assert self.state(finished) is JobState.RUNNING
        assert "abdicated" in [kind for kind, _ in finished.told]

    def test_settles_nothing_while_the_ledger_is_away(
        self, finished: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Refusal(monkeypatch, finished.ledger, "last_epoch", Unavailable("The ledger is away."))
        finished.lead.leads = False

        self.step(finished, 1)

        assert self.state(finished) is JobState.RUNNING

    def test_settled_it_while_it_led_though_the_ledger_was_away(
        self, finished: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Refusal(monkeypatch, finished.ledger, "last_epoch", Unavailable("The ledger is away."))

        self.step(finished, 1)

        assert self.state(finished) is JobState.DONE


class TestWhatStandsInTheWay:
    """W8: a person is told which limit it is, and what would be enough."""

    def refused(self, bench: Bench) -> tuple[str, str]:
        bench.queue.enqueue([spec("a")])
        bench.live(bench.watcher(), 15)
        return next(told for told in bench.told if told[0] in ("cap", "credit", "no_offer"))

    def test_a_price_under_the_cheapest_machine(self, bench: Bench) -> None:
        bench.caps = Caps(hourly_price=DOLLAR // 10)

        kind, sentence = self.refused(bench)

        assert kind == "cap"
        assert "MAX_DPH is $0.1000 an hour; the cheapest machine that fits costs $0.2000" in sentence

    def test_a_cap_under_the_shortest_rental(self, bench: Bench) -> None:
        bench.caps = Caps(day=DOLLAR // 100)

        kind, sentence = self.refused(bench)

        assert kind == "cap"
        assert "SPEND_CAP_DAY is $0.0100; at least" in sentence

    def test_a_market_without_a_machine(self, bench: Bench) -> None:
        bench.company.offered = []

        assert self.refused(bench) == ("no_offer", "the provider offers nothing")

    def test_a_market_on_which_nothing_fits(self, bench: Bench) -> None:
        bench.company.offered = [offer(reliability=0.5)]

        kind, sentence = self.refused(bench)

        assert kind == "no_offer"
        assert "reliability 0.5 is under 0.95" in sentence
