"""Ears that a test whispers to: a recogniser that knows what it will hear, and how long each sample is."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from synth.audio.levels import Samples
from synth.verify.comparison import HeardWord
from synth.verify.hosted_recognizer import HEARING_RATE

RATE = 24_000


def voice(number: int, seconds: float = 1.0) -> Samples:
    """A take that these ears tell from others: a level of its own, which resampling keeps."""
    return np.full(round(seconds * RATE), number / 100, np.float32)


class WhisperedEars:
    """Hears in a window the takes that `voice` made, and of each the words that `said` has for it."""

    name = "whispered"

    def __init__(self, said: dict[int, str], *, known: frozenset[str] | None = frozenset({"en"})) -> None:
        self.said, self._known = said, known
        self.windows: list[tuple[int, ...]] = []
        self.careful: list[tuple[int, ...]] = []
        self.said_carefully: dict[int, str] = {}  # where a second, careful hearing hears otherwise
        self.said_at_last: dict[int, str] = {}  # and where the third does, without marks of time
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[list[HeardWord]], None] = lambda words: None
        self.closed = threading.Event()

    def languages(self) -> frozenset[str] | None:
        return self._known

    def hear(
        self, samples: Samples, language: str, *, timed: bool, careful: bool, marked: bool
    ) -> list[HeardWord]:
        self.before()
        found = self._takes(samples)
        (self.careful if careful else self.windows).append(tuple(number for number, _, _ in found))
        words: list[HeardWord] = []
        otherwise = {} if not careful else self.said_carefully if marked else self.said_at_last
        for number, start, end in found:
            texts = (self.said | otherwise)[number].split()
            each = (end - start) / max(len(texts), 1)
            words += [
                HeardWord(text, start + at * each, start + (at + 1) * each) for at, text in enumerate(texts)
            ]
        self.after(words)
        return words

    def close(self) -> None:
        self.closed.set()

    @staticmethod
    def _takes(samples: Samples) -> list[tuple[int, float, float]]:
        """Number, first and last second of each level in the window."""
        levels = np.rint(np.asarray(samples) * 100).astype(int)
        steady = np.abs(np.asarray(samples) * 100 - levels) < 0.05
        found: list[tuple[int, float, float]] = []
        for number in dict.fromkeys(levels[steady & (levels > 0)].tolist()):
            places = np.flatnonzero(steady & (levels == number))
            if len(places) > HEARING_RATE // 20:
                found.append((number, places[0] / HEARING_RATE, (places[-1] + 1) / HEARING_RATE))
        return sorted(found, key=lambda each: each[1])
