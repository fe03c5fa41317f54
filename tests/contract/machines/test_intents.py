"""Intents: written once, before anything is rented, and refused to a leader whose term is over (W4, W15)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.machines.model import Category, Charge, Epoch, HostNote
from lib.machines.port import Ledger, SpendingRefused, StaleEpoch
from tests.contract.machines.rows import HOUR, NOON, anything, intent, planned, step


def test_a_planned_machine_is_in_the_ledger_with_every_word_of_its_intent(ledger: Ledger) -> None:
    row = planned(ledger)

    assert row.intent == intent()
    assert (row.state, row.since, row.version, row.epoch, row.reason) == (
        "planned",
        NOON + 0.125,
        1,
        1,
        "40 jobs wait",
    )
    assert (row.instance, row.closed_at) == (None, None)
    assert ledger.row(row.token) == row
    assert ledger.open_rows() == [row]


def test_a_token_never_planned_is_unknown(ledger: Ledger) -> None:
    assert ledger.row("token-00000009") is None
    assert ledger.history("token-00000009") == []
    assert ledger.charges("token-00000009") == []


def test_open_rows_come_oldest_first(ledger: Ledger) -> None:
    rows = [planned(ledger, number) for number in (3, 1, 2)]

    assert ledger.open_rows() == rows


def test_planning_again_after_a_lost_reply_writes_nothing_and_gives_the_row_as_it_is(ledger: Ledger) -> None:
    row = planned(ledger)
    rented = ledger.change(step(row, instance="i1", hourly_micros=999))

    assert planned(ledger) == rented
    assert ledger.open_rows() == [rented]
    assert len(ledger.history(row.token)) == 2


def test_planning_again_needs_no_second_room_under_the_caps(ledger: Ledger) -> None:
    row = planned(ledger)

    again = ledger.plan(intent(), state="planned", hours=(), allow=lambda _: "nothing is left")

    assert again == row


def test_a_token_is_never_used_for_another_intent(ledger: Ledger) -> None:
    row = planned(ledger)

    with pytest.raises(ValueError, match="was used for another intent"):
        planned(ledger, offer_id="another")
    ledger.change(step(row, "gone", closed=True))
    with pytest.raises(ValueError, match="was used for another intent"):
        planned(ledger, offer_id="another")


def test_a_refused_intent_leaves_no_trace(ledger: Ledger) -> None:
    with pytest.raises(SpendingRefused, match="only 3 cents are left"):
        ledger.plan(intent(), state="planned", hours=(), allow=lambda _: "only 3 cents are left")

    assert ledger.row(intent().token) is None
    assert ledger.open_rows() == []
    assert ledger.history(intent().token) == []


def test_words_of_a_provider_that_no_database_holds_are_made_storable(ledger: Ledger) -> None:
    row = planned(ledger, gpu="RTX\x00 3060 Größe \N{ROCKET}")
    said = ledger.change(step(row, reason="\ud800 gone \x00" + "x" * 5000))

    assert row.intent.gpu == "RTX\ufffd 3060 Größe \N{ROCKET}"
    assert said.reason.startswith("? gone \ufffdxxx")
    assert len(said.reason) == 2000
    assert ledger.row(row.token) == said


class TestEpochs:
    def test_there_is_none_at_first(self, fresh: Ledger) -> None:
        assert fresh.last_epoch() == 0

    def test_the_newest_one_is_remembered(self, ledger: Ledger) -> None:
        ledger.open_epoch(Epoch(7, "bob", NOON))

        assert ledger.last_epoch() == 7

    def test_a_leader_may_open_its_own_again(self, ledger: Ledger) -> None:
        ledger.open_epoch(Epoch(1, "ann", NOON + 5))

        assert ledger.last_epoch() == 1

    @pytest.mark.parametrize("number", [1, 2])
    def test_nobody_opens_one_that_is_taken_or_over(self, ledger: Ledger, number: int) -> None:
        ledger.open_epoch(Epoch(2, "bob", NOON))

        with pytest.raises(StaleEpoch, match=f"epoch {number} of cleo cannot begin: epoch 2"):
            ledger.open_epoch(Epoch(number, "cleo", NOON))
        assert ledger.last_epoch() == 2

    def test_not_even_its_owner_opens_an_old_one_again(self, ledger: Ledger) -> None:
        ledger.open_epoch(Epoch(2, "bob", NOON))

        with pytest.raises(StaleEpoch):
            ledger.open_epoch(Epoch(1, "ann", NOON))

    def test_a_stopped_leader_that_wakes_up_writes_nothing(self, ledger: Ledger) -> None:
        row = planned(ledger)
        ledger.open_epoch(Epoch(2, "bob", NOON))

        with pytest.raises(StaleEpoch, match="epoch 1 is no longer the leader: epoch 2"):
            planned(ledger, 2)
        with pytest.raises(StaleEpoch):
            planned(ledger)
        with pytest.raises(StaleEpoch):
            ledger.change(step(row))
        with pytest.raises(StaleEpoch):
            ledger.charge([Charge(row.token, Category.COMPUTE, HOUR, 5)], epoch=1)
        with pytest.raises(StaleEpoch):
            ledger.note_host(HostNote("p", "m", "h", "dead", False, NOON), epoch=1)

        assert ledger.open_rows() == [row]
        assert len(ledger.history(row.token)) == 1
        assert ledger.charges(row.token) == []
        assert ledger.host_notes(0) == []

    def test_the_successor_goes_on_with_what_it_finds(self, ledger: Ledger) -> None:
        row = planned(ledger)
        ledger.open_epoch(Epoch(2, "bob", NOON))

        adopted = ledger.change(replace(step(row, "unknown"), epoch=2))

        assert (adopted.epoch, adopted.intent.epoch, adopted.version) == (2, 1, 2)
        assert ledger.plan(intent(2, epoch=2), state="planned", hours=(), allow=anything).epoch == 2
