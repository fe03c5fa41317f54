"""Windows: what a recogniser hears in one go. It costs by the window, so short takes share one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.audio.levels import Samples
from synth.verify.hosted_recognizer import HEARING_RATE

#: A model of Whisper hears 30 s, and takes what sounds near the end of that for cut speech: it leaves the
#: last take to a window of its own, which costs as much. Of 64 short takes 29 s cost 10 windows, 28 s 7.
LONGEST_WINDOW_S: Final = 28.0
#: Between two of one window. With less, short ones are heard as one sentence; more costs and tells nothing.
GAP_S: Final = 0.7
_MOST_TOGETHER: Final = 24  # parts of one window: more would wait long for the last of them


@dataclass(frozen=True, slots=True)
class HearingWindow:
    """Samples at HEARING_RATE, and where in them each part begins, in seconds."""

    samples: Samples
    begins: tuple[float, ...]


def sharing(lengths_s: Sequence[float]) -> list[int]:
    """Which of the parts, so long, share a window, by place: the first, however long it is, and what fits.

    One that does not fit is passed over for shorter ones behind it: 200 took 22 windows in order, so 21.
    """
    taken: list[int] = []
    filled = 0.0
    for place, length in enumerate(lengths_s):
        if (taken and filled + length > LONGEST_WINDOW_S) or len(taken) == _MOST_TOGETHER:
            continue
        taken.append(place)
        filled += length + GAP_S
    return taken


def window_of(parts: Sequence[Samples]) -> HearingWindow:
    """The parts one after the other, with silence between them."""
    gap = np.zeros(round(GAP_S * HEARING_RATE), np.float32)
    pieces: list[Samples] = []
    begins, at = [], 0
    for part in parts:
        if pieces:
            pieces.append(gap)
            at += len(gap)
        begins.append(at / HEARING_RATE)
        pieces.append(part)
        at += len(part)
    return HearingWindow(np.concatenate(pieces), tuple(begins))
