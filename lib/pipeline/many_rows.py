"""A statement for one row, made one for many: on Postgres a single statement over one JSON text of them all.

Carried out row by row, a statement costs client and server several times as much as the row itself does. As
arrays, a column each, the rows cost the client three times what their JSON does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import create_mock_engine

from lib.pipeline.tables import metadata
from lib.sql.statements import PARAMETER

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
#: Numbers come back as they were, to the last bit: their JSON is read as text by each column's own type.
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_TABLE: Final = re.compile(r"(?:UPDATE|INTO) (\w+)")
_VALUES: Final = re.compile(r"VALUES \((.*?)\)", re.DOTALL)


def for_many(statement: str) -> str:
    """`statement`, an UPDATE or INSERT of one row, over the rows of the JSON text `:rows`, in their order.

    Raises:
        KeyError: a parameter has neither the name of a column nor one of those known here.
    """
    types = _types(statement)
    columns = ", ".join(f"given_{name} {of}" for name, of in types.items())
    # Of an array the planner expects few elements, and looks for the rows by their keys. Of the rows of a
    # JSON text it expects a hundred, and would read a table of some thousand rows whole.
    given = (
        "FROM unnest(ARRAY(SELECT json_array_elements(CAST(:rows AS JSON)))) "
        f"WITH ORDINALITY AS line (row, nth) CROSS JOIN LATERAL json_to_record(line.row) AS given ({columns})"
    )
    body = PARAMETER.sub(r"given.given_\1", statement)
    if "VALUES (" in body:
        return _VALUES.sub(lambda found: f"SELECT {found[1]} {given} ORDER BY nth", body)
    changes, condition = body.split("WHERE", 1)
    return f"{changes}{given} WHERE{condition}"


def as_json(rows: Sequence[Mapping[str, Any]], statement: str) -> dict[str, str]:
    """The values of `rows`, each as a mapping, as `for_many` of `statement` takes them."""
    names = [(f"given_{name}", name) for name in _types(statement)]
    return {"rows": _JSON.encode([{given: row[name] for given, name in names} for row in rows])}


@cache
def _types(statement: str) -> Mapping[str, str]:
    """The parameters of a statement in their order, and the type of each as Postgres calls it."""
    table = _TABLE.search(statement)
    assert table is not None
    columns: Iterable[sa.Column[Any]] = metadata.tables[table[1]].columns
    known = {column.name: column.type.compile(_POSTGRES) for column in columns} | _OTHERS
    return {name: known[name] for name in PARAMETER.findall(statement)}
