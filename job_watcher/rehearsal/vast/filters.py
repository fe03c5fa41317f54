"""The filters of Vast's searches and lists: a column, an operator and a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from job_watcher.rehearsal.vast.refusal import ApiRefusal

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda a, b: bool(a == b),
    "neq": lambda a, b: bool(a != b),
    "gt": lambda a, b: bool(a > b),
    "gte": lambda a, b: bool(a >= b),
    "lt": lambda a, b: bool(a < b),
    "lte": lambda a, b: bool(a <= b),
}
_WITHIN: Final = {"in": True, "notin": False, "nin": False, "not in": False}


def matches(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a row passes every filter; a column that it has not passes none but `neq` and `notin`.

    Raises:
        ApiRefusal: an operator that there is not.
    """
    return all(_passes(row.get(name), _operators(name, each)) for name, each in wanted.items())


def _operators(name: str, given: object) -> Mapping[str, Any]:
    """A filter as operators: a bare value is what must be equal."""
    if not isinstance(given, Mapping):
        return {"eq": given}
    unknown = [operator for operator in given if operator not in _COMPARE and operator not in _WITHIN]
    if unknown:
        raise ApiRefusal(400, "invalid_request", f"unknown operator {unknown[0]!r} for {name}")
    return given


def _passes(value: Any, operators: Mapping[str, Any]) -> bool:
    return all(_holds(operator, value, bound) for operator, bound in operators.items())


def _holds(operator: str, value: Any, bound: Any) -> bool:
    if operator in _WITHIN:
        among = bound if isinstance(bound, list) else [bound]
        return any(value == _like(value, each) for each in among) is _WITHIN[operator]
    if value is None:
        return operator == "neq"
    try:
        return _COMPARE[operator](value, _like(value, bound))
    except TypeError:
        return False


def _like(value: Any, bound: Any) -> Any:
    """`bound` in the kind of `value`: clients send numbers as text."""
    if isinstance(value, bool) and isinstance(bound, str):
        return bound.lower() == "true"
    if isinstance(value, int | float) and isinstance(bound, str):
        try:
            return float(bound)
        except ValueError:
            return bound
    return bound


def ordered(rows: list[dict[str, Any]], order: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The rows by columns, the first one first; rows without a value come last."""
    for column, direction in reversed(order):
        known = [row for row in rows if row.get(column) is not None]
        known.sort(key=itemgetter(column), reverse=direction == "desc")
        rows = known + [row for row in rows if row.get(column) is None]
    return rows
