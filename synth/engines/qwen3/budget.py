"""How many frames a text may take, and what is spoken in one call. No torch here.

The model now and then misses the end of a text and murmurs on until its budget is spent, without saying so
(QwenLM/Qwen3-TTS#118: one text in two hundred). So the budget is tight, and spending it is a failure.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

FRAMES_PER_SECOND: Final = 12.5
SAMPLES_PER_FRAME: Final = 1_920  # at 24 kHz

_LETTERS_PER_SECOND: Final = 14.0
_WIDE_LETTERS: Final = 3  # a Chinese character or a Korean syllable takes as long as three Latin letters
_TIMES_EXPECTED: Final = 3
_LEAST_FRAMES: Final = 100  # eight seconds: short texts are often drawn out


def expected_frames(text: str) -> float:
    """Frames that the text takes at a usual pace."""
    letters = sum(_WIDE_LETTERS if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
    return letters / _LETTERS_PER_SECOND * FRAMES_PER_SECOND


def frame_budget(text: str) -> int:
    """The most frames that the text may take."""
    return max(_LEAST_FRAMES, math.ceil(_TIMES_EXPECTED * expected_frames(text)))


def missed_its_end(samples: int, text: str, most_frames: int) -> bool:
    """Whether audio of `samples` samples spent the text's budget, in a call that made `most_frames` at most.

    The last token of a call is never decoded: what ran to the limit is one frame shorter.
    """
    return samples >= (min(frame_budget(text), most_frames) - 1) * SAMPLES_PER_FRAME


def batches(texts: Sequence[str], most: int) -> Iterator[list[int]]:
    """Indexes of `texts` in batches of at most `most`, by length.

    A call runs until its longest text ends, so texts of a length go together.
    """
    order = sorted(range(len(texts)), key=lambda index: expected_frames(texts[index]))
    for first in range(0, len(order), most):
        yield order[first : first + most]
