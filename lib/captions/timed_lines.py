"""A text whose times are known here and there, cut into cues that can be read while they are heard."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Final

from lib.captions.breaks import HELD, BreakPlace, blank_between, places, width
from lib.captions.cue import SOURCES, Cue
from lib.captions.lines import MOST_LINES, READING, ReadingLimits, fits

_EACH_CUE: Final = 6.0  # what one more costs, so that there are few
_SHORT: Final = 10.0  # what a cue of no letters costs, of a full one nothing
_TOO_LONG: Final = 8.0  # each second over the longest
_ACROSS: Final = 0.7  # seconds of silence that two short cues may have between them and be one
_BRIEF_S: Final = 1.2  # under that, a cue is put to its neighbour where both fit


@dataclass(frozen=True, slots=True)
class Knot:
    """A known moment of a stretch: the sound of what stands before `at` ends, what follows begins."""

    at: int
    before: float
    after: float
    source: str


@dataclass(frozen=True, slots=True)
class TimedLine:
    """One line of text that sounds without a break of others.

    Its first knot stands at 0, its last at its end; between two knots times are guessed by letters. `held`
    are parts that belong together (what is said as one number, say). Behind one that `ends` a paragraph
    begins a new cue.
    """

    text: str
    knots: tuple[Knot, ...]
    held: tuple[tuple[int, int], ...] = ()
    ends: bool = False


@dataclass(frozen=True, slots=True)
class _CueDraft:
    """A cue whose two ends are known each in its own way."""

    start: float
    end: float
    text: str
    began: str
    ended: str

    def cue(self) -> Cue:
        """As sure as the less sure of its ends."""
        return Cue(self.start, self.end, self.text, max(self.began, self.ended, key=SOURCES.index))


def cut_cues(
    stretches: Sequence[TimedLine], audio_seconds: float, reading: ReadingLimits = READING
) -> list[Cue]:
    """The cues of a text: each letter in one of them, in order; none over the next, none over the audio."""
    drafts: list[_CueDraft] = []
    may_grow = False  # the last cue is of the same paragraph
    for stretch in stretches:
        for draft in _drafts_of(stretch, reading):
            grown = _together(drafts[-1], draft, reading) if drafts and may_grow else None
            if grown is None:
                drafts.append(draft)
            else:
                drafts[-1] = grown
            may_grow = True
        may_grow = may_grow and not stretch.ends
    return list(_readable(_in_order(draft.cue() for draft in drafts), audio_seconds, reading))


def fitted(cues: Iterable[Cue], characters: int) -> list[Cue]:
    """The same cues for narrower lines: what does not stand in two of them any more is cut, by letters."""
    reading = replace(READING, characters=characters, longest_s=float("inf"))
    found: list[Cue] = []
    for cue in cues:
        if fits(cue.text, characters):
            found.append(cue)
            continue
        ends = (cue.start, cue.end)
        knots = (Knot(0, ends[0], ends[0], cue.source), Knot(len(cue.text), ends[1], ends[1], cue.source))
        drafts = _drafts_of(TimedLine(cue.text, knots), reading)
        parts = list(_in_order(draft.cue() for draft in drafts))
        # One of some milliseconds, which nobody can read, has no room for parts.
        found += parts if parts[-1].end <= round(cue.end, 3) else [cue]
    return found


def _drafts_of(stretch: TimedLine, reading: ReadingLimits) -> Iterator[_CueDraft]:
    text = stretch.text
    start = 0
    for end in [*_cuts(stretch, reading), len(text)]:
        part = text[start:end].strip()
        if part:
            first, last = _knot(stretch, start), _knot(stretch, end)
            yield _CueDraft(round(first.after, 3), round(last.before, 3), part, first.source, last.source)
        start = end


def _place(knot: Knot) -> int:
    return knot.at


def _knot(stretch: TimedLine, at: int) -> Knot:
    """The moment at a place: a known one, or one between two that are."""
    knots = stretch.knots
    index = bisect_right(knots, at, key=_place) - 1
    here = knots[index]
    if here.at == at or index + 1 == len(knots):
        return here
    following = knots[index + 1]
    share = (at - here.at) / (following.at - here.at)
    moment = here.after + share * (following.before - here.after)
    return Knot(at, moment, moment, "estimated")


def _cuts(stretch: TimedLine, reading: ReadingLimits) -> list[int]:
    """Where the text is cut: the cheapest way to parts that each fit, all of them looked at."""
    text, characters = stretch.text, reading.characters
    seconds = stretch.knots[-1].before - stretch.knots[0].after
    if width(text) <= characters and seconds <= reading.longest_s:
        return []
    found = [BreakPlace(0, 0.0), *places(text, characters, stretch.held), BreakPlace(len(text), 0.0)]
    ruler = _Ruler.of(text, found, characters)
    known = [(knot.after, knot.before) for knot in (_knot(stretch, place.at) for place in found)]
    best: list[tuple[float, int]] = [
        (0.0, 0)
    ]  # by place: what all before it costs, where its last part begins
    for end in range(1, len(found)):
        cost, start = _cheapest_part(ruler, known, best, reading)
        best.append((cost + found[end].cost, start))
    cuts, at = [], len(found) - 1
    while at:
        at = best[at][1]
        cuts.append(found[at].at)
    return cuts[-2::-1]


def _cheapest_part(
    ruler: _Ruler,
    known: Sequence[tuple[float, float]],
    best: Sequence[tuple[float, int]],
    reading: ReadingLimits,
) -> tuple[float, int]:
    """What it costs at least to end a part at the next place, with all before it, and where it begins."""
    end, full = len(best), MOST_LINES * reading.characters
    cheapest = (best[-1][0] + HELD**3, end - 1)  # which fits nowhere
    for start in range(end - 1, -1, -1):
        wide = ruler.width(start, end)
        if wide > full + 1:
            break
        cost = best[start][0] + _EACH_CUE + _SHORT * (1 - wide / full) ** 2
        if cost >= cheapest[0]:
            continue
        lines = 0.0 if wide <= reading.characters else ruler.line_end(start, end)
        if lines is not None:
            cost += lines + _TOO_LONG * max(known[end][1] - known[start][0] - reading.longest_s, 0.0)
            cheapest = min(cheapest, (cost, start))
    return cheapest


@dataclass(frozen=True, slots=True)
class _Ruler:
    """How wide a text stands from each of its places to each other."""

    begins: Sequence[int]  # for each place how wide all before it stands
    ends: Sequence[int]  # the same without the blank in front of it
    good: Sequence[int]  # how many of the places up to it are held by nothing
    characters: int

    @classmethod
    def of(cls, text: str, found: Sequence[BreakPlace], characters: int) -> _Ruler:
        """Measure once."""
        begins, ends, good = [], [], []
        wide = counted = at = 0
        for place in found:
            wide += width(text[at : place.at])
            at = place.at
            counted += place.cost < HELD
            begins.append(wide)
            ends.append(wide - text.endswith(" ", 0, at))
            good.append(counted)
        return cls(begins, ends, good, characters)

    def width(self, start: int, end: int) -> int:
        """Of what stands between two places, by their numbers."""
        return self.ends[end] - self.begins[start]

    def line_end(self, start: int, end: int) -> float | None:
        """What it costs that the first of two lines ends between the places; None where it can nowhere."""
        first = max(bisect_left(self.begins, self.ends[end] - self.characters), start + 1)
        last = min(bisect_right(self.ends, self.begins[start] + self.characters), end) - 1
        if first > last:
            return None
        return 0.0 if self.good[last] > self.good[first - 1] else HELD


def _together(cue: _CueDraft, following: _CueDraft, reading: ReadingLimits) -> _CueDraft | None:
    """Both as one, where one of them is too brief to be read and they stand together; else None."""
    brief = min(cue.end - cue.start, following.end - following.start) < _BRIEF_S
    if not brief or following.start - cue.end > _ACROSS or following.end - cue.start > reading.longest_s:
        return None
    text = f"{cue.text}{blank_between(cue.text, following.text)}{following.text}"
    if not fits(text, reading.characters):
        return None
    return _CueDraft(cue.start, following.end, text, cue.began, following.ended)


def _in_order(cues: Iterable[Cue]) -> Iterator[Cue]:
    """None begins before the one before it, and each has a moment of its own."""
    before = 0.0
    for cue in cues:
        start = max(cue.start, before)
        end = max(cue.end, round(start + 0.001, 3))
        yield replace(cue, start=start, end=end)
        before = end


def _readable(cues: Iterable[Cue], audio_seconds: float, reading: ReadingLimits) -> Iterator[Cue]:
    """Each for as long as it takes to read, where there is silence behind it."""
    everyone = list(cues)
    for index, cue in enumerate(everyone):
        last = everyone[index + 1].start if index + 1 < len(everyone) else audio_seconds
        wanted = max(reading.shortest_s, len(cue.text) / reading.per_second)
        end = max(floor(min(cue.start + wanted, last) * 1000) / 1000, cue.end)
        yield replace(cue, end=end)
