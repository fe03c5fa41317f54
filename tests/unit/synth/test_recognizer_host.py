"""The process of the recogniser asks for no more windows than there is speech."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from synth.verify.recognizer_host import WhisperModelFolder

RATE = 16_000


class LazyModel:
    """Hears a segment when it is asked for, as the package does, and counts them."""

    def __init__(self, segments: list[tuple[str, float, float]]) -> None:
        self._segments, self.heard = segments, 0

    def transcribe(self, samples: Any, **options: Any) -> tuple[Iterator[Any], None]:
        return self._all(), None

    def _all(self) -> Iterator[Any]:
        for text, start, end in self._segments:
            self.heard += 1
            word = SimpleNamespace(word=text, start=start, end=end)
            yield SimpleNamespace(text=text, start=start, end=end, words=[word])


def heard(model: LazyModel, seconds: float, *, timed: bool) -> list[str]:
    folder = WhisperModelFolder.__new__(WhisperModelFolder)  # its own loads the packages of the extra
    vars(folder).update(_model=model, _unwritten=[-1])
    samples = np.zeros(round(seconds * RATE), np.float32)
    return [word for word, _, _ in folder.hear(samples, {"language": "en", "timed": timed, "careful": False})]


@pytest.mark.parametrize("timed", [True, False])
def test_what_lies_behind_the_last_word_is_not_heard_by_itself(timed: bool) -> None:
    """It would cost a whole window, and be heard as "And"."""
    model = LazyModel([("Yes", 0.1, 0.6), ("no", 1.3, 1.8), ("And", 1.9, 2.0)])

    assert heard(model, 2.0, timed=timed) == ["Yes", "no"]
    assert model.heard == 2


@pytest.mark.parametrize("timed", [True, False])
def test_a_word_that_was_left_to_the_next_window_is_heard(timed: bool) -> None:
    model = LazyModel([("Yes", 0.1, 0.6), ("no", 1.3, 1.8)])

    assert heard(model, 1.9, timed=timed) == ["Yes", "no"]
    assert model.heard == 2
