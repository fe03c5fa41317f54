"""Whose money a machine is rented with: W8's cap by batch, with several batches in line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from job_watcher.provisioning.payers import Payers
from job_watcher.provisioning.ports import Config, ProvisioningParts
from lib.fleet import Caps, Policy
from lib.jobqueue.admin.observed import BatchInLine, StretchOfLine
from lib.machines.labels import MachineLabel
from lib.machines.model import Books, Category, Change, Charge, Epoch, Intent
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import DOLLAR, NINE, OWNER, Bench, offer

CAP = DOLLAR // 2  # less than half an hour at 20 cents is left of it when 45 cents are spent


def spent(bench: Bench, batch: str, micros: int) -> None:
    """An earlier machine of that batch cost so much, and is gone."""
    token, ledger = f"earlier-{batch or 'unnamed'}", bench.ledger
    label = MachineLabel(OWNER, 1, token, NINE).text()
    intent = Intent(
        token=token,
        epoch=1,
        provider="scripted",
        offer_id="o0",
        machine_id="m0",
        host_id="h0",
        gpu="RTX 3090",
        interruptible=False,
        hourly_micros=micros,
        fee_micros=0,
        created_at=NINE - 7200,
        expires_at=NINE - 3600,
        label=label,
        batch=batch,
    )
    if ledger.last_epoch() < 1:
        ledger.open_epoch(Epoch(1, "ann", NINE - 7200))
    row = ledger.plan(intent, state="planned", hours=(), allow=lambda books: None)
    ledger.charge([Charge(token, Category.COMPUTE, int(NINE) // 3600 - 1, micros)], epoch=1)
    ledger.change(Change(token, row.version, 1, "gone", "vanished", NINE - 3600, closed=True))


def payers(bench: Bench) -> list[str]:
    return [row.intent.batch for row in bench.rented()]


def told_of_caps(bench: Bench) -> list[str]:
    return [text for kind, text in bench.told if kind in ("cap", "batch_cap")]


def two_machines(bench: Bench) -> None:
    bench.company.offered.append(offer(id="o2", machine_id="m2"))


def test_a_machine_is_rented_for_the_batch_that_is_first_in_line(bench: Bench) -> None:
    bench.queue.enqueue([spec("a", batch="book"), spec("b", batch="film", priority="high")])

    bench.watcher().step()

    assert payers(bench) == ["film"]


def test_one_that_reached_its_cap_is_told_once_and_the_next_in_line_pays(bench: Bench) -> None:
    bench.caps = Caps(batch=CAP)
    spent(bench, "film", 450_000)
    two_machines(bench)
    bench.queue.enqueue([spec("a", batch="film"), spec("b", batch="film"), spec("c", batch="book")])

    bench.live(bench.watcher(), 1200)

    assert payers(bench) == ["book"]
    (sentence,) = told_of_caps(bench)
    assert sentence == (
        "SPEND_CAP_BATCH is $0.5000 for the batch film, of which $0.4500 are spent or promised; at least "
        "$0.5359 is needed, as no machine is rented for less than 25 minutes; 2 jobs of this batch wait "
        "until it is raised"
    )


def test_where_nobody_has_money_left_nothing_is_rented_and_each_is_told_once(bench: Bench) -> None:
    bench.caps = Caps(batch=CAP)
    spent(bench, "film", 450_000)
    spent(bench, "", 480_000)
    bench.queue.enqueue([spec("a", batch="film"), spec("b")])

    bench.live(bench.watcher(), 3600)

    assert bench.company.asked == []
    film, unnamed = sorted(told_of_caps(bench), key=lambda text: "for the batch film" not in text)
    assert "for the batch film" in film
    assert "1 job without a batch, all of them one together, waits until it is raised" in unnamed


def test_work_that_comes_for_another_batch_is_rented_for_at_once(bench: Bench) -> None:
    bench.caps = Caps(batch=CAP)
    spent(bench, "film", 450_000)
    bench.queue.enqueue([spec("a", batch="film")])
    watcher = bench.watcher()
    bench.live(watcher, 1800)

    bench.queue.enqueue([spec("b", batch="book")])
    bench.live(watcher, 30)

    assert payers(bench) == ["book"]


def test_jobs_that_nobody_pays_for_are_no_reason_for_a_further_machine(bench: Bench) -> None:
    """A few jobs would pay for the thousands of a batch that may spend nothing more."""
    bench.caps, bench.policy = Caps(batch=CAP), Policy(max_machines=4)
    spent(bench, "film", 450_000)
    two_machines(bench)
    bench.queue.enqueue([spec(f"j{number}", batch="film") for number in range(3000)])
    bench.queue.enqueue([spec("b", batch="book"), spec("c", batch="book")])

    bench.live(bench.watcher(), 600)

    assert payers(bench) == ["book"]


def test_with_as_many_jobs_of_its_own_it_rents_more(bench: Bench) -> None:
    bench.caps, bench.policy = Caps(batch=10 * DOLLAR), Policy(max_machines=4)
    two_machines(bench)
    bench.queue.enqueue([spec(f"j{number}", batch="film") for number in range(3000)])

    bench.live(bench.watcher(), 600)

    assert payers(bench) == ["film", "film"]


def test_a_batch_far_back_in_line_is_found_behind_one_without_money(bench: Bench) -> None:
    bench.caps = Caps(batch=CAP)
    spent(bench, "film", 450_000)
    bench.queue.enqueue([spec(f"j{number}", batch="film") for number in range(5000)])
    bench.queue.enqueue([spec("last", batch="book")])

    bench.live(bench.watcher(), 300)

    assert payers(bench) == ["book"]


def test_many_batches_without_money_do_not_hide_one_that_has_some(bench: Bench) -> None:
    bench.caps = Caps(batch=CAP, day=100 * DOLLAR)
    for number in range(40):
        spent(bench, f"b{number}", 450_000)
        bench.queue.enqueue([spec(f"j{number}", batch=f"b{number}")])
    bench.queue.enqueue([spec("last", batch="book")])

    bench.live(bench.watcher(), 600)

    assert payers(bench) == ["book"]
    assert len(told_of_caps(bench)) == 40


def test_a_batch_may_rent_again_when_what_was_promised_is_free(bench: Bench) -> None:
    bench.caps = Caps(batch=CAP)
    bench.queue.enqueue([spec("a", batch="film")])
    watcher = bench.watcher()
    bench.live(watcher, 60)
    (row,) = bench.rented()
    bench.queue.cancel("a")
    bench.live(watcher, 900)
    assert bench.rented() == []

    bench.queue.enqueue([spec("b", batch="film")])
    bench.live(watcher, 60)

    (again,) = bench.rented()
    assert (again.intent.batch, again.token == row.token) == ("film", False)


@pytest.mark.parametrize("batch", ["film", None])
def test_no_cap_by_batch_bounds_none(bench: Bench, batch: str | None) -> None:
    spent(bench, batch or "", 450_000)
    bench.queue.enqueue([spec("a", batch=batch)])

    bench.watcher().step()

    assert payers(bench) == [batch or ""]


def test_no_batch_is_said_to_be_at_its_cap_while_its_machine_runs(bench: Bench) -> None:
    """What is promised to the machine is not spent, and may come back."""
    bench.caps = Caps(batch=DOLLAR // 8)
    two_machines(bench)
    bench.queue.enqueue([spec(f"j{number}", batch="film") for number in range(3000)])
    watcher = bench.watcher()

    bench.live(watcher, 300)

    assert payers(bench) == ["film"]
    assert told_of_caps(bench) == []


def test_when_the_last_that_pays_is_done_the_reason_stands_for_who_waits_for_an_end(bench: Bench) -> None:
    """`once` ends with it: nothing is rented, and jobs wait."""
    bench.caps = Caps(batch=CAP)
    spent(bench, "film", 450_000)
    bench.queue.enqueue([spec("a", batch="film"), spec("b", batch="book")])
    watcher = bench.watcher()
    bench.live(watcher, 60)
    assert [kind for kind, _ in bench.told if kind in ("cap", "batch_cap")] == ["batch_cap"]

    bench.queue.cancel("b")
    bench.company.rentals.clear()
    bench.live(watcher, 3 * 3600)

    assert bench.rented() == []
    assert [kind for kind, _ in bench.told if kind in ("cap", "batch_cap")] == ["batch_cap", "cap"]


def test_what_a_watcher_that_is_gone_had_leased_is_rented_for(bench: Bench) -> None:
    bench.queue.enqueue([spec("a", batch="film")])
    bench.queue.claim("bob", count=1, lease_ms=3_600_000)

    bench.watcher().step()

    assert payers(bench) == ["film"]


def test_a_batch_at_its_cap_is_told_once_though_another_one_pays_for_its_job(bench: Bench) -> None:
    """What a machine at hand speaks does not wait, and no more is said of it."""
    bench.caps = Caps(batch=CAP)
    spent(bench, "film", 450_000)
    two_machines(bench)
    bench.queue.enqueue([spec("a", batch="film"), spec("b", batch="book")])
    watcher = bench.watcher()
    bench.live(watcher, 20)
    (instance,) = bench.company.rentals
    host = bench.host(instance)
    bench.live(watcher, 60)
    assert bench.queue.snapshot().pending == 2

    _, of_book = host.take(2)
    host.speak(of_book)
    bench.live(watcher, 60)
    assert bench.queue.snapshot().done == 1

    assert len(told_of_caps(bench)) == 1


class LineOfLeases:
    """A line whose first jobs are leased for so many looks; behind them one waits."""

    def __init__(self, leased_looks: int) -> None:
        self._leased = leased_looks

    def look_along(self, behind: str = "") -> StretchOfLine:
        at = int(behind or 0)
        if at < self._leased:
            return StretchOfLine((BatchInLine("book", 0, 200),), str(at + 1))
        return StretchOfLine((BatchInLine("film", 1, 0),), "")


@pytest.mark.parametrize("cap", [None, CAP])
@pytest.mark.parametrize("leased_looks", [1, 5, 1000])
def test_many_leased_jobs_before_those_that_wait_keep_nobody_from_renting(
    leased_looks: int, cap: int | None
) -> None:
    parts = SimpleNamespace(queue=LineOfLeases(leased_looks))
    payers = Payers(cast(ProvisioningParts, parts), Config(owner=OWNER, name="ann", caps=Caps(batch=cap)))

    payers.look(held=200)
    payers.judge(Books(), [offer()], NINE)

    assert payers.paying()[0] == ("film" if leased_looks < 1000 else "book")
