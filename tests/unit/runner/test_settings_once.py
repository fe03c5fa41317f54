"""A command reads the settings once: read twice, they could be of two minds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.house import ROOT

PROGRAMS = ("job_runner", "job_watcher", "job_pipeline", "job_console", "synth")
_READ = "command_settings"


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def names_called(node: ast.AST) -> list[str]:
    return [ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)]


def readers(program: str) -> set[str]:
    """The functions of a program's wiring that read settings, by themselves or through another."""
    defined = {each.name: names_called(each) for each in functions(ROOT / program / "wiring.py")}
    found = {_READ}
    while more := {name for name, calls in defined.items() if found.intersection(calls)} - found:
        found |= more
    return found - {_READ}


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_function_of_the_wiring_reads_settings_twice(program: str) -> None:
    reading = readers(program) | {_READ}

    assert len(reading) > 1
    for each in functions(ROOT / program / "wiring.py"):
        assert len([name for name in names_called(each) if name in reading]) <= 1, each.name


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_command_reads_settings_twice(program: str) -> None:
    reading = {f"wiring.{name}" for name in readers(program)}
    read = 0
    for path in sorted((ROOT / program / "commands").glob("*.py")):
        for each in functions(path):
            calls = [name for name in names_called(each) if name in reading]
            assert len(calls) <= 1, (path.name, each.name, calls)
            read += len(calls)
    assert read


def test_what_was_read_reads_nothing_more() -> None:
    """The methods of `Here` have the settings; one that asks the wiring again would read again."""
    (here,) = (
        node
        for node in ast.walk(ast.parse((ROOT / "job_runner/wiring.py").read_text()))
        if isinstance(node, ast.ClassDef) and node.name == "Here"
    )

    assert not readers("job_runner").difference({"open_queue"}).intersection(names_called(here))
