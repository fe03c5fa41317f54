"""What `--help` of each command says, held against the pages in snapshots/.

When a page is meant to change: python -m tests.e2e.test_help_snapshots
"""

from __future__ import annotations

import importlib
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import job_console.main
import job_pipeline.main
import job_runner.main
import job_watcher.main
import synth.image_main
import synth.main
import synth.video_main
from lib.cli.group import LazyGroup
from lib.cli.program import CommandEntry, Program
from tests import warm

PAGES = Path(__file__).parent / "snapshots"
PROGRAMS = (
    job_runner.main.PROGRAM,
    job_watcher.main.PROGRAM,
    job_pipeline.main.PROGRAM,
    job_console.main.PROGRAM,
    synth.main.PROGRAM,
    synth.image_main.PROGRAM,
    synth.video_main.PROGRAM,
)


def commands(words: tuple[str, ...], entries: Sequence[CommandEntry]) -> Iterator[tuple[str, ...]]:
    """Every command line that has a help page."""
    yield words
    for entry in entries:
        nested = getattr(importlib.import_module(entry.module.partition(":")[0]), "COMMANDS", None)
        if nested is not None and ":" not in entry.module:
            yield from commands((*words, entry.name), nested)
        else:
            yield (*words, entry.name)


def every_command(programs: Sequence[Program] = PROGRAMS) -> list[tuple[str, ...]]:
    return [words for program in programs for words in commands((program.name,), program.commands)]


def help_of(words: tuple[str, ...], columns: int = 80) -> str:
    """The page as a pipe gets it."""
    kept = {name: value for name, value in os.environ.items() if name not in ("LINES", "NO_COLOR")}
    argv = [str(warm.PROGRAMS / words[0]), *words[1:], "--help"]
    environ = {**kept, "COLUMNS": str(columns)}
    done = warm.run(argv, warm.CALLS[words[0]], cwd=Path.cwd(), environ=environ, timeout_s=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def page_of(words: tuple[str, ...]) -> Path:
    return PAGES / f"{'-'.join(words)}.txt"


@pytest.mark.parametrize("words", every_command(), ids="-".join)
def test_help_says_what_its_page_says(words: tuple[str, ...]) -> None:
    shown = help_of(words)

    assert shown == page_of(words).read_text(encoding="utf-8")
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown


def test_there_is_a_page_for_each_command_and_no_other() -> None:
    assert {path.name for path in PAGES.iterdir()} == {page_of(words).name for words in every_command()}


def examples_of(page: str) -> list[str]:
    """The command lines at the end of a page, each on one line again."""
    _, found, lines = page.replace(" \\\n      ", " ").rpartition("\nExample")
    return [line.strip() for line in lines.splitlines()[1:]] if found else []


@pytest.mark.parametrize("words", every_command(), ids="-".join)
def test_each_page_ends_with_a_command_line_that_can_be_typed(words: tuple[str, ...]) -> None:
    examples = examples_of(page_of(words).read_text(encoding="utf-8"))

    assert examples, "give the module of the command its EXAMPLES"
    for example in examples:
        typed = shlex.split(example.partition(" > ")[0].rpartition(" | ")[2])
        assert tuple(typed[: len(words)]) == words
        (program,) = (each for each in PROGRAMS if each.name == words[0])
        group = LazyGroup(program.name, program.help, program.commands)
        parsed(group, typed[1:])  # a word that the command does not know raises


def parsed(command: Any, args: list[str]) -> None:
    """Read `args` as the program would, down to the options of the command that they name."""
    if isinstance(command, LazyGroup):
        with command.make_context(command.name, args, resilient_parsing=True) as context:
            parsed(command.get_command(context, args[0]), args[1:])
    else:
        with command.make_context(command.name, args):
            pass


@pytest.mark.parametrize("words", [("job-runner", "wait"), ("job-watcher", "simulate")], ids="-".join)
def test_an_example_that_is_too_long_goes_on_as_a_shell_reads_it(words: tuple[str, ...]) -> None:
    narrow, wide = help_of(words, columns=40), help_of(words)

    assert " \\\n" in narrow
    assert examples_of(narrow) == examples_of(wide)


@pytest.mark.parametrize(
    "words", [("job-runner",), ("job-runner", "enqueue"), ("job-runner", "report")], ids="-".join
)
def test_help_fits_a_phone(words: tuple[str, ...]) -> None:
    lines = [line for line in help_of(words, columns=40).splitlines() if not line.startswith("Usage")]

    assert [line for line in lines if len(line) > 40] == []


def _write_pages() -> None:
    PAGES.mkdir(exist_ok=True)
    for old in PAGES.glob("*.txt"):
        old.unlink()
    for words in every_command():
        page_of(words).write_text(help_of(words), encoding="utf-8")


if __name__ == "__main__":
    _write_pages()
