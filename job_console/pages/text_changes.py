"""What is different between two texts, line by line and within a line word by word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, zip_longest
from typing import Final

_AROUND: Final = 1  # lines that stay the same and are shown beside what changed
_MOST_LINES: Final = 3000  # beyond that the comparing takes seconds
_MOST_WORDS: Final = 2000
_ALIKE: Final = 0.6  # below it two lines are others, and their words are not held against each other
#: How often the same stands on both sides, a pair each: the time that comparing takes grows with these.
_MOST_PAIRS_OF_LINES: Final = 1_000_000
_MOST_PAIRS_OF_WORDS: Final = 100_000
_WORDS: Final = re.compile(r"\s+|\S+ ?")  # a space goes with its word: alone it stands everywhere


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line: `kind` is same, gone, new or skipped; of its parts those that are True are what differs."""

    kind: str
    parts: Sequence[tuple[bool, str]] = ()


def changes_of(before: str, after: str, *, most: int = 200) -> list[ChangedLine] | None:
    """The lines around what changed, `most` of them at most; [] where nothing did, None: too long to say."""
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > _MOST_LINES or _pairs(old, new) > _MOST_PAIRS_OF_LINES:
        return None
    found = [*islice(_lines(old, new), most + 1)]
    return found if len(found) <= most else [*found[:most], ChangedLine("skipped")]


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[ChangedLine]:
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND)
    for number, group in enumerate(groups):
        if number:
            yield ChangedLine("skipped")
        for tag, begin, end, begin_new, end_new in group:
            if tag == "equal":
                yield from (ChangedLine("same", [(False, line)]) for line in old[begin:end])
            elif tag == "replace":
                yield from _replaced(old[begin:end], new[begin_new:end_new])
            else:
                yield from (ChangedLine("gone", [(True, line)]) for line in old[begin:end])
                yield from (ChangedLine("new", [(True, line)]) for line in new[begin_new:end_new])


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[ChangedLine]:
    """Each line beside the one that stands where it stood."""
    for before, after in zip_longest(old, new):
        if before is None or after is None:
            kind, line = ("gone", before) if after is None else ("new", after)
            yield ChangedLine(kind, [(True, line or "")])
            continue
        ours, theirs = _WORDS.findall(before), _WORDS.findall(after)
        words = SequenceMatcher(None, ours, theirs, autojunk=False)
        many = max(len(ours), len(theirs)) > _MOST_WORDS or _pairs(ours, theirs) > _MOST_PAIRS_OF_WORDS
        if many or words.ratio() < _ALIKE:
            yield ChangedLine("gone", [(True, before)])
            yield ChangedLine("new", [(True, after)])
            continue
        steps = words.get_opcodes()
        gone = [(tag != "equal", "".join(ours[a:b])) for tag, a, b, _, _ in steps if a < b]
        fresh = [(tag != "equal", "".join(theirs[c:d])) for tag, _, _, c, d in steps if c < d]
        yield ChangedLine("gone", [*_without_space(gone)])
        yield ChangedLine("new", [*_without_space(fresh)])


def _without_space(parts: Iterable[tuple[bool, str]]) -> Iterator[tuple[bool, str]]:
    """The space behind what differs does not differ."""
    for differs, part in parts:
        if differs and part.endswith(" ") and part.strip():
            yield True, part[:-1]
            yield False, " "
        else:
            yield differs, part


def _pairs(old: Sequence[str], new: Sequence[str]) -> int:
    theirs = Counter(new)
    return sum(count * theirs[each] for each, count in Counter(old).items())
