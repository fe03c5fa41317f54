"""Reads what Vast charged: one row for each rental and day, spread here over the hours that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lib.providers.rental import BillLine
from lib.providers.vast.fields import Row, Unreadable, amount, as_row, number, optional_text, text
from lib.units import MICROS

PAGE: Final = 100
DAY_S: Final = 86_400
_HOUR_S: Final = 3600
_SOURCE: Final = re.compile(r"instance-([1-9][0-9]{0,17})")
_CATEGORY: Final[Mapping[str, str]] = {
    "gpu": "compute",
    "disk": "storage",
    "storage": "storage",
    "bwd": "bandwidth",
    "bwu": "bandwidth",
}
_CENT: Final = 0.01


def read_charge(row: object) -> list[BillLine]:
    """The hourly totals of one row. They sum up to its amount, to the micro-dollar.

    Raises:
        Unreadable: it lacks its amount, its time or its rental.
    """
    found = as_row(row, "a charge")
    source = _SOURCE.fullmatch(text(found, "source"))
    if source is None:
        raise Unreadable("source is no instance")
    label = optional_text(as_row(found.get("metadata") or {}, "metadata"), "label")
    start, end = amount(found, "start"), amount(found, "end")
    if not start <= end <= start + 32 * DAY_S:
        raise Unreadable("start and end are no time of a day")
    return [
        BillLine(source[1], label, category, hour, micros)
        for category, total in _categories(found).items()
        for hour, micros in _by_hour(round(total * MICROS), start, end)
    ]


def _categories(row: Row) -> dict[str, float]:
    """Dollars by what they were spent on; all of it the GPU's where the parts do not sum up to the whole."""
    total = number(row, "amount")
    parts: dict[str, float] = {}
    items = row.get("items")
    for item in items if isinstance(items, list) else ():
        try:
            part = as_row(item, "a part")
            category = _CATEGORY.get(optional_text(part, "type"), "compute")
            parts[category] = parts.get(category, 0.0) + number(part, "amount")
        except Unreadable:
            parts = {}
            break
    return parts if parts and abs(sum(parts.values()) - total) < _CENT else {"compute": total}


def _by_hour(micros: int, start: float, end: float) -> Iterator[tuple[int, int]]:
    """The amount spread evenly over the time; what does not divide goes to the last hour."""
    first, last = int(start // _HOUR_S), int(max(start, end - 1e-6) // _HOUR_S)
    left = micros
    for hour in range(first, last):
        inside = min(end, (hour + 1) * _HOUR_S) - max(start, hour * _HOUR_S)
        share = round(micros * inside / (end - start))
        left -= share
        yield hour, share
    yield last, left
