"""A rule: where a class of tokens is found, and how one is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

#: A number as it is written: grouped by commas, blanks or apostrophes, or not, with or without a fraction.
NUMBER: Final = (
    r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d{1,3}(?: \d{3})++(?!\d)|\d{1,3}(?:['’]\d{3})++(?!\d)|\d++)"
    r"(?:\.\d++)?+|\.\d++"
)
#: Not in the middle of a word or number.
ALONE: Final = r"(?<![\w.])"
DASH: Final = r"[-\u2010-\u2013]"
FOLLOWS: Final = r"(?![\w])"


@dataclass(frozen=True, slots=True)
class TokenRule:
    """One class of tokens. `say` returns the words, or None where the token is of another class.

    `pattern` is compiled when it is first needed: most texts need few. `bare` tells that digits, dots,
    commas and blanks alone can be such a token; no other rule is asked where nothing else stands near.
    """

    kind: str
    pattern: str
    say: Callable[[re.Match[str]], str | None]
    bare: bool = False

    def read(self, text: str, at: int) -> tuple[str, int] | None:
        """What the token at `at` is said as, and where it ends."""
        match = compiled(self.pattern).match(text, at)
        if match is None or match.end() == at:
            return None
        said = self.say(match)
        return None if said is None else (said, match.end())


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled once."""
    return re.compile(pattern)
