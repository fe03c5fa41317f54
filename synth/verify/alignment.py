"""What was sent and what was heard, sound by sound: where they agree, and where they diverge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float32]

_ALIKE: Final = 0.5  # what one costs in the place of another that is easily taken for it
LARGEST_TABLE: Final = 4_000_000  # cells of a table that is held whole; larger ones are halved (Hirschberg)
#: Sounds that recognisers write for each other: a vowel for a vowel, and pairs that voice alone tells apart.
_GROUPS: Final = (
    "AIOWYɑæəɛɪiuʊ",
    "pb",
    "td",
    "kɡ",
    "fv",
    "sz",
    "ʃʒʧʤ",
    "θðdt",
    "mnŋ",
    "θs",
    "ðz",
    "θf",
    "wɹl",
)


def _table() -> NDArray[np.float32]:
    """What a sound costs in the place of another, by their places in the alphabet of the groups."""
    signs = sorted(set("".join(_GROUPS)))
    costs = np.ones((len(signs), len(signs)), np.float32)
    for group in _GROUPS:
        places = [signs.index(sign) for sign in group]
        costs[np.ix_(places, places)] = _ALIKE
    np.fill_diagonal(costs, 0.0)
    return costs


_SIGNS: Final = {sign: place for place, sign in enumerate(sorted(set("".join(_GROUPS))))}
_COSTS: Final = _table()


@dataclass(frozen=True, slots=True)
class Step:
    """`sent[sent_at]` against `heard[heard_at]`; None in the place of what has no partner."""

    sent_at: int | None
    heard_at: int | None
    cost: float


def aligned_sounds(sent: str, heard: str, *, largest: int = LARGEST_TABLE) -> list[Step]:
    """The cheapest way from one to the other, in order: each sound of both is in one step.

    A sound that is left out or put in costs 1, one for another 1, or half where they are alike. Time grows
    with the product of the lengths, the memory with the longer one: a table of more than `largest` cells is
    not held, but halved.
    """
    if sent == heard:
        return [Step(at, at, 0.0) for at in range(len(sent))]
    steps: list[Step] = []
    _align(sent, heard, 0, 0, steps, largest)
    return steps


def _align(sent: str, heard: str, sent_at: int, heard_at: int, steps: list[Step], largest: int) -> None:
    if not sent or not heard or (len(sent) + 1) * (len(heard) + 1) <= largest:
        steps.extend(_walked(sent, heard, sent_at, heard_at))
        return
    if len(sent) == 1:  # against millions
        best = int(np.argmin(_row_of(sent, heard)))
        for at in range(len(heard)):
            steps.append(
                Step(sent_at if at == best else None, heard_at + at, _cost_of(sent, heard, at, best))
            )
        return
    half = len(sent) // 2
    ahead = _last_row(sent[:half], heard)
    back = _last_row(sent[half:][::-1], heard[::-1])[::-1]
    cut = int(np.argmin(ahead + back))
    _align(sent[:half], heard[:cut], sent_at, heard_at, steps, largest)
    _align(sent[half:], heard[cut:], sent_at + half, heard_at + cut, steps, largest)


def _rows(sent: str, heard: str) -> Iterator[Costs]:
    """The rows of the table of costs, the first for nothing sent."""
    places = np.arange(len(heard) + 1, dtype=np.float32)
    substitutes = {sign: _row_of(sign, heard) for sign in set(sent)}
    row = places.copy()
    yield row
    for sign in sent:
        following = row + 1
        np.minimum(following[1:], row[:-1] + substitutes[sign], out=following[1:])
        row = np.minimum.accumulate(following - places) + places
        yield row


def _row_of(sign: str, heard: str) -> Costs:
    place = _SIGNS.get(sign)
    return np.array([_cost(sign, place, other) for other in heard], np.float32)


def _cost(sign: str, place: int | None, other: str) -> float:
    if sign == other:
        return 0.0
    theirs = _SIGNS.get(other)
    return 1.0 if place is None or theirs is None else float(_COSTS[place, theirs])


def _cost_of(sent: str, heard: str, at: int, best: int) -> float:
    return _cost(sent, _SIGNS.get(sent), heard[at]) if at == best else 1.0


def _last_row(sent: str, heard: str) -> Costs:
    row = np.zeros(0, np.float32)
    for each in _rows(sent, heard):
        row = each
    return row


def _walked(sent: str, heard: str, sent_at: int, heard_at: int) -> list[Step]:
    table = np.stack(list(_rows(sent, heard)))
    steps: list[Step] = []
    row, column = len(sent), len(heard)
    while row or column:
        here = table[row, column]
        if row and column:
            cost = _cost(sent[row - 1], _SIGNS.get(sent[row - 1]), heard[column - 1])
            if table[row - 1, column - 1] + cost == here:
                row, column = row - 1, column - 1
                steps.append(Step(sent_at + row, heard_at + column, cost))
                continue
        if row and table[row - 1, column] + 1 == here:
            row -= 1
            steps.append(Step(sent_at + row, None, 1.0))
        else:
            column -= 1
            steps.append(Step(None, heard_at + column, 1.0))
    steps.reverse()
    return steps
