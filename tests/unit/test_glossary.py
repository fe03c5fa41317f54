"""The glossary's words are the code's words: what an entry names in backticks is there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from lib.settings.table import table
from tests.unit.house import ROOT

PROGRAMS = ("lib", "job_runner", "job_watcher", "job_pipeline", "job_console", "synth")
PAGE = (ROOT / "docs/reference/glossary.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^- \*\*(.+?)\*\*: (.+?)(?=^- \*\*|\Z)", PAGE, re.MULTILINE | re.DOTALL))
MAKERS = ("lib/dispatch/dispatcher.py", "job_watcher/provisioning/reconcile.py")


@cache
def code_words() -> frozenset[str]:
    """Every name that the programs define or use, and every word of their texts, docstrings left out."""
    words = {setting.name for setting in table()}
    for place in PROGRAMS:
        for path in (ROOT / place).rglob("*.py"):
            words |= words_in(path.read_text(encoding="utf-8"))
        for path in (ROOT / place).rglob("*.lua"):
            words.update(re.findall(r"^local function (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    return frozenset(words)


def words_in(code: str) -> set[str]:
    words, docstrings = set[str](), set[int]()
    for node in ast.walk(ast.parse(code)):  # what holds others comes before them
        match node:
            case ast.Expr(value=value):
                docstrings.add(id(value))
            case ast.Constant() if id(node) in docstrings:
                pass
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.arg(arg=name) | ast.Name(id=name):
                words.add(name)
            case ast.Attribute(attr=name):
                words.add(name)
            case ast.Constant(value=str(text)):
                words.update(word.strip(".,;:()'") for word in text.split())
                words.update(text.split())
    return words


def unknown(text: str) -> list[str]:
    """What `text` names in backticks and the programs do not have. With `<` or `…` it is a form."""
    found = []
    for code in re.findall(r"`([^`]+)`", text):
        if "<" in code or "…" in code:
            continue
        if re.search(r"^\w+/.*\.\w+$", code) and not code.startswith("topic/"):
            found += [] if (ROOT / code).is_file() else [code]
        else:
            found += [word for word in code.split() if word not in code_words()]
    return found


@pytest.mark.parametrize("word", ENTRIES)
def test_what_an_entry_names_is_in_the_code(word: str) -> None:
    assert unknown(ENTRIES[word]) == []


def test_a_name_that_is_not_there_is_noticed() -> None:
    assert unknown("`Tending` (`lib/dispatch/tending.py`), `Claimer`, `retry`, `7:9f2c…`") == [
        "Tending",
        "lib/dispatch/tending.py",
    ]
    assert "Tending" not in words_in('"""Tending, once."""\nclass Claimer:\n    """Tending."""')


@pytest.mark.parametrize("maker", MAKERS)
def test_each_part_of_a_loop_has_its_entry(maker: str) -> None:
    parts = set(re.findall(r"self\._\w+ = ([A-Z]\w+)\(", (ROOT / maker).read_text(encoding="utf-8")))
    named = set(re.findall(r"`([A-Z]\w+)`", PAGE))

    assert len(parts) > 4
    assert parts - named == set()
