"""What `job-watcher costs` makes of the ledger (W8)."""

from __future__ import annotations

from typing import Any

import pytest

from lib.jobs.cost_shares import PaidFor, busy_times
from lib.jobs.costs import Costs, CostsBy, costs_of, hours_of
from lib.machines.memory import MemoryLedger
from lib.machines.model import Category, Change, Charge, Epoch, FinishedWork
from tests.contract.machines.rows import anything, intent

HOUR_S = 3600.0
NOON = 1_790_000_000.0 // 86_400 * 86_400 + 12 * HOUR_S  # of a day in UTC: 2026-09-21
HOUR = int(NOON // HOUR_S)
LATE = NOON + 6 * HOUR_S
COMPUTE, STORAGE, ADJUSTMENT = Category.COMPUTE, Category.STORAGE, Category.ADJUSTMENT


class Shop:
    """A ledger, and machines that live in it. Each is planned `at`, for two hours at 0.36 an hour."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.ledger.open_epoch(Epoch(1, "ann", NOON))

    def machine(self, number: int, at: float, *states: tuple[str, float], **fields: Any) -> str:
        """The token of one that came into each state so many seconds after it was planned."""
        given = {"hourly_micros": 360_000, "fee_micros": 0, "created_at": at, "expires_at": at + 7200}
        row = self.ledger.plan(
            intent(number, **{**given, **fields}), state="planned", hours=(), allow=anything
        )
        for state, after in states:
            closed = state == "gone"
            row = self.ledger.change(
                Change(row.token, row.version, 1, state, f"to {state}", at + after, closed=closed)
            )
        return row.token

    def charge(self, token: str, category: Category, micros: int, hour: int = HOUR) -> None:
        self.ledger.charge([Charge(token, category, hour, micros)], epoch=1)

    def work(
        self, token: str, job: str, at: float, seconds: float, *, batch: str = "", audio_s: int = 60
    ) -> None:
        """A job that it worked on for so long and that was taken in `at`; without audio it failed."""
        done = FinishedWork(token, job, 1, batch, at, round(seconds * 1000), audio_s * 1000)
        self.ledger.note_work([done], epoch=1)

    def costs(self, by: CostsBy = CostsBy.DAY, begin: float = NOON, now: float = LATE) -> Costs:
        return costs_of(self.ledger.paid(*hours_of(begin, now)), begin, now, by)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def lines(found: Costs) -> dict[str, int]:
    return {line.name: line.total for line in found.lines}


def test_costs_are_told_by_day_machine_and_batch_and_each_adds_up_to_the_same(shop: Shop) -> None:
    first = shop.machine(2, NOON)
    second = shop.machine(1, NOON, batch="")
    shop.charge(first, COMPUTE, 100)
    shop.charge(first, STORAGE, 7, hour=HOUR + 12)  # midnight, by UTC
    shop.charge(second, COMPUTE, 30, hour=HOUR + 11)
    later = NOON + 20 * HOUR_S

    found = {by: shop.costs(by, now=later) for by in CostsBy}

    assert lines(found[CostsBy.DAY]) == {"2026-09-21": 130, "2026-09-22": 7}
    assert lines(found[CostsBy.BATCH]) == {"": 30, "episode-12": 107}
    assert list(lines(found[CostsBy.MACHINE]).items()) == [(first, 107), (second, 30)]  # as planned
    assert {costs.total.total for costs in found.values()} == {137}
    assert {sum(lines(costs).values()) for costs in found.values()} == {137}
    assert found[CostsBy.DAY].total.micros[STORAGE] == 7


def test_only_the_hours_of_the_period_count(shop: Shop) -> None:
    token = shop.machine(1, NOON)
    for hour in range(HOUR - 1, HOUR + 9):
        shop.charge(token, COMPUTE, 1, hour=hour)

    assert shop.costs(begin=NOON + 100, now=NOON + 2 * HOUR_S).total.total == 3


class TestPaidFor:
    def test_cold_start_work_and_leaving_are_told_apart_by_time(self, shop: Shop) -> None:
        states = (("rented", 0), ("ready", 600), ("draining", 1800), ("leaving", 2400), ("gone", 3000))
        shop.charge(shop.machine(1, NOON, *states), COMPUTE, 3000)

        found = shop.costs()

        assert found.paid_for == {
            PaidFor.STARTING: 600,
            PaidFor.WORKING: 0,
            PaidFor.IDLE: 1800,
            PaidFor.LEAVING: 600,
            PaidFor.WASTED: 0,
        }
        assert found.cold_starts == [600.0]

    def test_all_that_a_machine_cost_that_never_became_ready_is_waste(self, shop: Shop) -> None:
        shop.charge(shop.machine(1, NOON, ("rented", 0), ("leaving", 900), ("gone", 1000)), COMPUTE, 1001)

        found = shop.costs()

        assert found.paid_for[PaidFor.WASTED] == found.total.total == 1001
        assert found.cold_starts == []

    def test_one_that_may_yet_become_ready_is_no_waste(self, shop: Shop) -> None:
        shop.charge(shop.machine(1, NOON, ("rented", 0)), ADJUSTMENT, 500)

        assert shop.costs().paid_for[PaidFor.STARTING] == 500

    @pytest.mark.parametrize("micros", [1, 10_001, -7, 9_007_199_254_740_993])
    def test_the_shares_of_an_hour_add_up_to_its_charge_exactly(self, shop: Shop, micros: int) -> None:
        states = (("rented", 0), ("ready", 333.3), ("draining", 1000.1), ("leaving", 1700.7))
        shop.charge(shop.machine(1, NOON, *states), COMPUTE, micros)

        assert sum(shop.costs().paid_for.values()) == micros

    def test_a_charge_of_an_hour_in_which_nothing_was_done_goes_to_what_is_nearest(self, shop: Shop) -> None:
        states = (("rented", 0), ("ready", 60), ("leaving", 3500), ("gone", 3590))
        shop.charge(shop.machine(1, NOON, *states), COMPUTE, 40, hour=HOUR + 2)

        assert shop.costs().paid_for[PaidFor.LEAVING] == 40


class TestOpen:
    def test_what_is_reserved_is_the_price_until_the_end_and_a_fee_that_was_not_charged(
        self, shop: Shop
    ) -> None:
        shop.machine(1, NOON, ("rented", 5), fee_micros=50_000)
        paid = shop.machine(2, NOON, ("rented", 5), fee_micros=50_000)
        shop.machine(3, NOON, ("gone", 5))
        shop.charge(paid, COMPUTE, 60_000)

        still = shop.costs(now=NOON + HOUR_S).still_open

        assert (still.machines, still.hourly, still.reserved) == (2, 720_000, 2 * 360_000 + 50_000)

    def test_one_that_outlived_its_end_reserves_no_less_than_nothing(self, shop: Shop) -> None:
        shop.machine(1, NOON, ("rented", 5))

        assert shop.costs(now=NOON + 5 * HOUR_S).still_open.reserved == 0


class TestDrift:
    ENDED = (("rented", 5.0), ("ready", 60.0), ("leaving", 3500.0), ("gone", 3600.0))

    def test_bills_are_compared_with_our_own_count_of_machines_that_ended(self, shop: Shop) -> None:
        token = shop.machine(1, NOON, *self.ENDED, fee_micros=10_000)
        shop.charge(token, COMPUTE, 365_000)
        shop.charge(token, Category.BANDWIDTH, 9_000)
        shop.charge(token, ADJUSTMENT, 0)

        drift = shop.costs().drift

        assert drift is not None
        assert drift.to_json() == {
            "machines": 1,
            "counted_usd": "0.370000",
            "billed_usd": "0.374000",
            "drift_usd": "0.004000",
        }

    def test_where_a_bill_is_missing_or_a_life_is_cut_nothing_is_compared(self, shop: Shop) -> None:
        unbilled = shop.machine(1, NOON, *self.ENDED)
        shop.charge(unbilled, ADJUSTMENT, 360_000)
        half_billed = shop.machine(2, NOON, *self.ENDED)
        shop.charge(half_billed, COMPUTE, 1)
        shop.charge(half_billed, ADJUSTMENT, 2)
        running = shop.machine(3, NOON, ("rented", 5))
        shop.charge(running, COMPUTE, 5)
        older = shop.machine(4, NOON - HOUR_S, *self.ENDED)
        shop.charge(older, COMPUTE, 5)

        assert shop.costs().drift is None


class TestWork:
    LIFE = (("rented", 0), ("ready", 600), ("leaving", 2400), ("gone", 3000))

    def test_what_was_worked_is_told_from_waiting_and_the_rest_stays_as_it_was(self, shop: Shop) -> None:
        token = shop.machine(1, NOON, *self.LIFE)
        shop.charge(token, COMPUTE, 3000)
        shop.work(token, "a", NOON + 1000, 300)
        shop.work(token, "b", NOON + 2000, 200)

        assert shop.costs().paid_for == {
            PaidFor.STARTING: 600,
            PaidFor.WORKING: 500,
            PaidFor.IDLE: 1300,
            PaidFor.LEAVING: 600,
            PaidFor.WASTED: 0,
        }

    def test_jobs_that_came_in_at_once_were_spoken_one_before_the_other(self, shop: Shop) -> None:
        token = shop.machine(1, NOON, *self.LIFE)
        shop.charge(token, COMPUTE, 3000)
        for job in "abc":
            shop.work(token, job, NOON + 1000, 100)

        assert shop.costs().paid_for[PaidFor.WORKING] == 300

    def test_a_machine_that_boasts_worked_no_longer_than_it_was_ready(self, shop: Shop) -> None:
        token = shop.machine(1, NOON, *self.LIFE)
        shop.charge(token, COMPUTE, 3000)
        shop.work(token, "a", NOON + 2000, 1e9)
        shop.work(token, "b", NOON + 9000, 1e9)

        found = shop.costs().paid_for

        assert (found[PaidFor.WORKING], found[PaidFor.STARTING]) == (1800, 600)
        assert sum(found.values()) == 3000

    def test_a_batch_and_a_job_bear_their_share_of_all_that_their_machine_cost(self, shop: Shop) -> None:
        both, idle = (
            shop.machine(1, NOON, *self.LIFE, batch="b"),
            shop.machine(2, NOON, *self.LIFE, batch="c"),
        )
        shop.charge(both, COMPUTE, 3001)
        shop.charge(idle, COMPUTE, 500)
        shop.work(both, "a", NOON + 1000, 300, batch="a")
        shop.work(both, "b", NOON + 2000, 100, batch="b")

        assert lines(shop.costs(CostsBy.BATCH)) == {"a": 2250, "b": 751, "c": 500}
        assert lines(shop.costs(CostsBy.JOB)) == {"": 500, "a": 2250, "b": 751}

    def test_finished_audio_is_counted_where_it_was_finished_and_priced(self, shop: Shop) -> None:
        token = shop.machine(1, NOON, *self.LIFE)
        shop.charge(token, COMPUTE, 4000)
        shop.work(token, "a", NOON + 1000, 100, batch="x")
        shop.work(token, "a", NOON + 1000, 100, batch="x")  # once
        shop.work(token, "b", NOON + 1100, 100)

        found = shop.costs(CostsBy.BATCH)

        assert [(line.name, len(line.jobs), line.per_audio_minute) for line in found.lines] == [
            ("", 1, 2000),
            ("x", 1, 2000),
        ]
        assert found.total.per_audio_minute == 2000
        assert found.to_json()["usd_per_job"] == "0.002000"

    def test_a_job_that_failed_bears_its_share_and_is_no_finished_one(self, shop: Shop) -> None:
        token = shop.machine(1, NOON, *self.LIFE)
        shop.charge(token, COMPUTE, 4000)
        shop.work(token, "a", NOON + 1000, 100)
        shop.work(token, "b", NOON + 1100, 300, audio_s=0)

        found = shop.costs(CostsBy.JOB)

        assert lines(found) == {"a": 1000, "b": 3000}
        assert [(line.name, len(line.jobs)) for line in found.lines] == [("a", 1), ("b", 0)]
        assert found.total.per_audio_minute == 4000
        assert found.to_json()["usd_per_job"] == "0.004000"

    def test_a_job_finished_before_the_period_is_not_of_it(self, shop: Shop) -> None:
        token = shop.machine(1, NOON - 7200, ("rented", 0), ("ready", 10))
        shop.charge(token, COMPUTE, 40)
        shop.work(token, "a", NOON - 3600, 100)

        found = shop.costs()

        assert (found.total.jobs, found.total.per_audio_minute) == (set(), None)

    def test_work_is_laid_end_to_end_from_the_last_backwards(self) -> None:
        jobs = [(10.0, 2000), (10.0, 3000), (20.0, 1000)]
        work = [FinishedWork("t", str(at), n, "", at, ms, 0) for n, (at, ms) in enumerate(jobs)]

        assert busy_times(work) == [(5.0, 10.0), (19.0, 20.0)]


def test_of_nothing_it_is_nothing_and_says_what_cannot_be_told(shop: Shop) -> None:
    told = shop.costs().to_json()

    assert (told["lines"], told["total"]["total_usd"], told["drift"]) == ([], "0.000000", None)
    assert (told["usd_per_job"], told["total"]["usd_per_audio_minute"]) == (None, None)
