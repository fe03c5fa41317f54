"""Statements for one row, made ones for many."""

from __future__ import annotations

from typing import Any

import pytest

from lib.pipeline.many_rows import AT_ONCE, as_json, for_many
from lib.sql.statements import load_statements

UPDATE = "UPDATE pipeline_tasks SET lease_expires_at = :expires_at\nWHERE run = :run AND name = :name"
INSERT = "INSERT INTO pipeline_events (run, at) VALUES (:run, :at) ON CONFLICT DO NOTHING"


def test_an_update_takes_its_values_from_one_text() -> None:
    assert for_many(UPDATE) == (
        "UPDATE pipeline_tasks SET lease_expires_at = given.given_expires_at\n"
        "FROM unnest(ARRAY(SELECT json_array_elements(CAST(:rows AS JSON)))) "
        "WITH ORDINALITY AS line (row, nth) CROSS JOIN LATERAL json_to_record(line.row) AS given "
        "(given_expires_at DOUBLE PRECISION, given_run TEXT, given_name TEXT) "
        "WHERE run = given.given_run AND name = given.given_name"
    )


def test_an_insert_keeps_the_order_of_the_rows() -> None:
    assert for_many(INSERT) == (
        "INSERT INTO pipeline_events (run, at) SELECT given.given_run, given.given_at "
        "FROM unnest(ARRAY(SELECT json_array_elements(CAST(:rows AS JSON)))) "
        "WITH ORDINALITY AS line (row, nth) CROSS JOIN LATERAL json_to_record(line.row) AS given "
        "(given_run TEXT, given_at DOUBLE PRECISION) ORDER BY nth ON CONFLICT DO NOTHING"
    )


def test_every_statement_that_is_to_take_many_can() -> None:
    statements = load_statements("lib.pipeline", "ledger.sql", dialect="postgresql")
    for name in AT_ONCE:
        assert "json_to_record(" in for_many(statements[name].text)


def test_a_parameter_of_no_known_type_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="tomorrow"):
        for_many("UPDATE pipeline_runs SET state = :tomorrow WHERE id = :id")


def test_of_each_row_only_what_the_statement_takes_goes_along() -> None:
    rows: list[dict[str, Any]] = [
        {"run": 'ä"', "at": 1, "more": object()},
        {"run": "b", "at": 0.1 + 0.2, "more": None},
        {"run": "c", "at": None, "more": None},
    ]
    found = as_json(rows, INSERT)
    assert found == {
        "rows": '[{"given_run":"ä\\"","given_at":1},{"given_run":"b","given_at":0.30000000000000004},'
        '{"given_run":"c","given_at":null}]'
    }


def test_half_of_a_character_is_refused_before_it_reaches_the_database() -> None:
    with pytest.raises(UnicodeEncodeError):
        as_json([{"run": "\ud800", "at": 1}], INSERT)["rows"].encode()
