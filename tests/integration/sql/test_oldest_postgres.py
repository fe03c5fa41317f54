"""Our SQL uses nothing newer than Postgres 13 documents; the oldest server that can be had takes all of it.

The whole suites run on that server in the long proofs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Connection, text

from lib.machines.sql_ledger import SqlLedger
from lib.picture_tables.schema import bring_up_to_date
from lib.pipeline.ledger import PipelineLedger
from lib.sql import open_database
from lib.sql.clock import now
from lib.sql.database import Database
from lib.sql.listen import channel_of, notify
from lib.sql.statements import load_statements
from tests.postgres_servers import Postgres

ROOT = Path(__file__).parents[3]

#: What came after 13, by its version. A list of words finds no meaning; the server of 15 finds the rest.
NEWER = {
    14: r"date_bin|bit_count|trim_array|multirange|range_agg|\bSEARCH (?:BREADTH|DEPTH)|\bCYCLE\b"
    r"|OR REPLACE TRIGGER|pg_terminate_backend\([^)]*,|(?<=\w)(?<!ARRAY)\['",
    15: r"\bMERGE INTO|NULLS NOT DISTINCT|regexp_(?:count|like|substr|instr)|security_invoker",
    16: r"any_value|random_normal|\bIS JSON\b|JSON_(?:ARRAY|OBJECT)(?:AGG)?\s*\(|array_sample|array_shuffle",
    17: r"JSON_(?:TABLE|EXISTS|QUERY|VALUE|SCALAR|SERIALIZE)|merge_action|transaction_timeout|to_bin\(",
    18: r"uuidv7|uuidv4|\bRETURNING\s+(?:WITH|OLD\.|NEW\.)|WITHOUT OVERLAPS|\bVIRTUAL\b|array_reverse",
}


def newer(sql: str) -> set[int]:
    """The versions whose words stand in it, comments aside."""
    said = re.sub(r"^\s*-- .*", "", sql, flags=re.M)
    return {version for version, words in NEWER.items() if re.search(words, said, re.I)}


def test_nothing_newer_than_13_stands_in_our_sql() -> None:
    ours = [
        *ROOT.glob("lib/**/*.sql"),
        *ROOT.glob("lib/*/migrations/versions/*.py"),
        *ROOT.glob("lib/sql/*.py"),
    ]

    assert len(ours) > 10
    assert {
        str(path.relative_to(ROOT)): newer(path.read_text()) for path in ours if newer(path.read_text())
    } == {}


@pytest.mark.parametrize(
    ("sql", "version"),
    [
        ("SELECT date_bin('1 hour', at, 'epoch') FROM beats", 14),
        ("SELECT result['words'] FROM tasks WHERE state = ANY (ARRAY['ready'])", 14),
        ("SELECT 1 WHERE state = ANY (ARRAY['ready'])", None),
        ("MERGE INTO tasks USING new ON true WHEN MATCHED THEN DELETE", 15),
        ("CREATE UNIQUE INDEX once ON tasks (run, gate) NULLS NOT DISTINCT", 15),
        ("SELECT any_value(owner) FROM tasks", 16),
        ("SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a int PATH '$'))", 17),
        ("UPDATE tasks SET state = 'x' RETURNING old.state", 18),
        ("-- MERGE INTO would be newer\nSELECT 1 RETURNING_older", None),
    ],
)
def test_newer_words_are_noticed(sql: str, version: int | None) -> None:
    assert newer(sql) == ({version} if version else set())


class Kept(NamedTuple):
    """A package's statements, and what makes the tables that they are about."""

    package: str
    file: str
    tables: Callable[[Database], object]
    schema: str


KEPT = (
    Kept("lib.machines", "ledger.sql", SqlLedger, "lib_machines"),
    Kept("lib.pipeline", "ledger.sql", PipelineLedger, "lib_pipeline"),
    Kept("lib.pipeline", "views.sql", PipelineLedger, "lib_pipeline"),
    Kept("lib.picture_tables", "jobs.sql", bring_up_to_date, "imagen"),
)


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: f"{kept.package}/{kept.file}")
def test_the_oldest_server_takes_every_statement(postgres_15: Postgres, kept: Kept) -> None:
    statements = load_statements(kept.package, kept.file, dialect="postgresql")

    def prepare(connection: Connection) -> None:
        for name, statement in statements.items():
            listed = re.sub(r"\bIN (:\w+)", r"IN (\1)", str(statement))  # the driver is given one for each
            body = re.sub(r"(?<!:):\w+", _Numbers(), listed)
            connection.execute(text(f'PREPARE "{name}" AS {body}'.replace(":", r"\:")))

    with closing(open_database(postgres_15.url(), schema=kept.schema)) as database:
        kept.tables(database)
        database.write_rows(prepare)
        assert postgres_15.sees("SHOW server_version_num") < "160000"
    assert statements


class _Numbers:
    """$1, $2 and on for named parameters; one that comes again keeps its number."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def __call__(self, match: re.Match[str]) -> str:
        return f"${self._seen.setdefault(match[0], len(self._seen) + 1)}"


def test_the_oldest_server_tells_the_time_and_wakes(postgres_15: Postgres) -> None:
    with closing(open_database(postgres_15.url())) as database:
        assert database.read(now) > 1_700_000_000
        database.write_rows(lambda connection: notify(connection, channel_of("a", "b"), "x"))
