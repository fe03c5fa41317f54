"""The audio of one beat: seen to be what it is said to be, and read in blocks at the rate of the whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import soundfile

from lib.errors import BadInput
from lib.files import NotPlain, open_plain
from synth.audio.levels import Samples
from synth.audio.sample_rates import at_rate
from synth.audio.trim import FADE_S, faded
from synth.join.playlist import Beat

#: What every format of ours can hold, and every measure of ours can measure.
RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
_BLOCK: Final = 1 << 16  # samples
_OF_PCM16: Final = np.float32(1 / 32767)
_MOST_RATE: Final = 384_000


class NotJoinable(BadInput):
    """A beat's file is missing, changed, or no audio that can be joined."""


@dataclass(frozen=True, slots=True)
class Source:
    """A beat whose file was looked at."""

    beat: Beat
    sample_rate: int

    def blocks(self, sample_rate: int) -> Iterator[Samples]:
        """Its samples (n,) at that rate, from silence to silence, so that nothing clicks where it joins.

        Raises:
            NotJoinable: it cannot be read to its end.
        """
        return _faded_ends(at_rate(self._decoded(), self.sample_rate, sample_rate), sample_rate)

    def _decoded(self) -> Iterator[Samples]:
        try:
            with soundfile.SoundFile(str(self.beat.file)) as file:
                if file.subtype == "PCM_16":
                    while len(whole := file.read(_BLOCK, dtype="int16")):
                        # Back to what `to_pcm16` made them of: written again, they are the same bits.
                        yield whole * _OF_PCM16
                    return
                while len(block := file.read(_BLOCK, dtype="float32")):
                    if not np.isfinite(block).all():
                        raise NotJoinable(f"{self.beat.file} holds values that are no numbers; {_ANEW}.")
                    yield block
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise _no_audio(self.beat, error) from None


_ANEW: Final = "speak it anew"


def opened(beat: Beat) -> Source:
    """The beat's source, after its bytes were compared with what the playlist says of them.

    Raises:
        NotJoinable: the file is missing, has other bytes, is no audio, or has more than one channel.
    """
    _check_bytes(beat)
    try:
        found = soundfile.info(str(beat.file))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise _no_audio(beat, error) from None
    if found.channels != 1:
        raise NotJoinable(
            f"{beat.file} has {found.channels} channels; beats are mono. Mix it down before it is joined."
        )
    if not 0 < found.samplerate <= _MOST_RATE:
        raise NotJoinable(f"{beat.file} has a sample rate of {found.samplerate} Hz; {_ANEW}.")
    return Source(beat, int(found.samplerate))


def rate_for(sources: list[Source]) -> int:
    """The rate of the whole: the lowest of ours that loses nothing of any beat, 48 kHz at most."""
    highest = max(source.sample_rate for source in sources)
    return next((rate for rate in RATES if rate >= highest), RATES[-1])


def _check_bytes(beat: Beat) -> None:
    try:
        descriptor = open_plain(beat.file, follow=True)
    except FileNotFoundError:
        raise NotJoinable(
            f"The audio of {beat.title} is missing: there is no {beat.file}; {_ANEW}."
        ) from None
    except NotPlain:
        raise NotJoinable(f"The audio of {beat.title}, {beat.file}, is no file.") from None
    except OSError as error:
        raise NotJoinable(
            f"The audio of {beat.title}, {beat.file}, cannot be read: {error.strerror}."
        ) from None
    try:
        size = os.fstat(descriptor).st_size
        same = beat.bytes in (None, size)
        if same and beat.sha256 is not None:
            with open(descriptor, "rb", closefd=False) as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == beat.sha256
    except OSError as error:
        raise NotJoinable(
            f"The audio of {beat.title}, {beat.file}, cannot be read: {error.strerror}."
        ) from None
    finally:
        os.close(descriptor)
    if not same:
        raise NotJoinable(
            f"The audio of {beat.title} was changed: {beat.file} does not hold what was spoken. Put the "
            f"file of then back, or {_ANEW}."
        )


def _no_audio(beat: Beat, error: Exception) -> NotJoinable:
    why = " ".join(str(getattr(error, "error_string", "") or error).split()).rstrip(".")
    return NotJoinable(f"The audio of {beat.title}, {beat.file}, cannot be read as audio ({why}); {_ANEW}.")


def _faded_ends(blocks: Iterator[Samples], sample_rate: int) -> Iterator[Samples]:
    """Blocks of which the first begins and the last ends in silence."""
    least = 2 * round(FADE_S * sample_rate)  # of what is faded at a time
    held = np.zeros(0, np.float32)
    begun = False
    for block in blocks:
        held = np.concatenate([held, block])
        if len(held) >= 2 * least:
            ready = held[: len(held) - least]
            yield ready if begun else faded(ready, sample_rate, end=False)
            begun, held = True, held[len(held) - least :]
    if len(held):
        yield faded(held, sample_rate, start=not begun)
