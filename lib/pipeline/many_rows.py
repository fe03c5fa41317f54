"""A statement for one row, made one for many: on Postgres a single statement over arrays, a column each.

Carried out row by row, a statement costs client and server several times as much as the row itself does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import create_mock_engine

from lib.pipeline.tables import metadata

#: Statements whose rows never meet the same row of a table twice: in one statement that would be an error.
AT_ONCE: Final = frozenset(
    {
        "begin",
        "begin_runs",
        "change_run",
        "change_task",
        "place",
        "renew",
        "save_run",
        "save_task",
        "tell",
    }
)
_POSTGRES: Final = create_mock_engine("postgresql://", lambda *_: None).dialect
_TIME: Final = "DOUBLE PRECISION"
#: Parameters that are named otherwise than the columns they go into.
_OTHERS: Final = {"now": _TIME, "expires_at": _TIME, "owner": "TEXT", "run": "TEXT"}
_TABLE: Final = re.compile(r"(?:UPDATE|INTO) (\w+)")
_PARAMETER: Final = re.compile(r"(?<!:):(\w+)")
_VALUES: Final = re.compile(r"VALUES \((.*?)\)", re.DOTALL)


def for_many(statement: str) -> str:
    """`statement`, an UPDATE or INSERT of one row, over arrays under the same names, in their order.

    Raises:
        KeyError: a parameter has neither the name of a column nor one of those known here.
    """
    types = _types(statement)
    arrays = ", ".join(f"CAST(:{name} AS {of}[])" for name, of in types.items())
    columns = ", ".join(f"given_{name}" for name in types)
    given = f"FROM unnest({arrays}) WITH ORDINALITY AS given ({columns}, nth)"
    body = _PARAMETER.sub(r"given.given_\1", statement)
    if "VALUES (" in body:
        return _VALUES.sub(lambda found: f"SELECT {found[1]} {given} ORDER BY nth", body)
    changes, condition = body.split("WHERE", 1)
    return f"{changes}{given} WHERE{condition}"


def as_arrays(rows: Sequence[Mapping[str, Any]], statement: str) -> dict[str, list[Any]]:
    """The values of `rows`, each as a mapping, as the arrays that `for_many` of `statement` takes."""
    arrays = {}
    for name, of in _types(statement).items():
        values = [row[name] for row in rows]
        if of == _TIME:  # a whole number among the others would make the array one of no type
            values = [None if value is None else float(value) for value in values]
        arrays[name] = values
    return arrays


@cache
def _types(statement: str) -> Mapping[str, str]:
    """The parameters of a statement in their order, and the type of each as Postgres calls it."""
    table = _TABLE.search(statement)
    assert table is not None
    columns: Iterable[sa.Column[Any]] = metadata.tables[table[1]].columns
    known = {column.name: column.type.compile(_POSTGRES) for column in columns} | _OTHERS
    return {name: known[name] for name in _PARAMETER.findall(statement)}
