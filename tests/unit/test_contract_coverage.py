"""The coverage page names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "contract-coverage.md"


def test_each_row_names_tests_that_exist() -> None:
    missing = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not re.match(r"\| [A-Z]\d+ \|", line):
            continue
        folder = Path()
        for name in re.findall(r"`([\w/.*]+(?:\.py|/\*))`", line.split("|")[2]):
            path = Path(name) if "/" in name else folder / name
            folder = path.parent
            if not list((ROOT / "tests").glob(str(path))):
                missing.append(f"{line.split('|')[1].strip()}: {path}")
    assert missing == []
