"""Texts and how they are read, from the tables beside this file, and how readings are compared."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def rows(name: str) -> list[tuple[str, str, str]]:
    """(class, written, spoken) of each line of the table `name`."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        if line and not line.startswith("#"):
            kind, written, spoken = line.split("\t")
            found.append((kind, written.replace("\\n", "\n"), spoken))
    return found


def words(text: str) -> list[str]:
    """The words of a reading: without case, marks and "and"."""
    return [word for word in re.findall(r"[\w']+", text.lower().replace("’", "'")) if word != "and"]


def reads_as(spoken: str, expected: str) -> bool:
    """Whether a reading is one of those that are right."""
    return any(words(spoken) == words(each) for each in expected.split(" || "))
