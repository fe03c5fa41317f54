"""Statements for one row, made ones for many."""

from __future__ import annotations

from typing import Any

import pytest

from lib.pipeline.many_rows import AT_ONCE, as_arrays, for_many
from lib.sql.statements import load_statements

UPDATE = "UPDATE pipeline_tasks SET lease_expires_at = :expires_at\nWHERE run = :run AND name = :name"
INSERT = "INSERT INTO pipeline_events (run, at) VALUES (:run, :at) ON CONFLICT DO NOTHING"


def test_an_update_takes_its_values_from_arrays() -> None:
    assert for_many(UPDATE) == (
        "UPDATE pipeline_tasks SET lease_expires_at = given.given_expires_at\n"
        "FROM unnest(CAST(:expires_at AS DOUBLE PRECISION[]), CAST(:run AS TEXT[]), CAST(:name AS TEXT[])) "
        "WITH ORDINALITY AS given (given_expires_at, given_run, given_name, nth) "
        "WHERE run = given.given_run AND name = given.given_name"
    )


def test_an_insert_keeps_the_order_of_the_rows() -> None:
    assert for_many(INSERT) == (
        "INSERT INTO pipeline_events (run, at) SELECT given.given_run, given.given_at "
        "FROM unnest(CAST(:run AS TEXT[]), CAST(:at AS DOUBLE PRECISION[])) "
        "WITH ORDINALITY AS given (given_run, given_at, nth) ORDER BY nth ON CONFLICT DO NOTHING"
    )


def test_every_statement_that_is_to_take_many_can() -> None:
    statements = load_statements("lib.pipeline", "ledger.sql", dialect="postgresql")
    for name in AT_ONCE:
        assert "unnest(" in for_many(statements[name].text)


def test_a_parameter_of_no_known_type_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="tomorrow"):
        for_many("UPDATE pipeline_runs SET state = :tomorrow WHERE id = :id")


def test_times_are_all_of_one_type_and_nothing_stays_nothing() -> None:
    rows: list[dict[str, Any]] = [
        {"run": "a", "at": 1, "more": None},
        {"run": "b", "at": 1.5, "more": None},
        {"run": "c", "at": None, "more": None},
    ]
    found = as_arrays(rows, INSERT)
    assert found == {"run": ["a", "b", "c"], "at": [1.0, 1.5, None]}
    assert isinstance(found["at"][0], float)
