"""The page of the house names rooms that exist, and every room of the house is named on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from tests.unit.house import ROOT

PAGE: Final = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
DECIDED: Final = PAGE.partition("\n## Who decides what\n")[2].partition("\n## ")[0]
PROGRAMS: Final = ("job_console", "job_pipeline", "job_runner", "job_watcher", "lib", "synth")
ENDINGS: Final = ("", ".py", ".lua", ".sql", ".sh", ".js")


def _words(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def _place(name: str, folders: list[str]) -> str | None:
    """Where a module or folder of this name is, below the first of these folders that has one."""
    tries = (str(PurePosixPath(folder, name + ending)) for folder in folders for ending in ENDINGS)
    return next((place for place in tries if (ROOT / place).exists()), None)


def rooms(text: str) -> Iterator[tuple[str, str | None]]:
    """Each module that the tables name, and where it is.

    A row is `| asked (its folder) | modules: what they decide · modules: ... |`, below a head with folders.
    """
    heads: list[str] = []
    for line in text.splitlines():
        asked, _, told = line.strip("| ").partition(" | ")
        if line.startswith("| of "):
            heads = _words(asked)
        elif told:
            below = [str(PurePosixPath(head, name)) for name in _words(asked) for head in ("", *heads)]
            for part in told.split(" · "):
                names, colon, _ = part.partition(": ")
                last = ""
                for name in _words(names) if colon else [part]:
                    place = _place(name, [*below, *heads, *([last] if last else []), ""])
                    last = str(PurePosixPath(place).parent) if place else last
                    yield name, place


def test_the_tables_name_what_there_is() -> None:
    found = list(rooms(DECIDED))
    assert len(found) > 300
    assert [name for name, place in found if place is None] == []


def test_each_folder_is_on_the_page() -> None:
    places = [place for _, place in rooms(DECIDED) if place]
    named = {str(PurePosixPath(place).parent) for place in places} | {*places, *PROGRAMS}
    named |= {word.rstrip("/") for word in _words(re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))}
    folders = {
        str(path.parent.relative_to(ROOT))
        for program in PROGRAMS
        for path in (ROOT / program).rglob("__init__.py")
        if path.parent.name not in {"commands", "migrations", "versions"}
    }
    assert len(folders) > 70
    assert sorted(folders - named) == []


def test_a_module_that_is_gone_is_seen() -> None:
    head = "| of the queue (`lib/jobqueue`) | |\n|---|---|\n"
    table = f"{head}| life | `lifecycle`: all · `redis/keys`, `rowz`: places |\n"
    assert [name for name, place in rooms(table) if place is None] == ["rowz"]
