"""From what was heard to a verdict: how much may differ, and what three takes agree on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from synth.verify.comparison import Comparison
from synth.verify.port import Divergence, Verdict

#: Of what was sent: speech.md of the measurements found clean takes below 0.03 and broken ones above 0.2.
MOST_WRONG: Final = 0.12
#: Sounds in a row that were lost or are others: the sign of a cut in the middle.
LONGEST_RUN: Final = 3.0
#: Two sounds and one that is like another are no evidence: a recogniser hears "May" for "Me", "and" for "at",
#: and puts an "if" before "she asked".
_FEW: Final = 2.5
#: Of a text of one or two sounds nearly all must be wrong.
_NEARLY_ALL: Final = 0.75
_AGREEING: Final = 3  # takes that were heard alike: then it is said so, and written otherwise
_MANY: Final = 3  # of one word in a row
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MOST_OF_A_NAME: Final = 3  # words; more are a clause


def passes(found: Comparison) -> bool:
    """Whether what was heard is what was sent, as far as a recogniser can tell."""
    return _is_right(found.sounds, found.errors, found.run)


def _is_right(sounds: int, errors: float, run: float) -> bool:
    if run >= LONGEST_RUN:
        return False
    rate = errors / max(sounds, 1)
    return rate <= MOST_WRONG or (errors <= _FEW and rate < _NEARLY_ALL)


def miscounted(found: Comparison, script: str) -> bool:
    """Whether all that is wrong lies in a word that is said three times or more in a row, and nowhere else.

    A recogniser does not count: of sixteen "one" it writes ten or a hundred, and in a low voice takes
    "Ha ha ha" for something else. That is evidence for nothing.
    """
    rows = [(word, sum(1 for _ in run)) for word, run in groupby(_words(script))]
    often = Counter(word for word, _ in rows)
    repeated = {word for word, times in rows if times >= _MANY and often[word] == 1}
    left = [each for each in found.divergences if not _only(each.words or each.heard_as, repeated)]
    return not passes(found) and _is_right(found.sounds, *_costs(left))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _only(shown: str, words: Collection[str]) -> bool:
    """Whether what is shown of a divergence, cut at its end perhaps, is made of these words."""
    *whole, last = _words(shown) or [""]
    begun = last and any(each.startswith(last) for each in words)
    return bool(begun) and all(each in words for each in whole)


def _costs(divergences: Sequence[Divergence]) -> tuple[float, float]:
    """In all, and the longest stretch."""
    costs = [each.cost for each in divergences]
    return sum(costs), max(costs, default=0.0)


def verdict_of(found: Sequence[Comparison], recognizer: str) -> Verdict:
    """The verdict over the stretches of a take: each must pass. Their words are by the take's clock."""
    sounds = sum(each.sounds for each in found)
    errors = sum(each.errors for each in found)
    divergences = tuple(
        replace(each, stretch=index) for index, stretch in enumerate(found) for each in stretch.divergences
    )
    verdict = Verdict(
        ok=all(map(passes, found)),
        score=errors / max(sounds, 1),
        why="",
        words=tuple(word for each in found for word in each.words),
        sounds=sounds,
        divergences=divergences,
        recognizer=recognizer,
        stretch_sounds=tuple(each.sounds for each in found),
        wrong_stretches=tuple(index for index, each in enumerate(found) if not passes(each)),
    )
    return replace(verdict, why=_why(verdict))


def agreed(verdict: Verdict, earlier: Sequence[Verdict]) -> Verdict:
    """The verdict, where what it found wrong was heard alike in two takes before it.

    A name that a recogniser does not know is written in some way of its own, each time; an engine that
    samples does not make the same fault three times. What is not heard at all is no name.
    """
    if verdict.ok or len(earlier) < _AGREEING - 1:
        return verdict
    known = [
        each
        for each in verdict.divergences
        if _may_be_a_name(each)
        and sum(any(_alike(each, other) for other in one.divergences) for one in earlier) >= _AGREEING - 1
    ]
    if not known:
        return verdict
    left = [each for each in verdict.divergences if each not in known]
    by_stretch = [
        [each for each in left if each.stretch == index] for index in range(len(verdict.stretch_sounds))
    ]
    ok = all(
        _is_right(sounds, *_costs(own))
        for sounds, own in zip(verdict.stretch_sounds, by_stretch, strict=True)
    )
    if not ok:
        return verdict
    heard = ", ".join(f"{each.heard_as!r} for {each.words!r}" for each in known)
    score = sum(each.cost for each in left) / max(verdict.sounds, 1)
    why = f"{_share(score, verdict.sounds)}, three takes alike being heard as {heard}"
    return replace(verdict, ok=True, score=score, why=why)


def _may_be_a_name(found: Divergence) -> bool:
    """A word or a few, heard as something about as long: neither lost, nor said beside the text."""
    sent, heard = len(found.words), len(found.heard_as)
    if not found.sent or not found.heard or len(found.words.split()) > _MOST_OF_A_NAME:
        return False
    return sent <= 2 * heard <= 4 * sent


def _alike(one: Divergence, other: Divergence) -> bool:
    return (one.stretch, one.place, one.sent, one.heard) == (
        other.stretch,
        other.place,
        other.sent,
        other.heard,
    )


def _share(score: float, sounds: int) -> str:
    wrong = round(score * sounds, 1)
    return f"{wrong:g} of {sounds} sounds {'differs' if wrong == 1 else 'differ'}"


def _why(verdict: Verdict) -> str:
    told = _share(verdict.score, verdict.sounds)
    worst = max(verdict.divergences, key=lambda each: each.cost, default=None)
    if verdict.ok or worst is None:
        return told
    if not worst.heard:
        return f"{told}; not heard: {worst.words!r}"
    if not worst.sent:
        return f"{told}; heard beside the text: {worst.heard_as!r}"
    return f"{told}; {worst.words!r} was heard as {worst.heard_as!r}"
