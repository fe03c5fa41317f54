"""The page of exit statuses says what the programs do."""

from __future__ import annotations

import re
from pathlib import Path

from lib.cli.failures import BROKEN_PIPE, INTERNAL_ERROR
from lib.errors import ExitStatus

PAGE = Path(__file__).parents[3] / "docs/reference/exit-status.md"


def test_the_page_lists_each_status_with_its_name() -> None:
    rows = re.findall(r"^\| (\d+) \| `?(\w+|–)`? \|", PAGE.read_text(), re.MULTILINE)
    named = {name: int(number) for number, name in rows if name != "–"}
    unnamed = {int(number) for number, name in rows if name == "–"}
    assert named == {status.name: status.value for status in ExitStatus}
    assert unnamed == {INTERNAL_ERROR, BROKEN_PIPE}
