"""The ledger's rows as values."""

from __future__ import annotations

import re

import pytest

from lib.pipeline.model import TaskRow
from lib.sql.statements import load_statements


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_tasks_are_asked_for_in_the_order_of_their_fields(dialect: str) -> None:
    asked = load_statements("lib.pipeline", "ledger.sql", dialect)["tasks_unlocked"].text
    assert tuple(re.findall(r"t\.(\w+)", asked.split("FROM")[0])) == TaskRow._fields
