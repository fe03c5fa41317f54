"""How long the ledger of rented machines takes, on SQLite on this disk and, with --url, on Postgres.

    ./run python bench/ledger.py [--machines N] [--closed N] [--url URL] [--json]

Prints the median milliseconds of each call with `--machines` open and `--closed` closed rows. Goal: a pass's
reads (`open_rows`, `books` of a month) well under the 5 ms of a pass with nothing to do at 4 machines.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from lib.machines.model import Category, Change, Charge, Epoch, Intent, MachineRow
from lib.machines.sql_ledger import SqlLedger
from lib.sql import open_database

ROUNDS = 30
NOW = 1_790_000_000.0
HOUR = int(NOW // 3600)
MONTH = range(HOUR - 743, HOUR + 1)


def intent(number: int) -> Intent:
    """What would be rented."""
    return Intent(
        token=f"token-{number:09d}",
        epoch=1,
        provider="bench",
        offer_id=str(number),
        machine_id="m",
        host_id="h",
        gpu="RTX 3060",
        interruptible=False,
        hourly_micros=100_000,
        fee_micros=0,
        created_at=NOW,
        expires_at=NOW + 7200,
        label="",
        batch=f"b{number // 10}",  # some machines each
    )


def planned(ledger: SqlLedger, number: int) -> MachineRow:
    """One more machine, under no cap."""
    return ledger.plan(intent(number), state="planned", hours=MONTH, allow=lambda _: None)


def change(row: MachineRow, *, closed: bool = False) -> Change:
    """Its next step."""
    return Change(row.token, row.version, 1, "next", "went on", NOW, closed=closed)


def charges(rows: Iterable[MachineRow], hour: int = HOUR) -> list[Charge]:
    """An hour of each machine, by category."""
    return [Charge(row.token, category, hour, 1000) for row in rows for category in Category]


def fill(ledger: SqlLedger, machines: int, closed: int) -> list[MachineRow]:
    """The rows to measure with; the closed ones have a history and charges too."""
    ledger.open_epoch(Epoch(1, "bench", NOW))
    for number in range(closed):
        row = planned(ledger, number)
        ledger.charge(charges([row], MONTH[number % len(MONTH)]), epoch=1)
        ledger.change(change(row, closed=True))
    return [planned(ledger, closed + number) for number in range(machines)]


def median_ms(call: Callable[[], object]) -> float:
    """Of some rounds, after one that warms."""
    call()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return round(statistics.median(taken) * 1000, 3)


def measure(url: str, machines: int, closed: int) -> dict[str, float]:
    """Every call a pass makes."""
    ledger = SqlLedger(open_database(url))
    rows = fill(ledger, machines, closed)
    numbers = iter(range(10_000_000, 20_000_000))
    row = rows[0]

    def step() -> None:
        nonlocal row
        row = ledger.change(change(row))

    found = {
        "open_rows": median_ms(ledger.open_rows),
        "books, a month": median_ms(lambda: ledger.books(MONTH, [row.intent.batch])),
        "charge, all machines": median_ms(lambda: ledger.charge(charges(rows), epoch=1)),
        "plan": median_ms(lambda: planned(ledger, next(numbers))),
        "change": median_ms(step),
    }
    ledger.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--machines", type=int, default=4)
    parser.add_argument("--closed", type=int, default=1000)
    parser.add_argument("--url", help="an empty Postgres database; its tables stay")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{Path(folder) / 'ledger.db'}"
        found = measure(url, options.machines, options.closed)
    if options.json:
        print(json.dumps({"machines": options.machines, "closed": options.closed, "median_ms": found}))
        return
    for name, milliseconds in found.items():
        print(f"{name:<22} {milliseconds:8.2f} ms")


if __name__ == "__main__":
    main()
