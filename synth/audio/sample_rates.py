"""Audio at another sample rate, block by block: what an engine makes at 24 kHz, a film wants at 48."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import soxr

from synth.audio.levels import Samples


def at_rate(blocks: Iterator[Samples], given: int, wanted: int) -> Iterator[Samples]:
    """The same sound, mono, at `wanted` Hz instead of `given`; as it is where the two are one.

    By soxr at its high quality: 20 bits, nothing is folded over. A sound of n samples becomes one of
    n * wanted / given, to the sample.
    """
    if given == wanted:
        yield from blocks
        return
    stream = soxr.ResampleStream(given, wanted, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
