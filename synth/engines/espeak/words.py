"""When each word of a text sounds, from what the library tells: where it was in the text, and when.

It tells no word of its own for some that it says in one breath ("on the"), and several for a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lib.records import WordTiming
from synth.audio.levels import Samples

#: Between blanks, without the marks around it.
_WORD: Final = re.compile(r"\w(?:\S*\w)?")
#: Of full scale: what the library fills pauses with is below.
_SILENT: Final = 0.003
#: Written without blanks, so that words cannot be told apart here.
_UNPARTED: Final = frozenset({"Chinese", "Japanese"})


@dataclass(frozen=True, slots=True)
class Mention:
    """The library was at a place in the text when it made a sample."""

    place: int  # in characters, from 0
    at_s: float  # from the first sample


def word_timings(
    text: str, language: str, mentions: Sequence[Mention], samples: Samples, rate: int
) -> tuple[WordTiming, ...]:
    """Every word of `text` in order; none in a language without blanks.

    Words that were said in one breath share its time by their letters; their source is `estimated`.
    """
    words = list(_WORD.finditer(text))
    if language in _UNPARTED or not words or not mentions:
        return ()
    firsts = [_first(mentions, word.start(), word.end()) for word in words]
    firsts[0] = mentions[0].at_s if firsts[0] is None else firsts[0]
    breaths: list[tuple[float, list[str]]] = []
    for word, first in zip(words, firsts, strict=True):
        if first is not None:
            breaths.append((first, []))
        breaths[-1][1].append(word.group())
    starts = [start for start, _ in breaths] + [len(samples) / rate]
    found: list[WordTiming] = []
    for (start, said), following in zip(breaths, starts[1:], strict=True):
        found += _shared(said, start, _last_sound_s(samples, rate, start, following))
    return tuple(found)


def _first(mentions: Sequence[Mention], start: int, end: int) -> float | None:
    return next((mention.at_s for mention in mentions if start <= mention.place < end), None)


def _last_sound_s(samples: Samples, rate: int, start: float, following: float) -> float:
    first, last = round(start * rate), round(following * rate)
    loud = np.flatnonzero(np.abs(samples[first:last]) > _SILENT)
    return (first + int(loud[-1]) + 1) / rate if len(loud) else max(start, following)


def _shared(said: Sequence[str], start: float, end: float) -> Iterator[WordTiming]:
    if len(said) == 1:
        yield WordTiming(said[0], round(start, 3), round(end, 3))
        return
    letters = sum(map(len, said))
    for word in said:
        stop = start + (end - start) * len(word) / letters
        yield WordTiming(word, round(start, 3), round(stop, 3), "estimated")
        start, letters = stop, letters - len(word)
