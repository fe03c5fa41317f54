"""The pages about pipelines say what the tables of states and of the database are."""

from __future__ import annotations

import re

from lib.pipeline.model import EventKind
from lib.pipeline.states import RunState, TaskEvent, TaskState
from lib.pipeline.tables import metadata
from tests.unit.house import ROOT
from tests.unit.pipeline.state_diagrams import PAGE, with_pictures

LEDGER = PAGE.read_text(encoding="utf-8")
TABLES = (ROOT / "docs/reference/pipeline-tables.md").read_text(encoding="utf-8")


def first_cells(page: str, heading: str) -> set[str]:
    """The words in backticks in the first column of the table below a heading."""
    table = page.partition(f"{heading}\n")[2].partition("\n#")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}


def test_the_pictures_are_made_from_the_tables_of_states() -> None:
    """P3: write them anew with python -m tests.unit.pipeline.state_diagrams."""
    assert with_pictures(LEDGER) == LEDGER


def test_each_state_and_event_has_its_words() -> None:
    """P3, P24."""
    assert first_cells(LEDGER, "## The states of a task") == {*TaskState}
    assert first_cells(LEDGER, "### What happens to a task") == {*TaskEvent}
    assert first_cells(LEDGER, "## The states of a run") == {*RunState}
    assert first_cells(LEDGER, "## The trail") == {*EventKind}


def test_each_table_and_each_column_has_its_line() -> None:
    assert first_cells(TABLES, "# The tables of pipelines") == {*metadata.tables}
    for name, table in metadata.tables.items():
        assert first_cells(TABLES, f"## {name}") == {column.name for column in table.columns}, name
