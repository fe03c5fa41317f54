"""A program that writes to a ledger until it is killed. Says on stdout what was promised to be kept.

python -m tests.integration.machines.writer URL SCHEMA
"""

from __future__ import annotations

import sys

from lib.machines.model import Category, Charge, Epoch
from lib.machines.sql_ledger import SqlLedger
from lib.sql import open_database
from tests.contract.machines.rows import HOUR, NOON, planned, step


def main() -> None:
    """Plan, rent, charge, and say so after each."""
    url, schema = sys.argv[1:]
    ledger = SqlLedger(open_database(url, schema=schema or None))
    ledger.open_epoch(Epoch(1, "writer", NOON))
    say("open")
    for number in range(1, 100_000):
        row = planned(ledger, number)
        say(f"version {row.token} 1")
        row = ledger.change(step(row))
        say(f"version {row.token} 2")
        ledger.charge([Charge(row.token, category, HOUR, 5) for category in Category], epoch=1)
        say(f"charged {row.token} 0")


def say(line: str) -> None:
    """One write, so that a killed process never leaves half a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
