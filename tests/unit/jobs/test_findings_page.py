"""The page of findings names each one that can be found, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from lib.jobs import doctor, doctor_account, doctor_watcher, reconcile_messages
from synth import checkup

PAGE = Path(__file__).parents[3] / "docs/reference/findings.md"


def test_every_finding_stands_on_the_page_with_its_severity_and_title() -> None:
    """Q22."""
    rows = re.findall(
        r"^\| ([DR]\d{3}) \| (\w+) \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )

    kinds = [
        *doctor.KINDS,
        *doctor_watcher.KINDS,
        *doctor_account.KINDS,
        *checkup.KINDS,
        *reconcile_messages.KINDS,
    ]
    assert [(name, severity, title.strip()) for name, severity, title in rows] == sorted(
        (kind.id, kind.severity.value, kind.title) for kind in kinds
    )
    assert len({kind.id for kind in kinds}) == len(kinds)
