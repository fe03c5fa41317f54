"""Caps hold between watchers and across restarts: two that race for the last dollar, one rents (W8)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from lib.machines.model import Books, Epoch, MachineRow
from lib.machines.port import Allow, Ledger, RowChanged, SpendingRefused, StaleEpoch
from tests.contract.machines.rows import NOON, intent, step
from tests.integration.machines.conftest import Place

DOLLAR = 1_000_000


def at_most(cap_micros: int) -> Allow:
    """A check as a watcher makes it: what is open plus one more machine of a dollar stays under the cap."""

    def allow(books: Books) -> str | None:
        reserved = sum(row.intent.hourly_micros for row in books.open)
        return "no room under the cap" if reserved + DOLLAR > cap_micros else None

    return allow


def try_to_plan(ledger: Ledger, number: int, cap_micros: int) -> MachineRow | None:
    try:
        wanted = intent(number, hourly_micros=DOLLAR)
        return ledger.plan(wanted, state="planned", hours=[1], allow=at_most(cap_micros))
    except SpendingRefused:
        return None


def race_once(start: threading.Barrier, ledger: Ledger, number: int, dollars: int) -> MachineRow | None:
    start.wait(10)
    return try_to_plan(ledger, number, dollars * DOLLAR)


def race(place: Place, racers: int, tries: int, cap_micros: int) -> list[MachineRow]:
    """Let watchers, each with connections of its own, try at the same moment."""
    ledgers = [place.open() for _ in range(racers)]
    ledgers[0].open_epoch(Epoch(1, "ann", NOON))
    start = threading.Barrier(racers)

    def run(racer: int) -> list[MachineRow | None]:
        start.wait(10)
        return [try_to_plan(ledgers[racer], racer * 100 + number, cap_micros) for number in range(tries)]

    with ThreadPoolExecutor(racers) as pool:
        return [row for rows in pool.map(run, range(racers)) for row in rows if row]


def test_of_two_that_race_for_the_last_dollar_one_rents(place: Place) -> None:
    ledgers = [place.open(), place.open()]
    ledgers[0].open_epoch(Epoch(1, "ann", NOON))

    for dollar in range(1, 9):
        start = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            tries = [pool.submit(race_once, start, ledgers[at], 10 * dollar + at, dollar) for at in range(2)]

        assert sum(attempt.result() is not None for attempt in tries) == 1
        assert len(ledgers[0].open_rows()) == dollar


def test_many_that_race_fill_the_cap_exactly(place: Place) -> None:
    rented = race(place, racers=4, tries=5, cap_micros=7 * DOLLAR)

    assert len(rented) == 7
    assert {row.token for row in place.open().open_rows()} == {row.token for row in rented}


def test_a_reservation_holds_across_a_restart(place: Place) -> None:
    before = place.open()
    before.open_epoch(Epoch(1, "ann", NOON))
    row = try_to_plan(before, 1, DOLLAR)
    before.close()

    after = place.open()

    assert try_to_plan(after, 2, DOLLAR) is None
    assert row is not None
    after.change(step(row, "gone", closed=True))
    assert try_to_plan(after, 2, DOLLAR) is not None


def test_changes_that_race_for_one_row_are_carried_out_once(place: Place) -> None:
    first, second = place.open(), place.open()
    first.open_epoch(Epoch(1, "ann", NOON))
    row = try_to_plan(first, 1, DOLLAR)
    assert row is not None
    start = threading.Barrier(2)

    def run(racer: int) -> bool:
        start.wait(10)
        try:
            (first, second)[racer].change(step(row, f"state-{racer}"))
        except RowChanged:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, range(2))) == [False, True]
    assert len(first.history(row.token)) == 2


def test_of_two_that_open_the_same_epoch_one_reigns(place: Place) -> None:
    ledgers = [place.open(), place.open()]
    start = threading.Barrier(2)

    def run(racer: int) -> bool:
        start.wait(10)
        try:
            ledgers[racer].open_epoch(Epoch(2, f"watcher-{racer}", NOON))
        except StaleEpoch:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, range(2))) == [False, True]
