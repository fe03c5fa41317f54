"""The ledger in memory, which the simulation trusts, answers as the one in SQL does to whatever is asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.machines import open_ledger
from lib.machines.memory import MemoryLedger
from lib.machines.model import Books, Category, Change, Charge, Epoch, FinishedWork, HostNote
from lib.machines.port import Ledger, RowChanged, SpendingRefused, StaleEpoch
from tests.contract.machines.rows import HOUR, NOON, intent

Ask = Callable[[Ledger], object]

numbers = st.integers(1, 3)
epochs = st.integers(1, 3)
times = st.integers(0, 3).map(lambda seconds: NOON + seconds)


def capped(most: int) -> Callable[[Books], str | None]:
    return lambda books: "no room" if len(books.open) >= most else None


def planning(number: int, epoch: int, price: int, most: int) -> Ask:
    wanted = intent(number, epoch=epoch, hourly_micros=price)
    return lambda ledger: ledger.plan(wanted, state="planned", hours=[HOUR], allow=capped(most))


def changing(number: int, version: int, epoch: int, state: str, at: float, closed: bool) -> Ask:
    change = Change(intent(number).token, version, epoch, state, f"to {state}", at, closed=closed)
    return lambda ledger: ledger.change(change)


def charging(charges: list[tuple[int, Category, int, int]], epoch: int) -> Ask:
    wanted = [
        Charge(intent(number).token, category, HOUR - ago, micros)
        for number, category, ago, micros in charges
    ]
    return lambda ledger: ledger.charge(wanted, epoch=epoch)


def noting(ok: bool, at: float, epoch: int) -> Ask:
    return lambda ledger: ledger.note_host(HostNote("p", "m", "h", "slow", ok, at), epoch=epoch)


def working(number: int, job: str, lease_no: int, at: float, epoch: int) -> Ask:
    work = FinishedWork(intent(number).token, job, lease_no, "b", at, 900, 4000)
    return lambda ledger: ledger.note_work([work], epoch=epoch)


charge = st.tuples(numbers, st.sampled_from(Category), st.integers(0, 2), st.integers(-5, 10**17))
asks = st.one_of(
    st.builds(
        lambda n, o: lambda ledger: ledger.open_epoch(Epoch(n, o, NOON)), epochs, st.sampled_from("ab")
    ),
    st.builds(planning, numbers, epochs, st.integers(1, 2), st.integers(0, 3)),
    st.builds(changing, numbers, st.integers(0, 3), epochs, st.sampled_from("xy"), times, st.booleans()),
    st.builds(charging, st.lists(charge, max_size=3), epochs),
    st.builds(working, numbers, st.sampled_from("ab"), st.integers(1, 2), times, epochs),
    st.builds(noting, st.booleans(), times, epochs),
)


def answer(ledger: Ledger, ask: Ask) -> object:
    try:
        return ask(ledger)
    except (StaleEpoch, RowChanged, SpendingRefused) as error:
        return str(error)
    except ValueError:
        return ValueError


def everything(ledger: Ledger) -> list[Any]:
    tokens = [intent(number).token for number in (1, 2, 3)]
    return [
        ledger.last_epoch(),
        ledger.open_rows(),
        [(ledger.row(token), ledger.history(token), ledger.charges(token)) for token in tokens],
        ledger.books([HOUR - 2, HOUR], ["episode-12", "none"]),
        ledger.host_notes(NOON + 1),
        ledger.paid(HOUR - 1, HOUR).work,
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(asks, max_size=25))
def test_both_answer_alike_and_end_alike(steps: list[Ask]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory, sql = MemoryLedger(), open_ledger(f"sqlite:///{folder}/ledger.db")
        try:
            for ask in steps:
                assert answer(memory, ask) == answer(sql, ask)
            assert everything(memory) == everything(sql)
        finally:
            sql.close()
