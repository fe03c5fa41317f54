"""Split a line at sentences, where a reader sees their ends.

Not after an abbreviation or an initial, not inside a number, not before a word in lower case.
"""

from __future__ import annotations

import re
from typing import Final

from synth.text.abbreviations import is_abbreviation

_CLOSING: Final = "\"'”’»)]"
# Possessive, and only from the first mark of a run on: thousands of dots must not take quadratic time.
_END: Final = re.compile(rf"(?<![.!?…])[.!?…]++[{re.escape(_CLOSING)}]*+(?=\s)")
_NEXT: Final = re.compile(r"\S")
_LONGEST_CONTEXT: Final = 80  # characters around a full stop that decide what it is


def split_sentences(line: str) -> list[str]:
    """The sentences of a line, each stripped; joined by blanks they are the line again."""
    sentences, start = [], 0
    for match in _END.finditer(line):
        if _ends_sentence(line, match):
            sentences.append(line[start : match.end()].strip())
            start = match.end()
    sentences.append(line[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _ends_sentence(line: str, match: re.Match[str]) -> bool:
    found = _NEXT.search(line, match.end())
    if found is not None and found.group().islower():
        return False
    if match.group().rstrip(_CLOSING) != ".":
        return True
    first = line.rfind(" ", 0, match.start()) + 1
    word = line[first : match.start()].lstrip("\"'“‘«([")
    before = line[max(first - _LONGEST_CONTEXT, 0) : first]
    return not is_abbreviation(word, before, line[match.end() : match.end() + _LONGEST_CONTEXT])
