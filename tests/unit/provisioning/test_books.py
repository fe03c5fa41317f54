"""What one watcher writes into the books, and what it gives back: W6, W8, W10."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from job_watcher.provisioning.reconcile import Reconciler
from lib.errors import Unavailable
from lib.fleet.money import cost
from lib.machines.memory import MemoryLedger
from lib.machines.model import Intent, MachineRow
from lib.machines.port import Allow
from lib.providers.rental import AccountFault, BillLine, HalfRented, RefusedForGood
from lib.spool import ResultError, ResultErrorClass
from tests.unit.dispatch.bench import Refusal
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


@pytest.mark.parametrize(
    ("fault", "kind", "rest_s"),
    [
        (AccountFault.CREDIT, "credit", 60),
        (AccountFault.SPEND_LIMIT, "credit", 3600),
        (AccountFault.KEY, "account", 60),
        (AccountFault.SCOPE, "account", 60),
    ],
)
def test_what_the_account_may_not_do_is_not_tried_with_the_next_offer(
    bench: Bench, fault: AccountFault, kind: str, rest_s: int
) -> None:
    bench.company.offered.append(offer(id="o2", machine_id="m2"))
    bench.company.refusal = RefusedForGood("Not with this account.", fault)
    bench.queue.enqueue([spec("a")])
    watcher = bench.watcher()

    bench.live(watcher, rest_s - 10)

    assert len(bench.company.asked) == 1
    assert (kind, "Not with this account.") in bench.told
    bench.live(watcher, 60)
    assert len(bench.company.asked) == 2  # a person may have mended it


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


def test_of_a_bill_that_is_behind_only_what_is_final_counts(bench: Bench) -> None:
    """Else what was spent today would count for nothing until tomorrow, and the caps with it."""
    bench.company.bill_lag_s = 3600.0 * 9 + 1  # up to midnight
    watcher, row = rented(bench)
    bench.company.lines = [
        BillLine("i1", row.intent.label, "compute", THIS_HOUR, 500),
        BillLine("i1", row.intent.label, "compute", THIS_HOUR + 1, 500),
    ]

    bench.live(watcher, 1260)

    assert spent(bench.ledger, row.token) == pytest.approx(cost(PRICE, 1260), abs=PRICE / 60)
    assert {charge.category for charge in bench.ledger.charges(row.token)} == {"adjustment"}


def test_a_day_that_is_final_replaces_our_count_of_it_and_of_no_machine_that_it_does_not_name(
    bench: Bench,
) -> None:
    bench.company.bill_lag_s = 7200.0
    bench.company.offered.append(offer(id="o2", machine_id="m2"))
    watcher, row = rented(bench)
    bench.queue.enqueue([spec(f"j{number}") for number in range(5000)])
    bench.live(watcher, 1260)
    first, second = bench.rented()
    before = spent(bench.ledger, second.token)
    bench.company.lines = [BillLine("i1", row.intent.label, "compute", THIS_HOUR, 700)]
    bench.company.bill_lag_s = 0.5  # the hour is nearly over, and counts as final

    bench.live(watcher, 660)

    charges = {(item.category.value, item.hour): item.micros for item in bench.ledger.charges(first.token)}
    assert charges["compute", THIS_HOUR] == 700
    assert charges["adjustment", THIS_HOUR] == 0
    assert spent(bench.ledger, second.token) >= before


def test_a_bill_that_is_behind_replaces_also_what_those_before_us_counted(bench: Bench) -> None:
    watcher, row = rented(bench)
    bench.company.bills = False
    bench.live(watcher, 600)
    bench.company.bills, bench.company.bill_lag_s = True, 7200.0
    successor = bench.watcher()
    bench.live(successor, 660)  # its first bill is final for nothing of this hour
    assert spent(bench.ledger, row.token) > 0
    bench.company.lines = [BillLine("i1", row.intent.label, "compute", THIS_HOUR, 700)]
    bench.clock.advance(3 * 3600.0)

    bench.live(successor, 660)

    charges = {(item.category.value, item.hour): item.micros for item in bench.ledger.charges(row.token)}
    assert (charges["compute", THIS_HOUR], charges["adjustment", THIS_HOUR]) == (700, 0)


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


class TestFinishedWork:
    """What machines did for their money is in the ledger, so that `costs` need not guess (W8)."""

    def finish(self, bench: Bench) -> Reconciler:
        """A job of a batch, spoken on the one machine and taken in, with no pass behind it."""
        bench.queue.enqueue([spec("a", batch="episode-12")])
        watcher = bench.watcher()
        watcher.step()
        (instance,) = bench.company.rentals
        host = bench.host(instance)
        for _ in range(2):
            bench.clock.advance(10)
            watcher.step()
        host.speak_all()
        watcher.go_on()
        return watcher

    def written(self, bench: Bench) -> list[tuple[str, str, float]]:
        work = bench.ledger.paid(THIS_HOUR, THIS_HOUR).work
        return [(one.request_id, one.batch, one.at) for one in work]

    def test_each_job_is_written_down_once_with_the_next_pass(self, bench: Bench) -> None:
        watcher = self.finish(bench)
        for _ in range(3):
            bench.clock.advance(10)
            watcher.step()

        assert self.written(bench) == [("a", "episode-12", NINE + 20)]
        (done,) = bench.ledger.paid(THIS_HOUR, THIS_HOUR).work
        assert (done.work_ms, done.audio_ms) > (0, 0)
        assert done.token == bench.rented()[0].token

    def test_nothing_is_lost_while_the_ledger_is_away(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watcher = self.finish(bench)
        with monkeypatch.context() as away:
            Refusal(away, bench.ledger, "note_work", Unavailable("The ledger is away."))
            bench.clock.advance(10)
            watcher.step()
        assert self.written(bench) == []
        bench.clock.advance(10)
        watcher.step()

        assert self.written(bench) == [("a", "episode-12", NINE + 20)]

    def test_what_was_taken_in_last_is_written_down_when_the_watcher_leaves(self, bench: Bench) -> None:
        watcher = self.finish(bench)
        watcher.leave()

        assert self.written(bench) == [("a", "episode-12", NINE + 20)]

    def test_a_job_that_failed_there_cost_its_time_and_made_nothing(self, bench: Bench) -> None:
        bench.queue.enqueue([spec("a", batch="episode-12")])
        watcher = bench.watcher()
        watcher.step()
        (instance,) = bench.company.rentals
        host = bench.host(instance)
        host.script = lambda: host.beat()
        for _ in range(2):
            bench.clock.advance(10)
            watcher.step()
        (taken,) = host.take()
        host.speak(taken, error=ResultError(ResultErrorClass.ENGINE, "It does not speak."), took_s=7.0)
        watcher.go_on()
        watcher.leave()

        (failed,) = bench.ledger.paid(THIS_HOUR, THIS_HOUR).work
        assert (failed.request_id, failed.batch) == ("a", "episode-12")
        assert (failed.work_ms, failed.audio_ms) == (7000, 0)
