"""What the pages show is what the programs print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.console_blocks import ROOT, run_page

PAGES = sorted(
    path.relative_to(ROOT)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("job_runner/*.md")]
    if "```console" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_output_a_page_shows_is_what_its_commands_print(page: Path) -> None:
    _, differences = run_page((ROOT / page).read_text(encoding="utf-8"))

    assert not differences, "\n".join(
        [*map(str, differences), f"write it anew with: python tests/e2e/console_blocks.py --write {page}"]
    )


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = []
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("job_runner/*.md")]:
        prose = re.sub(r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", prose):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)} -> {target}")
    assert broken == []
