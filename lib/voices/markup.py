"""The two kinds of markup that a text may hold: `[word](/phonemes/)` and `[pause 0.8s]`.

In this form they reach the splitter and the engines; what else may be written is brought into it before.
"""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm.model import LONGEST_PAUSE_S, SHORTEST_PAUSE_S

#: Group 1 is the word that is written, group 2 how it is said.
LINK: Final = re.compile(r"\[([^\[\]\n]+)\]\(/([^/()\n]+)/\)")
#: Group 1 is seconds with at most three decimals, which are held within bounds.
PAUSE: Final = re.compile(r"\[pause (\d{1,2}(?:\.\d{1,3})?)s\]")


def pauses_s(text: str) -> float:
    """Seconds of all breaks in the text."""
    if "[pause " not in text:
        return 0.0
    return sum(held_pause_s(match[1]) for match in PAUSE.finditer(text))


def held_pause_s(seconds: str) -> float:
    """The length of one break, held in its bounds; `seconds` is group 1 of `PAUSE`."""
    return min(max(float(seconds), SHORTEST_PAUSE_S), LONGEST_PAUSE_S)


def without_markup(text: str) -> str:
    """The words alone: a link becomes its word, a pause a blank."""
    if "[" not in text:
        return text
    return LINK.sub(r"\1", PAUSE.sub(" ", text))
