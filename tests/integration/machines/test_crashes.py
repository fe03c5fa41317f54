"""A ledger survives its writer: killed at any point, each row is in its old or its new form (W3, W4)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from lib.machines.model import Category
from lib.machines.sql_ledger import SqlLedger
from tests.integration.machines.conftest import Place
from tests.warm.process import WarmProcess

ROOT = Path(__file__).parents[3]
KILLS = 4


def write_until(place: Place, lines: int) -> list[list[str]]:
    """Start a writer, kill it after so many promises, and return all that it made."""
    argv, call = ["job-watcher", place.url, place.schema or ""], "tests.integration.machines.writer:main"
    process = WarmProcess(argv, call, cwd=ROOT, environ=os.environ)
    assert process.stdout is not None
    heard = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said, _ = process.communicate()
    heard += said.splitlines(keepends=True)
    return [line.split() for line in heard if line.endswith("\n")]


def check_promises(ledger: SqlLedger, promises: list[list[str]]) -> None:
    """Each promise was kept; nothing is half written."""
    for kind, token, version in promises:
        row = ledger.row(token)
        assert row is not None
        assert row.version >= int(version)
        if kind == "charged":
            assert len(ledger.charges(token)) == len(Category)
    for row in ledger.open_rows():
        assert [line.version for line in ledger.history(row.token)] == list(range(1, row.version + 1))
        assert ledger.history(row.token)[-1].state == row.state
        assert len(ledger.charges(row.token)) in (0, len(Category))


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_writer_killed_at_any_point_leaves_each_row_old_or_new(place: Place, seed: int) -> None:
    promises = write_until(place, lines=random.Random(seed).randint(1, 60))
    assert promises[0] == ["open"]

    ledger = place.open()

    check_promises(ledger, promises[1:])
    acknowledged = {token for _, token, _ in promises[1:]}
    # one that was being planned when the writer died may be there too: found, not lost
    assert 0 <= len(ledger.open_rows()) - len(acknowledged) <= 1
    assert ledger.last_epoch() == 1
