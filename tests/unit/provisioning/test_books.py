"""What one watcher writes into the books, and what it gives back: W6, W8, W10."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from job_watcher.provisioning.reconcile import Reconciler
from lib.fleet.money import cost
from lib.machines.memory import MemoryLedger
from lib.machines.model import Intent, MachineRow
from lib.machines.port import Allow
from lib.providers.rental import BillLine, HalfRented
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import DOLLAR, NINE, Bench, offer

PRICE = DOLLAR // 5
THIS_HOUR = int(NINE) // 3600


def spent(ledger: MemoryLedger, token: str) -> int:
    """All that is charged to a machine."""
    return sum(charge.micros for charge in ledger.charges(token))


class WatchedLedger(MemoryLedger):
    """Notes what was charged to the first machine at the moment each further one was planned."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def plan(self, intent: Intent, *, state: str, hours: Collection[int], allow: Allow) -> MachineRow:
        if rows := self.open_rows():
            self.seen.append(spent(self, rows[0].token))
        return super().plan(intent, state=state, hours=hours, allow=allow)


def rented(bench: Bench) -> tuple[Reconciler, MachineRow]:
    """A watcher after its first pass, and the machine to which one job led it."""
    bench.queue.enqueue([spec("a")])
    watcher = bench.watcher()
    watcher.step()
    (row,) = bench.rented()
    return watcher, row


def test_what_ran_since_the_last_count_is_charged_before_another_machine_is_planned(bench: Bench) -> None:
    """Else up to a minute of each machine would be neither spent nor promised."""
    bench.ledger = ledger = WatchedLedger()
    bench.company.offered.append(offer(id="o2", machine_id="m2"))
    watcher, _ = rented(bench)
    bench.queue.enqueue([spec(f"j{number}") for number in range(5000)])
    bench.clock.advance(50)

    watcher.step()

    assert bench.company.asked == ["o1", "o2"]
    assert ledger.seen == [cost(PRICE, 50)]


def test_a_fee_is_spent_with_the_first_minute(bench: Bench) -> None:
    bench.company.offered = [offer(fee_micros=40_000)]
    watcher, row = rented(bench)
    bench.clock.advance(60)

    watcher.step()

    assert spent(bench.ledger, row.token) == cost(PRICE, 60) + 40_000
    bench.live(watcher, 300)
    assert spent(bench.ledger, row.token) == pytest.approx(cost(PRICE, 360) + 40_000, abs=PRICE / 60)


def test_a_machine_that_vanished_is_charged_until_it_was_found_out(bench: Bench) -> None:
    bench.company.offered = [offer()]
    watcher, row = rented(bench)
    bench.company.offered.clear()
    bench.live(watcher, 200)
    bench.company.rentals.clear()
    bench.company.bills = False  # it replaces what we counted, once it is there

    bench.live(watcher, 120)

    after = bench.ledger.row(row.token)
    assert after is not None
    assert after.closed_at is not None
    assert spent(bench.ledger, row.token) == cost(PRICE, after.closed_at - NINE)
    assert [(note.reason, note.ok) for note in bench.ledger.host_notes(0)] == [("vanished", False)]


def test_a_rental_that_was_refused_and_exists_is_given_back(bench: Bench) -> None:
    """Its id came with the refusal: nobody waits for a listing to show it."""
    instance = bench.company.add(bench.label("token-00000001"), offer())
    bench.company.refusal = HalfRented("Refused.", instance)
    watcher, row = rented(bench)
    assert (row.state, row.instance) == ("leaving", instance)

    bench.clock.advance(10)
    watcher.step()

    assert bench.company.destroyed == [instance]


def test_a_rental_past_the_time_on_its_label_is_destroyed_when_it_is_seen(bench: Bench) -> None:
    """It came after its row was closed, so nothing will explain it."""
    bench.company.offered = [offer()]
    watcher, row = rented(bench)
    bench.company.offered.clear()
    bench.queue.cancel("a")
    bench.live(watcher, 600)
    assert bench.rented() == []
    bench.clock.advance(row.intent.expires_at - bench.clock.now() + 1)
    late = bench.company.add(row.intent.label, offer())

    watcher.step()

    assert bench.company.destroyed[-1] == late


def test_a_bill_of_a_machine_that_is_in_no_row_is_left_alone(bench: Bench) -> None:
    watcher, row = rented(bench)
    lines = [
        BillLine("i1", row.intent.label, "compute", THIS_HOUR, 500),
        BillLine("i1", row.intent.label, "compute", THIS_HOUR, 70),  # a token may have had two rentals
        BillLine("i8", bench.label("token-of-nobody"), "compute", THIS_HOUR, 900),
        BillLine("i9", "of somebody else", "compute", THIS_HOUR, 900),
    ]
    bench.company.lines = lines

    bench.live(watcher, 660)

    compute = [charge for charge in bench.ledger.charges(row.token) if charge.category == "compute"]
    assert [charge.micros for charge in compute] == [570]
    assert "trouble" not in [kind for kind, _ in bench.told]


def test_good_work_is_noted_when_its_machine_leaves(bench: Bench) -> None:
    watcher, _ = rented(bench)
    (instance,) = bench.company.rentals
    bench.host(instance).script = lambda: None
    bench.company.offered.clear()

    def passes(count: int) -> None:
        for _ in range(count):
            bench.clock.advance(10)
            watcher.step()

    passes(2)
    host = bench.access.hosts[instance]
    host.speak_all()
    passes(1)
    for _ in range(400):
        host.beat()
        passes(1)

    assert set(bench.company.destroyed) == {instance}
    assert [(note.reason, note.ok) for note in bench.ledger.host_notes(0)] == [("worked", True)]
