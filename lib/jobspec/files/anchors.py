"""The anchors of a YAML file and what their aliases add to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lib.units import MIB

# What aliases may add, against the values and characters that stand in the file. A shared block of settings
# stays far below; doubling at each level passes it at once.
_FACTOR: Final = 10
_FREE_NODES: Final = 10_000
_FREE_CHARACTERS: Final = MIB


@dataclass(slots=True)
class Anchored:
    """What an anchor stands for, and what repeating it costs."""

    value: Any
    nodes: int
    characters: int
    height: int


class Anchors:
    """Known anchors, open ones, and the sum of what was repeated."""

    def __init__(self) -> None:
        self.known: dict[str, Anchored | None] = {}  # None while the collection is still open
        self._open: list[tuple[str, int, int, int, int]] = []
        self._nodes = 0
        self._characters = 0

    def open(self, name: str, depth: int, nodes: int, characters: int, deepest: int) -> None:
        """A collection with an anchor begins."""
        self.known[name] = None
        self._open.append((name, depth, nodes, characters, deepest))

    def close(self, value: Any, depth: int, nodes: int, characters: int, deepest: int) -> int:
        """A collection ends; returns the greatest depth so far, seen from around it."""
        if not self._open or self._open[-1][1] != depth:
            return deepest
        name, _, nodes_before, characters_before, deepest_before = self._open.pop()
        self.known[name] = Anchored(
            value, nodes - nodes_before, characters - characters_before, deepest - depth + 1
        )
        return max(deepest, deepest_before)

    def repeat(self, anchored: Anchored, nodes: int, characters: int) -> bool:
        """Count one alias; `nodes` and `characters` are the totals with it. False when it is one too many."""
        self._nodes += anchored.nodes
        self._characters += anchored.characters
        return (
            self._nodes <= _FACTOR * (nodes - self._nodes) + _FREE_NODES
            and self._characters <= _FACTOR * (characters - self._characters) + _FREE_CHARACTERS
        )
