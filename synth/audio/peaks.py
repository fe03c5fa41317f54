"""The waveform of a file for players, so that no page has to decode the audio to draw it.

The JSON of audiowaveform, version 2, which peaks.js, waveform-data and wavesurfer read.
Source: https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lib.errors import BadInput
from lib.files import NotPlain, open_plain
from synth.audio.levels import Samples
from synth.audio.sample_files import blocks_of

if TYPE_CHECKING:
    import soundfile

PER_SECOND: Final = 50  # pairs of lowest and highest level: a pixel each when a minute fills a wide page
#: Of a file of any length: four screens of them side by side, in 100 KB.
MOST_PAIRS: Final = 15_000

_STEPS: Final = 2_000  # of a block
_MOST_CHANNELS: Final = 8


def peaks_json(samples: Samples, sample_rate: int) -> bytes:
    """The lowest and highest level of each fiftieth of a second, in 8 bits, rounded away from silence.

    `samples` is mono (n,), from -1 to 1, and not empty.
    """
    step = sample_rate // PER_SECOND
    pairs = np.concatenate([_pairs(block, step) for block in blocks_of(samples, step * _STEPS)])
    return _document(pairs, sample_rate, step)


def peaks_of_file(path: Path) -> bytes:
    """As `peaks_json`, of a file that libsndfile reads; of a long one in longer steps, MOST_PAIRS at most.

    Of several channels the lowest and the highest level of any counts. Reads in blocks: the memory does not
    grow with the file.

    Raises:
        BadInput: it cannot be read, is no audio, or has none in it.
    """
    import soundfile

    try:
        with soundfile.SoundFile(open_plain(path, follow=True), closefd=True) as file:
            rate, frames = file.samplerate, file.frames
            if file.channels > _MOST_CHANNELS or frames < 1:
                raise BadInput(f"{path} has no samples, or more than {_MOST_CHANNELS} channels of them.")
            step = max(rate // PER_SECOND, -(-frames // MOST_PAIRS), 1)
            found: Sequence[NDArray[np.int8]] = [*_pairs_of(file, step)]
    except (NotPlain, OSError) as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from None
    except (soundfile.LibsndfileError, RuntimeError):
        raise BadInput(f"{path} is no audio that can be read: WAV, FLAC, MP3, Ogg and Opus can.") from None
    return _document(np.concatenate(found), rate, step)


def _pairs_of(file: soundfile.SoundFile, step: int) -> Iterator[NDArray[np.int8]]:
    per_block = max(1, (1 << 18) // step)
    while len(block := file.read(step * per_block, dtype="float32", always_2d=True)):
        clean = np.nan_to_num(block)
        starts = np.arange(0, len(clean), step)
        lows = np.minimum.reduceat(clean.min(axis=1), starts)
        highs = np.maximum.reduceat(clean.max(axis=1), starts)
        yield _in_bits(lows, highs)


def _document(pairs: NDArray[np.int8], sample_rate: int, step: int) -> bytes:
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
    return _in_bits(np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts))


def _in_bits(lows: Samples, highs: Samples) -> NDArray[np.int8]:
    """Pairs (n, 2), rounded away from silence."""
    both = np.stack([np.floor(lows * 128.0), np.ceil(highs * 127.0)], axis=1)
    pairs: NDArray[np.int8] = both.clip(-128, 127).astype(np.int8)
    return pairs
