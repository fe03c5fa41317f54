"""The written text as it is shown while it is spoken, and which of its letters are said when.

Pieces are cut from the script (`lib.textnorm`), which has other words than the text: "forty-two dollars" for
"$42". The letters that are spoken lead back: each stands in the written text itself, or in what a change says
in place of a stretch of it.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from lib.textnorm import Change, Normalized
from lib.voices import LINK, PAUSE, without_markup

#: Of these only what is said of them is shown; of all others what is written.
_SHOWN_AS_SAID: Final = frozenset({"markup", "pause", "lines"})
_PARTS: Final = re.compile(r"</?(?:br|p|div|li|ul|ol|hr|t[dhr]|table|h\d|blockquote)\b|&nbsp;", re.IGNORECASE)
_BROKEN: Final = re.compile(r"(?<=[^\W\d_])-[ \t]*\r?\n[ \t]*(?=[^\W\d_])")
_NO_LETTERS: Final = re.compile(r"[^a-z0-9]+")
#: Formats that change how letters beside them look; all others are unseen.
_SEEN: Final = frozenset("\u200c\u200d\u200e\u200f\u061c")
_UNSEEN: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
_PARAGRAPH: Final = "\n"  # in what is shown; all other blanks are single and plain


@dataclass(slots=True)
class Wording:
    """`shown` is for reading, its paragraphs parted by one line end. `letters` are all that are spoken.

    Letter i stands in `shown[starts[i] : ends[i]]`, alone or with the others of what is said as one.
    """

    shown: str = ""
    letters: str = ""
    starts: array[int] = field(default_factory=lambda: array("L"))
    ends: array[int] = field(default_factory=lambda: array("L"))
    held: list[tuple[int, int]] = field(default_factory=list)  # said as one

    def first_letter(self, at: int) -> int:
        """The number of the first letter that stands at or behind a place of `shown`."""
        return bisect_left(self.starts, at)

    def held_within(self, start: int, end: int) -> list[tuple[int, int]]:
        """What is said as one in a part of `shown`."""
        first = bisect_left(self.held, (start, 0))
        return self.held[first : bisect_left(self.held, (end, 0))]


def wording_of(normalized: Normalized) -> Wording:
    """What is shown of a text; it holds a letter wherever something is spoken."""
    builder = _ShownBuilder()
    written, done = normalized.written, 0
    for change, inner in _outermost(sorted(_all_changes(normalized), key=_order)):
        builder.show(written[done : change.start])
        builder.change(change, inner)
        done = change.end
    builder.show(written[done:])
    found = builder.wording()
    if found.letters or not letters_of(normalized.script):
        return found
    builder = _ShownBuilder()  # nothing but markup: then its signs are the text
    builder.show(written)
    return builder.wording()


def letters_of(text: str) -> str:
    """The letters and digits of a text in their plainest form."""
    if text.isascii():
        return _NO_LETTERS.sub("", text.lower())
    return "".join(map(_plain, text))


@lru_cache(maxsize=8192)
def _plain(char: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(filter(str.isalnum, folded))


def _order(change: Change) -> tuple[int, int, bool]:
    return (change.start, -change.end, change.kind in _SHOWN_AS_SAID)


def _outermost(changes: Iterable[Change]) -> Iterator[tuple[Change, list[Change]]]:
    """Changes none of which is over another, each with the markup inside it."""
    current: tuple[Change, list[Change]] | None = None
    for change in changes:
        if current is None or change.start >= current[0].end:
            if current is not None:
                yield current
            current = (change, [])
        elif change.end <= current[0].end and change.kind in _SHOWN_AS_SAID:
            current[1].append(change)
    if current is not None:
        yield current


def _all_changes(normalized: Normalized) -> Iterator[Change]:
    """Those of the front-end, and the markup that it leaves to the engine."""
    yield from normalized.changes
    written = normalized.written
    for link in LINK.finditer(written):
        for start, end in ((link.start(), link.start(1)), (link.end(1), link.end())):
            yield Change(written[start:end], "", "markup", start, end)
    for pause in PAUSE.finditer(written):
        yield Change(pause[0], "", "pause", pause.start(), pause.end())


class _ShownBuilder:
    """Puts together what is shown: blanks and line ends by their meaning, nothing unseen."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blank = ""  # what parts the last character from the next
        self._line_ends = 0
        self._made = Wording()
        self._letters: list[str] = []

    def show(self, text: str) -> None:
        """What is said as it is written."""
        for char in _BROKEN.sub("-", text) if "-" in text and "\n" in text else text:
            at = self._put(char)
            if at is not None:
                self._say(_plain(char), at, self._length)

    def change(self, change: Change, inner: Iterable[Change] = ()) -> None:
        """What is said otherwise than it is written; of markup inside it only the words are shown."""
        said = without_markup(change.spoken)
        if change.kind in _SHOWN_AS_SAID:
            if _PARTS.match(change.written):
                self._put(" ")
            self.show(said)
            return
        text, done = "", change.start
        for each in inner:
            if each.start >= done:
                text += change.written[done - change.start : each.start - change.start] + each.spoken
                done = each.end
        text += change.written[done - change.start :]
        places = [at for char in text if (at := self._put(char)) is not None]
        if places:
            self._say(letters_of(said), places[0], self._length)
            self._made.held.append((places[0], self._length))

    def wording(self) -> Wording:
        """All that was put in."""
        made = self._made
        made.shown, made.letters = "".join(self._parts), "".join(self._letters)
        return made

    def _say(self, letters: str, start: int, end: int) -> None:
        self._letters.append(letters)
        self._made.starts.extend([start] * len(letters))
        self._made.ends.extend([end] * len(letters))

    def _put(self, char: str) -> int | None:
        """Where the character stands now; None for a blank and for what is not seen."""
        if char.isspace() or char == "\u200b" or unicodedata.category(char) == "Cc":
            self._line_ends += 2 if char == "\u2029" else char in "\n\u2028"
            self._blank = _PARAGRAPH if self._line_ends > 1 else " "
            return None
        if char not in _SEEN and unicodedata.category(char) in _UNSEEN:
            return None
        if self._blank and self._length:
            self._parts.append(self._blank)
            self._length += 1
        self._blank, self._line_ends = "", 0
        self._parts.append(char)
        self._length += 1
        return self._length - 1


_NEAR: Final = (12, 6, 3)  # letters by which two places are taken for the same
_LOOKED_THROUGH: Final = 6_000  # letters of the text, for a piece that was left out
_SKIPPED: Final = 60  # letters of a piece that the text has not
_MOST_SEARCHES: Final = 2_000


def aligned(letters: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    """For the letters of each part which of `letters` they are, from one to before another; in order.

    Parts may be left out of `parts`, and letters differ here and there: then the next place is taken where
    both go on together. Never fails; parts of which nothing is found are empty.
    """
    joined = "".join(parts)
    blocks = _blocks(letters, joined)
    found, at = [], 0
    for part in parts:
        found.append((_there(blocks, at, begins=True), _there(blocks, at + len(part), begins=False)))
        at += len(part)
    return [(start, max(start, end)) for start, end in found]


def _blocks(letters: str, joined: str) -> list[tuple[int, int, int]]:
    """(place in `joined`, place in `letters`, length) of what is equal in both; ends with an empty one."""
    blocks: list[tuple[int, int, int]] = []
    here = there = searches = 0
    while here < len(joined) and there < len(letters):
        same = _common(joined, here, letters, there)
        if same:
            blocks.append((here, there, same))
            here, there = here + same, there + same
        if here == len(joined) or there == len(letters):
            break
        searches += 1
        step = _next(joined, here, letters, there) if searches <= _MOST_SEARCHES else None
        if step is None:
            break
        here, there = here + step[0], there + step[1]
    blocks.append((len(joined), len(letters), 0))
    return blocks


def _common(one: str, at: int, other: str, place: int) -> int:
    """How many letters are the same from there on."""
    longest = min(len(one) - at, len(other) - place)
    same, step = 0, 64
    while same < longest:
        if one[at + same : at + same + step] == other[place + same : place + same + step]:
            same, step = min(same + step, longest), step * 2
        elif step == 1:
            break
        else:
            step = max(step // 8, 1)
    return same


def _next(joined: str, here: int, letters: str, there: int) -> tuple[int, int] | None:
    """How many letters to skip in both so that they go on together; the fewest, by long likenesses first."""
    for near in _NEAR:
        best: tuple[int, int] | None = None
        for skipped in range(min(_SKIPPED, len(joined) - here)):
            if best is not None and skipped >= sum(best):
                break
            probe = joined[here + skipped : here + skipped + near]
            if len(probe) < near and near != _NEAR[-1]:
                break
            reach = _LOOKED_THROUGH if near > 3 else 2 * _SKIPPED
            found = letters.find(probe, there, there + reach)
            if found >= 0 and (best is None or skipped + found - there < sum(best)):
                best = (skipped, found - there)
        if best is not None:
            return best
    return None


def _there(blocks: Sequence[tuple[int, int, int]], at: int, *, begins: bool) -> int:
    """The place in `letters` of one in the parts; between two likenesses by proportion.

    What begins at a place belongs to the likeness that begins there, what ends to the one that ends there.
    """
    index = bisect_left(blocks, (at + begins,)) - 1
    here, there, length = blocks[index] if index >= 0 else (0, 0, 0)
    inside = at - here
    if inside < length or (inside == length and not begins):
        return there + inside
    next_here, next_there, _ = blocks[min(index + 1, len(blocks) - 1)]
    ended, place = here + length, there + length
    gap = next_here - ended
    return place + (at - ended) * (next_there - place) // gap if gap > 0 else place
