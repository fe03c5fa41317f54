"""The reference page and `.env.example` say what the table of settings says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.settings import load_settings, table
from lib.settings.dotenv import parse_dotenv
from tests.unit.settings.reference import env_lines, table_lines

ROOT = Path(__file__).parents[3]


def test_the_reference_page_has_the_table_as_it_is() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text().splitlines()
    rows = [line for line in page if line.startswith("| `") and line.count("|") == 5]
    assert rows == table_lines()


def test_the_example_has_one_line_for_each_setting() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line.startswith("#") and "=" in line] == env_lines()


def test_the_example_sets_nothing_as_it_stands() -> None:
    assert parse_dotenv((ROOT / ".env.example").read_text(), name=".env.example") == {}


@pytest.mark.parametrize("info", table(), ids=lambda info: info.name)
def test_each_line_of_the_example_is_valid_once_uncommented(info: object, tmp_path: Path) -> None:
    line = env_lines()[[item for item in table()].index(info)]  # type: ignore[arg-type]  # ids need object
    (tmp_path / ".env").write_text(line.removeprefix("#"))
    load_settings({}, {"HOME": str(tmp_path)}, tmp_path)


def test_the_example_shows_a_real_server() -> None:
    assert "REDIS_URL=redis://127.0.0.1:6379/0" in (ROOT / ".env.example").read_text()
