"""Which nets hold a machine, and what it can cost at worst, as `instances` tells it (W1, W7, W8)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from job_watcher.provisioning.rented_rows import compared
from lib.jobs.rented_machines import RentedMachine, rented_machines
from lib.jobs.safety_nets import Net
from lib.machines.labels import MachineLabel
from lib.machines.memory import MemoryLedger
from lib.machines.model import Category, Charge, Epoch, MachineRow
from lib.providers.rental import Listing, Rental, RentalStatus
from tests.contract.machines.rows import HOUR, NOON, planned, step

PRICE, FEE = 210_000, 12_345


@pytest.fixture
def ledger() -> MemoryLedger:
    made = MemoryLedger()
    made.open_epoch(Epoch(1, "ann", NOON))
    return made


def rented(ledger: MemoryLedger, *states: str) -> MachineRow:
    row = planned(ledger)
    for state in states:
        row = ledger.change(step(row, state, instance="i1"))
    return row


def seen(ledger: MemoryLedger, now: float = NOON) -> RentedMachine:
    (machine,) = rented_machines(ledger, now)
    return machine


def test_a_machine_is_held_by_what_is_known_to_hold_it_and_no_more(ledger: MemoryLedger) -> None:
    row = planned(ledger)
    assert seen(ledger).nets == (Net.LEDGER,)
    row = ledger.change(step(row, "rented", instance="i1"))
    assert seen(ledger).nets == (Net.LEDGER, Net.LABEL)
    row = ledger.change(step(row, "ready"))
    assert seen(ledger).nets == (Net.LEDGER, Net.LABEL, Net.SWITCH, Net.DEADLINE)
    ledger.change(step(row, "leaving"))
    assert Net.SWITCH in seen(ledger).nets


def test_the_worst_is_its_price_until_its_end_and_the_fee_that_was_not_paid_yet(ledger: MemoryLedger) -> None:
    row = rented(ledger, "rented")
    end = row.intent.expires_at

    assert seen(ledger, end - 3600).worst == Decimal(PRICE + FEE) / 1_000_000
    ledger.charge([Charge(row.token, Category.COMPUTE, HOUR, 20_000)], epoch=1)
    assert seen(ledger, end - 1800).worst == Decimal(PRICE) / 2_000_000
    assert seen(ledger, end + 9).worst == 0


def test_a_switch_ends_it_sooner_and_one_that_nobody_saw_does_not_count(ledger: MemoryLedger) -> None:
    rented(ledger, "rented")
    assert seen(ledger).switched_off is None


def test_until_the_switch_it_costs_a_quarter_of_an_hour_or_what_is_left(ledger: MemoryLedger) -> None:
    end = rented(ledger, "rented", "ready").intent.expires_at

    assert seen(ledger).switched_off == Decimal(PRICE) / 4_000_000
    assert seen(ledger, end - 450).switched_off == Decimal(PRICE) / 8_000_000


def rental(instance: str, label: str) -> Rental:
    return Rental(instance, label, RentalStatus.RUNNING, PRICE, "m7", NOON)


class TestTheCompanysList:
    def test_what_it_has_with_our_label_and_no_row_is_a_stranger_and_foreign_ones_are_not(
        self, ledger: MemoryLedger
    ) -> None:
        row = rented(ledger, "rented")
        lost = MachineLabel("studio", 1, "token-00000077", NOON + 60).text()
        other = MachineLabel("others", 1, "token-00000078", NOON + 60).text()
        rentals = (rental("i1", row.intent.label), rental("i2", lost), rental("i3", other), rental("i4", ""))

        found = compared([seen(ledger)], Listing(rentals, complete=True), "studio")

        assert [machine.listed for machine in found.machines] == [True]
        assert [stranger.rental.instance for stranger in found.strangers] == ["i2"]

    @pytest.mark.parametrize(("complete", "listed"), [(True, False), (False, None)])
    def test_only_a_whole_list_says_that_a_machine_is_not_there(
        self, ledger: MemoryLedger, complete: bool, listed: bool | None
    ) -> None:
        rented(ledger, "rented")

        found = compared([seen(ledger)], Listing((), complete=complete), "studio")

        assert [machine.listed for machine in found.machines] == [listed]
        assert bool(found.problem) is not complete
