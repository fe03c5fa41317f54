"""Transitions: one at a time, each with its line of history, closed for good (W3, W6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.machines.model import HistoryEvent
from lib.machines.port import Ledger, RowChanged
from tests.contract.machines.rows import NOON, anything, intent, planned, step


def test_a_change_is_carried_out_with_its_line_of_history(ledger: Ledger) -> None:
    row = planned(ledger)

    rented = ledger.change(step(row, instance="i9", hourly_micros=250_000))

    assert (rented.state, rented.since, rented.version, rented.reason) == (
        "rented",
        row.since + 1,
        2,
        "because rented",
    )
    assert rented.instance == "i9"
    assert rented.intent == replace(row.intent, hourly_micros=250_000)
    assert ledger.row(row.token) == rented
    assert ledger.history(row.token) == [
        HistoryEvent(row.token, 1, NOON + 0.125, 1, "planned", "planned", "40 jobs wait"),
        HistoryEvent(row.token, 2, row.since + 1, 1, "to rented", "rented", "because rented"),
    ]


def test_what_a_change_does_not_name_stays(ledger: Ledger) -> None:
    rented = ledger.change(step(planned(ledger), instance="i9", hourly_micros=250_000))

    ready = ledger.change(step(rented, "ready"))

    assert (ready.instance, ready.intent.hourly_micros) == ("i9", 250_000)


def test_a_row_stays_in_its_state_since_it_entered_it(ledger: Ledger) -> None:
    rented = ledger.change(step(planned(ledger)))

    noted = ledger.change(step(rented, "rented", at=rented.since + 60, reason="still loading"))

    assert (noted.since, noted.reason, noted.version) == (rented.since, "still loading", 3)
    assert [line.at for line in ledger.history(noted.token)][-1] == rented.since + 60


def test_a_change_decided_on_an_older_row_writes_nothing(ledger: Ledger) -> None:
    row = planned(ledger)
    rented = ledger.change(step(row))

    with pytest.raises(RowChanged, match=r"decided at version 1, but it is at version 2, rented"):
        ledger.change(step(row, "lost"))

    assert ledger.row(row.token) == rented
    assert len(ledger.history(row.token)) == 2


@pytest.mark.parametrize("version", [0, 2, 9])
def test_a_change_of_a_version_that_is_not_there_writes_nothing(ledger: Ledger, version: int) -> None:
    row = planned(ledger)

    with pytest.raises(RowChanged):
        ledger.change(step(row, version=version))

    assert ledger.row(row.token) == row


def test_a_change_of_a_machine_never_planned_is_refused(ledger: Ledger) -> None:
    row = planned(ledger)

    with pytest.raises(RowChanged, match="it is not in the ledger"):
        ledger.change(step(row, token="token-00000009"))


def test_a_change_repeated_after_a_lost_reply_counts_once(ledger: Ledger) -> None:
    change = step(planned(ledger))
    first = ledger.change(change)

    assert ledger.change(change) == first
    assert len(ledger.history(change.token)) == 2


@pytest.mark.parametrize(
    "other", [{"event": "fell silent"}, {"reason": "else"}, {"at": NOON + 9}, {"state": "lost"}]
)
def test_another_change_of_the_same_version_is_no_repeat(ledger: Ledger, other: dict[str, object]) -> None:
    change = step(planned(ledger))
    ledger.change(change)

    with pytest.raises(RowChanged):
        ledger.change(replace(change, **other))  # type: ignore[arg-type]  # one field each, of its own type


def test_a_closed_machine_is_open_no_more_but_not_forgotten(ledger: Ledger) -> None:
    first, second = planned(ledger, 1), planned(ledger, 2)

    gone = ledger.change(step(first, "gone", closed=True))

    assert gone.closed_at == first.since + 1
    assert ledger.open_rows() == [second]
    assert ledger.row(first.token) == gone
    assert [row.token for row in ledger.books(()).open] == [second.token]


def test_nothing_opens_a_closed_machine_again(ledger: Ledger) -> None:
    gone = ledger.change(step(planned(ledger), "gone", closed=True))

    noted = ledger.change(step(gone, "gone", at=gone.since + 60, reason="seen again", closed=True))

    assert noted.closed_at == gone.closed_at
    assert ledger.open_rows() == []


def test_a_closed_machine_is_not_planned_again(ledger: Ledger) -> None:
    gone = ledger.change(step(planned(ledger), "gone", closed=True))

    assert ledger.plan(intent(), state="planned", hours=(), allow=anything) == gone
    assert ledger.open_rows() == []
