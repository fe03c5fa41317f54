"""SQL as it lies in a package's own file: named statements, each with a line that says what it does.

A statement begins with `-- name: what_it_is` and a line `-- ` of description; parameters are `:named`.
A line that begins with `--postgres ` or `--sqlite ` is for that database alone, and left out for the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from sqlalchemy import TextClause, text

#: A parameter; `::` is a cast.
PARAMETER: Final = re.compile(r"(?<!:):(\w+)")
_NAME: Final = re.compile(r"^-- name: (\w+)\n(-- .+\n)+", re.MULTILINE)
#: A line for one database; other words close behind the -- would be a comment that was meant to be SQL.
_MARKED: Final = re.compile(r"^[ \t]*--(\w+)(?: (.*))?(?:\n|\Z)", re.MULTILINE)
_MARKS: Final = {"postgresql": "postgres", "sqlite": "sqlite"}


@cache
def load_statements(package: str, file: str, dialect: str | None = None) -> Mapping[str, TextClause]:
    """The statements of `file` in `package`, by name.

    `dialect` is `postgresql` or `sqlite`, as `Database.dialect` says it; None is for files whose statements
    both databases take as they are. A statement that has lines for the other database only is left out.

    Raises:
        ValueError: two have the same name, one is empty or has no description, or a line is marked for a
            database that is none of the two, or for one when no dialect was given.
    """
    source = (resources.files(package) / file).read_text(encoding="utf-8")
    heads = list(_NAME.finditer(source))
    ends = [*(head.start() for head in heads), len(source)][1:]
    found = {
        head.group(1): source[head.end() : end].strip().removesuffix(";")
        for head, end in zip(heads, ends, strict=True)
    }
    if len(found) != source.count("-- name:") or not all(found.values()):
        raise ValueError(
            f"{package}/{file} has a statement without a name of its own, a description or a body"
        )
    bodies = {name: _for(dialect, body, f"{package}/{file}, {name}") for name, body in found.items()}
    return MappingProxyType({name: text(body) for name, body in bodies.items() if body})


def _for(dialect: str | None, body: str, where: str) -> str:
    """`body` with its marked lines made SQL or taken away. Raises ValueError."""

    def line(match: re.Match[str]) -> str:
        mark, sql = match[1], match[2]
        if mark not in _MARKS.values() or not sql:
            raise ValueError(f"{where}: --{mark} marks a line for no database that we know")
        if dialect is None:
            raise ValueError(f"{where}: a line is for {mark} alone; name the dialect")
        return f"{sql}\n" if mark == _MARKS[dialect] else ""

    return _MARKED.sub(line, body).strip().removesuffix(";")
