"""The waveform of a file for players, so that no page has to decode the audio to draw it.

The JSON of audiowaveform, version 2, which peaks.js, waveform-data and wavesurfer read.
Source: https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
"""

from __future__ import annotations

import json
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.sample_files import blocks_of
from synth.audio.spectrum import Samples

PER_SECOND: Final = 50  # pairs of lowest and highest level: a pixel each when a minute fills a wide page


_STEPS: Final = 2_000  # of a block


def peaks_json(samples: Samples, sample_rate: int) -> bytes:
    """The lowest and highest level of each fiftieth of a second, in 8 bits, rounded away from silence.

    `samples` is mono (n,), from -1 to 1, and not empty.
    """
    step = sample_rate // PER_SECOND
    pairs = np.concatenate([_pairs(block, step) for block in blocks_of(samples, step * _STEPS)])
    document = {
        "version": 2,
        "channels": 1,
        "sample_rate": sample_rate,
        "samples_per_pixel": step,
        "bits": 8,
        "length": len(pairs),
        "data": pairs.reshape(-1).tolist(),
    }
    return (json.dumps(document, separators=(",", ":")) + "\n").encode()


def _pairs(samples: Samples, step: int) -> NDArray[np.int8]:
    starts = np.arange(0, len(samples), step)
    lows = np.floor(np.minimum.reduceat(samples, starts) * 128.0)
    highs = np.ceil(np.maximum.reduceat(samples, starts) * 127.0)
    pairs: NDArray[np.int8] = np.stack([lows, highs], axis=1).clip(-128, 127).astype(np.int8)
    return pairs
