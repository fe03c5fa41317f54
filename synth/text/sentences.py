"""Split a line at sentences, where a reader sees their ends.

Not after an abbreviation or an initial, not inside a number, not before a word in lower case.
"""

from __future__ import annotations

import re
from typing import Final

from synth.text.full_stops import is_abbreviation

_CLOSING: Final = "\"'”’»)]"
# Possessive, and only from the first mark of a run on: thousands of dots must not take quadratic time.
_END: Final = re.compile(rf"(?<![.!?…])[.!?…]++[{re.escape(_CLOSING)}]*+(?=\s)")
_NEXT: Final = re.compile(r"\S")
#: "am 3. Mai", "im 21. Jahrhundert", "Karl der 5.": what other languages write with letters.
_ORDINAL: Final = re.compile(r"(?<![\w.,])\d{1,2}$")
_WITH_ORDINALS: Final = frozenset({"German"})
_LONGEST_CONTEXT: Final = 80  # characters around a full stop that decide what it is


def split_sentences(line: str, language: str = "English") -> list[str]:
    """The sentences of a line, each stripped; joined by blanks they are the line again.

    In German a full stop behind a number of two digits at most makes an ordinal of it, and ends nothing.
    """
    sentences, start = [], 0
    for match in _END.finditer(line):
        if _ends_sentence(line, match, language in _WITH_ORDINALS):
            sentences.append(line[start : match.end()].strip())
            start = match.end()
    sentences.append(line[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _ends_sentence(line: str, match: re.Match[str], ordinals: bool) -> bool:
    found = _NEXT.search(line, match.end())
    if found is not None and found.group().islower():
        return False
    if match.group().rstrip(_CLOSING) != ".":
        return True
    first = line.rfind(" ", 0, match.start()) + 1
    word = line[first : match.start()].lstrip("\"'“‘«([")
    if ordinals and found is not None and _ORDINAL.search(word):
        return False
    before = line[max(first - _LONGEST_CONTEXT, 0) : first]
    return not is_abbreviation(word, before, line[match.end() : match.end() + _LONGEST_CONTEXT])
