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
        self.options: dict[str, Any] = {}
        self.compressed = 1.0

    def transcribe(self, samples: Any, **options: Any) -> tuple[Iterator[Any], None]:
        self.options = options
        return self._all(), None

    def _all(self) -> Iterator[Any]:
        for text, start, end in self._segments:
            self.heard += 1
            word = SimpleNamespace(word=text, start=start, end=end)
            ratio = self.compressed if self.options["without_timestamps"] else 1.0
            yield SimpleNamespace(text=text, start=start, end=end, words=[word], compression_ratio=ratio)


def heard(
    model: LazyModel, seconds: float, *, timed: bool = True, careful: bool = False, marked: bool = False
) -> list[str]:
    folder = WhisperModelFolder.__new__(WhisperModelFolder)  # its own loads the packages of the extra
    vars(folder).update(_model=model, _unwritten=[-1])
    samples = np.zeros(round(seconds * RATE), np.float32)
    asked = {"language": "en", "timed": timed, "careful": careful, "marked": marked}
    return [word for word, _, _ in folder.hear(samples, asked)]


@pytest.mark.parametrize(
    ("seconds", "marked", "without"), [(28.0, False, True), (28.0, True, False), (31.0, False, False)]
)
def test_marks_of_time_are_made_where_they_are_wished_and_where_windows_follow_one_another(
    seconds: float, marked: bool, without: bool
) -> None:
    """Without them a recogniser goes on 30 s later, in the midst of a word perhaps."""
    model = LazyModel([("Yes", 0.1, seconds - 0.1)])
    heard(model, seconds, marked=marked)

    assert model.options["without_timestamps"] is without


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


def test_a_sentence_that_is_repeated_for_ever_is_heard_again_with_marks_of_time() -> None:
    """What was said behind it would count as that sentence."""
    model = LazyModel([("Yes", 0.1, 0.6), ("no", 1.3, 1.8)])
    model.compressed = 9.0

    assert heard(model, 2.0) == ["Yes", "no"]
    assert model.options["without_timestamps"] is False
    assert model.heard == 4


def test_with_care_it_was_heard_with_marks_before() -> None:
    model = LazyModel([("Yes", 0.1, 0.6), ("no", 1.3, 1.8)])
    model.compressed = 9.0
    heard(model, 2.0, careful=True)

    assert model.heard == 2
