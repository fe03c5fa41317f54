"""Sound of any format, decoded in blocks: left and right in turn at 48 kHz."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from lib.errors import BadInput
from lib.files import NotPlain, open_plain
from synth.audio.levels import Samples

RATE: Final = 48_000
_LONGEST_S: Final = 6 * 3600
#: Demuxers that read that one file and nothing it names: a playlist would have others opened.
_FORMATS: Final = "wav,mp3,flac,ogg,mov,mp4,m4a,matroska,webm,aac,aiff,w64,caf"


class UnusableSound(BadInput):
    """A narration or music is missing, no audio, damaged, or has nothing in it."""


def decoded(path: Path, what: str) -> Iterator[Samples]:
    """Its samples in blocks, (2n,) float32; `what` it is called in sentences.

    Raises:
        UnusableSound: the sentence says what is wrong.
    """
    count = 0
    for block in _blocks(path, what):
        if not np.isfinite(block).all():
            raise UnusableSound(f"The {what} {path} holds values that are no numbers; make it anew.")
        count += len(block) // 2
        if count > _LONGEST_S * RATE:
            raise UnusableSound(f"The {what} {path} is longer than {_LONGEST_S // 3600} hours; cut it.")
        yield block
    if not count:
        raise UnusableSound(f"The {what} {path} has no sound in it.")


def _blocks(path: Path, what: str) -> Iterator[Samples]:
    with open(_descriptor(path, what), "rb") as file:
        try:
            with av.open(file, options={"format_whitelist": _FORMATS}) as container:
                if not container.streams.audio:
                    raise UnusableSound(f"The {what} {path} has no audio in it.")
                yield from _resampled(container)
        except av.error.FFmpegError as error:
            why = " ".join(str(error.strerror or error).split()).rstrip(".")
            raise UnusableSound(f"The {what} {path} cannot be read as audio ({why}); make it anew.") from None


def _resampled(container: Any) -> Iterator[Samples]:
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=RATE)
    for frame in container.decode(audio=0):
        for each in resampler.resample(frame):
            yield _samples(each)
    for each in resampler.resample(None):
        yield _samples(each)


def _samples(frame: Any) -> Samples:
    samples: Samples = frame.to_ndarray().reshape(-1)[: 2 * frame.samples]
    return samples


def _descriptor(path: Path, what: str) -> int:
    try:
        return open_plain(path, follow=True)
    except FileNotFoundError:
        raise UnusableSound(f"The {what} {path} is missing: there is no such file.") from None
    except NotPlain:
        raise UnusableSound(f"The {what} {path} is no file.") from None
    except OSError as error:
        raise UnusableSound(f"The {what} {path} cannot be read: {error.strerror}.") from None


def digest_of(path: Path, what: str) -> str:
    """The sha256 of its bytes. Raises UnusableSound."""
    with open(_descriptor(path, what), "rb") as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UnusableSound(f"The {what} {path} cannot be read: {error.strerror}.") from None


def seconds_of(path: Path, what: str) -> float:
    """How long it is, decoded. Raises as `decoded`."""
    return sum(len(block) for block in decoded(path, what)) / 2 / RATE
