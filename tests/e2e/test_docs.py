"""What the pages show is what the programs print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from job_runner.main import COMMANDS
from lib.jobqueue import ErrorClass, JobState, Outcome
from lib.jobs.export import COLUMNS
from lib.jobs.report import Standing
from tests import warm
from tests.e2e.console_blocks import PROGRAMS, ROOT, all_pages, run_page
from tests.e2e.test_make import TARGETS, make

PAGES = [path.relative_to(ROOT) for path in all_pages()]
COLD = Path(
    "job_runner/README.md"
)  # its programs start as its reader starts them; those of other pages start warm


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_output_a_page_shows_is_what_its_commands_print(page: Path) -> None:
    programs = PROGRAMS if page == COLD else warm.programs()
    _, differences = run_page((ROOT / page).read_text(encoding="utf-8"), programs)

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


def code_of(page: str) -> list[str]:
    """What stands in backticks on a page."""
    return re.findall(r"`([^`\n]+)`", (ROOT / page).read_text(encoding="utf-8"))


def table_of(page: str, begin: str, end: str) -> list[list[str]]:
    """The rows of the table between two comments or headings of a page, without its head."""
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = text.partition(begin)[2].partition(end)[0].strip().splitlines()
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows if row.startswith("| ")][
        1:
    ]


def test_the_first_page_names_every_command() -> None:
    named = {word for code in code_of("README.md") for word in code.split()}

    assert {entry.name for entry in COMMANDS} - named == set()


def test_the_playbook_says_which_command_each_make_target_runs() -> None:
    """Q23."""
    rows = table_of("docs/how-to/operate.md", "<!-- make targets -->", "<!-- end of make targets -->")
    shown = {tuple(shlex.split(target.strip("`"))[1:]): command.split("`")[1] for target, command in rows}

    for words, command in shown.items():
        *_, line = make("-n", *words, run="RUN").stdout.splitlines()
        assert shlex.split(line) == ["RUN", "job-runner", *command.split()]
    assert {target for target, *_ in shown} == set(TARGETS)


def test_the_columns_of_the_csv_form_are_on_the_page_of_records() -> None:
    rows = table_of("docs/reference/result-record.md", "## As CSV", "\n## ")

    assert [name.strip("`") for columns, _ in rows for name in columns.split(", ")] == list(COLUMNS)


def test_the_glossary_has_the_words_of_the_program_in_alphabetical_order() -> None:
    page = (ROOT / "docs/reference/glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^- \*\*(.+?)\*\*", page, re.MULTILINE)

    assert words == sorted(set(words), key=lambda word: word.replace("_", " "))
    assert {word.value for kind in (JobState, Outcome, Standing, ErrorClass) for word in kind} <= set(words)
