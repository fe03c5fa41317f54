"""SQL in files: each statement named and described, for both databases alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lib.sql.statements import load_statements


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a file of statements still to be written."""
    folder = tmp_path / "shop_of_tests"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop_of_tests", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # of a module that is gone after the test
    load_statements.cache_clear()
    return folder


def test_statements_are_found_by_name(package: Path) -> None:
    (package / "a.sql").write_text(
        "-- The shop's.\n\n-- name: one\n-- The first.\nSELECT 1;\n\n"
        "-- name: two\n-- The\n-- second.\nSELECT :x"
    )

    found = load_statements("shop_of_tests", "a.sql")

    assert {name: str(statement) for name, statement in found.items()} == {
        "one": "SELECT 1",
        "two": "SELECT :x",
    }


@pytest.mark.parametrize(
    "text",
    [
        "-- name: one\nSELECT 1;",
        "-- name: one\n-- The first.\n",
        "-- name: one\n-- The first.\nSELECT 1;\n-- name: one\n-- Again.\nSELECT 2;",
    ],
)
def test_a_statement_without_name_description_or_body_is_refused(package: Path, text: str) -> None:
    (package / "a.sql").write_text(text)

    with pytest.raises(ValueError, match=r"shop_of_tests/a\.sql has a statement without"):
        load_statements("shop_of_tests", "a.sql")


MARKED = """-- name: claim
-- The next one.
SELECT number FROM work
WHERE state = :state
  --postgres FOR UPDATE SKIP LOCKED
  --sqlite LIMIT -1
-- A remark that stays.
LIMIT 1;

-- name: wake
-- Only one of them can do this.
--postgres SELECT pg_notify(:channel, '');
"""


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (
            "postgresql",
            {
                "claim": "SELECT number FROM work\nWHERE state = :state\nFOR UPDATE SKIP LOCKED\n"
                "-- A remark that stays.\nLIMIT 1",
                "wake": "SELECT pg_notify(:channel, '')",
            },
        ),
        (
            "sqlite",
            {
                "claim": "SELECT number FROM work\nWHERE state = :state\nLIMIT -1\n"
                "-- A remark that stays.\nLIMIT 1"
            },
        ),
    ],
)
def test_a_marked_line_is_for_one_database_alone(
    package: Path, dialect: str, expected: dict[str, str]
) -> None:
    (package / "a.sql").write_text(MARKED)

    found = load_statements("shop_of_tests", "a.sql", dialect=dialect)

    assert {name: str(statement) for name, statement in found.items()} == expected


def test_marked_lines_are_refused_where_nobody_says_for_which_database(package: Path) -> None:
    (package / "a.sql").write_text(MARKED)

    with pytest.raises(ValueError, match=r"a\.sql, claim: a line is for postgres alone; name the dialect"):
        load_statements("shop_of_tests", "a.sql")


@pytest.mark.parametrize("line", ["--postgresql FOR UPDATE", "--sqlite", "--postgres "])
def test_a_mark_that_is_mistyped_is_no_comment(package: Path, line: str) -> None:
    (package / "a.sql").write_text(f"-- name: one\n-- The first.\nSELECT 1\n{line}\n")

    with pytest.raises(ValueError, match=r"a\.sql, one: --\w+ marks a line for no database that we know"):
        load_statements("shop_of_tests", "a.sql", dialect="sqlite")


def test_importing_the_package_does_not_import_the_sql_library() -> None:
    code = "import sys, lib.sql, lib.machines.port, lib.machines.memory; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
