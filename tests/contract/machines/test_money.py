"""Money: hourly totals that count once, and books that a check can trust (W8)."""

from __future__ import annotations

import pytest

from lib.machines.model import Books, Category, Charge, HostNote, PaidMachines
from lib.machines.port import Ledger
from tests.contract.machines.rows import HOUR, NOON, intent, planned, step


def charges(token: str, *micros: int, hour: int = HOUR) -> list[Charge]:
    """One of each category, as far as there are amounts."""
    return [Charge(token, category, hour, amount) for category, amount in zip(Category, micros, strict=False)]


def test_a_charge_is_a_total_and_counts_once(ledger: Ledger) -> None:
    row = planned(ledger)
    ledger.charge(charges(row.token, 100, 20), epoch=1)
    ledger.charge(charges(row.token, 100, 20), epoch=1)
    ledger.charge(charges(row.token, 150), epoch=1)

    found = {(charge.category, charge.hour): charge.micros for charge in ledger.charges(row.token)}

    assert found == {(Category.COMPUTE, HOUR): 150, (Category.STORAGE, HOUR): 20}
    assert ledger.books([HOUR]).spent_by_hour == {HOUR: 170}


def test_an_adjustment_may_be_below_zero(ledger: Ledger) -> None:
    row = planned(ledger)
    ledger.charge([*charges(row.token, 100), Charge(row.token, Category.ADJUSTMENT, HOUR, -30)], epoch=1)

    assert ledger.books([HOUR]).spent_by_machine == {row.token: 70}


def test_sums_are_exact_however_large(ledger: Ledger) -> None:
    row = planned(ledger)
    large = 9_007_199_254_740_993  # no float holds it
    ledger.charge(charges(row.token, large, 1), epoch=1)

    assert ledger.books([HOUR], ["episode-12"]) == Books(
        open=(row,),
        spent_by_hour={HOUR: large + 1},
        spent_by_machine={row.token: large + 1},
        spent_by_batch={"episode-12": large + 1},
    )


def test_charges_are_written_all_or_none(ledger: Ledger) -> None:
    row = planned(ledger)

    with pytest.raises(ValueError, match="never planned"):
        ledger.charge(charges(row.token, 1, 2) + charges("token-00000009", 3), epoch=1)

    assert ledger.charges(row.token) == []
    assert ledger.books([HOUR]).spent_by_hour == {HOUR: 0}


def test_no_charges_are_no_mistake(ledger: Ledger) -> None:
    ledger.charge([], epoch=1)


def test_a_bill_that_comes_late_is_charged_to_the_closed_machine(ledger: Ledger) -> None:
    row = planned(ledger)
    ledger.change(step(row, "gone", closed=True))

    ledger.charge(charges(row.token, 500), epoch=1)

    books = ledger.books([HOUR], ["episode-12"])
    assert books.spent_by_hour == {HOUR: 500}
    assert books.spent_by_batch == {"episode-12": 500}
    assert books.spent_by_machine == {}


def test_the_books_tell_hours_machines_and_batches_apart(ledger: Ledger) -> None:
    first, second = planned(ledger, 1), planned(ledger, 2, batch="episode-13")
    ledger.charge(charges(first.token, 10) + charges(first.token, 1, hour=HOUR - 2), epoch=1)
    ledger.charge(charges(second.token, 300), epoch=1)

    books = ledger.books([HOUR - 2, HOUR - 1, HOUR], ["episode-12", "episode-13", "episode-14"])

    assert books.open == (first, second)
    assert books.spent_by_hour == {HOUR - 2: 1, HOUR - 1: 0, HOUR: 310}
    assert books.spent_by_machine == {first.token: 11, second.token: 300}
    assert books.spent_by_batch == {"episode-12": 11, "episode-13": 300, "episode-14": 0}


def test_only_the_hours_asked_for_are_told(ledger: Ledger) -> None:
    row = planned(ledger)
    for hour in (HOUR - 2, HOUR - 1, HOUR):
        ledger.charge(charges(row.token, 7, hour=hour), epoch=1)

    assert ledger.books([HOUR - 2, HOUR]).spent_by_hour == {HOUR - 2: 7, HOUR: 7}
    assert ledger.books([]).spent_by_hour == {}


def test_the_check_sees_the_books_with_every_open_reservation(ledger: Ledger) -> None:
    first = planned(ledger)
    ledger.charge(charges(first.token, 40), epoch=1)
    seen: list[Books] = []

    def look(books: Books) -> str | None:
        seen.append(books)
        return None

    ledger.plan(intent(2), state="planned", hours=[HOUR], allow=look)

    assert seen[-1] == Books(
        open=(first,),
        spent_by_hour={HOUR: 40},
        spent_by_machine={first.token: 40},
        spent_by_batch={"episode-12": 40},
    )


class TestPaid:
    """What was paid over a period: the read behind `costs` (W8)."""

    def test_it_holds_what_was_charged_in_those_hours_and_closed_machines_with_their_lives(
        self, ledger: Ledger
    ) -> None:
        first, second = planned(ledger, 2), planned(ledger, 1, batch="episode-13")
        gone = ledger.change(step(first, "gone", closed=True))
        bill = [*charges(first.token, 10, 2), *charges(second.token, 300, hour=HOUR - 1)]
        ledger.charge([*bill, *charges(first.token, 7, hour=HOUR - 2)], epoch=1)

        found = ledger.paid(HOUR - 1, HOUR)

        assert found.rows == (gone, second)  # as they were planned, whatever their tokens
        assert found.charges == (
            Charge(second.token, Category.COMPUTE, HOUR - 1, 300),
            Charge(first.token, Category.COMPUTE, HOUR, 10),
            Charge(first.token, Category.STORAGE, HOUR, 2),
        )
        assert found.events == (*ledger.history(second.token), *ledger.history(first.token))
        assert [type(charge.category) for charge in found.charges] == [Category] * 3

    def test_a_machine_that_is_open_is_there_before_anything_is_charged(self, ledger: Ledger) -> None:
        row = planned(ledger)

        found = ledger.paid(HOUR, HOUR)

        assert (found.rows, found.charges) == ((row,), ())
        assert found.events == tuple(ledger.history(row.token))

    def test_a_closed_machine_of_other_hours_is_not(self, ledger: Ledger) -> None:
        row = planned(ledger)
        ledger.change(step(row, "gone", closed=True))
        ledger.charge(charges(row.token, 10, hour=HOUR - 1), epoch=1)

        assert ledger.paid(HOUR, HOUR + 9) == PaidMachines()
        assert ledger.paid(HOUR - 9, HOUR - 2) == PaidMachines()

    def test_of_an_empty_ledger_it_is_nothing(self, ledger: Ledger) -> None:
        assert ledger.paid(0, HOUR) == PaidMachines()


class TestHosts:
    def note(self, reason: str = "slow", at: float = NOON, *, ok: bool = False) -> HostNote:
        return HostNote("rehearsal", "m7", "h3", reason, ok, at, "token-00000001")

    def test_notes_come_back_as_they_were_written_oldest_first(self, ledger: Ledger) -> None:
        late, early = self.note("late", NOON + 5, ok=True), self.note("early")
        ledger.note_host(late, epoch=1)
        ledger.note_host(early, epoch=1)

        assert ledger.host_notes(0) == [early, late]
        assert [type(note.ok) for note in ledger.host_notes(0)] == [bool, bool]

    def test_the_same_note_twice_counts_once(self, ledger: Ledger) -> None:
        ledger.note_host(self.note(), epoch=1)
        ledger.note_host(self.note(), epoch=1)

        assert ledger.host_notes(0) == [self.note()]

    def test_older_notes_are_left_out(self, ledger: Ledger) -> None:
        ledger.note_host(self.note(), epoch=1)

        assert ledger.host_notes(NOON) == [self.note()]
        assert ledger.host_notes(NOON + 0.5) == []
