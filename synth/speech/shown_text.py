"""Which part of the written text each piece says."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from lib.textnorm import Normalized
from lib.voices import without_markup
from synth.text.wording import Wording, aligned, letters_of, wording_of

_OPENING = "([{\"'“‘«„¿¡「『（《〈【"


@dataclass(frozen=True, slots=True)
class ShownPiece:
    """One piece that is spoken: `wording.shown[start:end]`, its letters `first` to before `last`."""

    start: int
    end: int
    first: int
    last: int
    ends: bool  # a paragraph


@dataclass(frozen=True, slots=True)
class ShownText:
    """The written text, and its part for each piece that is spoken, in order."""

    wording: Wording
    pieces: tuple[ShownPiece, ...]


def shown_text(normalized: Normalized, pieces: Sequence[str], spoken: Sequence[bool]) -> ShownText:
    """What is written of each of the `pieces` of the script that is `spoken`.

    All that is written goes with some piece; with one that is not spoken it is not shown.
    """
    wording = wording_of(normalized)
    letters = aligned(wording.letters, [letters_of(without_markup(piece)) for piece in pieces])
    cuts = [0]
    for (first, last), (next_first, _) in itertools.pairwise(letters):
        ended = wording.ends[last - 1] if last > first else cuts[-1]
        cuts.append(max(cuts[-1], _cut(wording, ended, next_first)))
    cuts.append(len(wording.shown))
    found = [
        ShownPiece(cuts[index], cuts[index + 1], *letters[index], _ends(wording.shown, cuts[index + 1]))
        for index, is_spoken in enumerate(spoken)
        if is_spoken
    ]
    return ShownText(wording, tuple(found))


def _cut(wording: Wording, ended: int, next_first: int) -> int:
    """Where the next piece begins: behind the last blank, or before marks that open it."""
    shown = wording.shown
    begins = wording.starts[next_first] if next_first < len(wording.starts) else len(shown)
    if begins <= ended:
        return ended
    blank = max(shown.rfind(" ", ended, begins), shown.rfind("\n", ended, begins))
    if blank >= 0:
        return blank + 1
    while begins > ended and shown[begins - 1] in _OPENING:
        begins -= 1
    return begins


def _ends(shown: str, cut: int) -> bool:
    return cut == len(shown) or shown[cut - 1 : cut] == "\n"
