"""Edits of a text and the way back: where a place of the edited text stood before."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """`text[start:end]` becomes `said`; of class `kind`, or of none where only the page's shape changes."""

    start: int
    end: int
    said: str
    kind: str = ""


class Offsets:
    """From places in an edited text to those in the text before."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self._starts: list[int] = []  # in the edited text
        self._edits: list[Edit] = []
        shift = 0
        for edit in edits:
            self._starts.append(edit.start + shift)
            self._edits.append(edit)
            shift += len(edit.said) - (edit.end - edit.start)

    def start(self, at: int) -> int:
        """Where what begins at `at` began."""
        return self._back(at, end=False)

    def end(self, at: int) -> int:
        """Where what ends at `at` ended."""
        return self._back(at, end=True)

    def _back(self, at: int, *, end: bool) -> int:
        index = bisect_right(self._starts, at - 1 if end else at) - 1
        if index < 0:
            return at
        edit, begun = self._edits[index], self._starts[index]
        inside = at - begun
        if inside < len(edit.said) or (end and inside == len(edit.said)):
            return edit.end if end else edit.start
        return edit.end + inside - len(edit.said)


def apply(text: str, edits: list[Edit]) -> tuple[str, list[Edit]]:
    """The edited text, and the edits that were made: in order, none over another."""
    parts, made, done = [], [], 0
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        if edit.start < done:
            continue
        parts += [text[done : edit.start], edit.said]
        made.append(edit)
        done = edit.end
    parts.append(text[done:])
    return "".join(parts), made
