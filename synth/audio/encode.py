"""Write finished audio: whole or not at all, in blocks, checked after."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from lib.errors import BadConfiguration, JobFailed
from lib.files import draft_beside, sync_file
from synth.audio.ogg import fix_serial
from synth.audio.sample_files import blocks_of
from synth.audio.spectrum import Samples
from synth.audio.tags import Tags, id3_header
from synth.audio.wav import add_chunk

#: Suffix to container and codec, as libsndfile names them.
CODECS: Final = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "opus": ("OGG", "OPUS"),
}
FORMATS: Final = tuple(CODECS)
BLOCK: Final = 16_384  # samples; some encoders take the stack space of a whole write, and die of a long one
_TOLERANCE_S: Final = 0.060  # lossy codecs pad
_UNTAGGED: Final = Tags()


@dataclass(frozen=True, slots=True)
class Written:
    """A file on the disk."""

    path: Path
    bytes: int
    sha256: str


class EncodingFailed(JobFailed):
    """The encoder failed, or wrote something that does not read back as it should."""


def write_audio(
    path: Path,
    samples: Samples,
    sample_rate: int,
    file_format: str,
    tags: Tags = _UNTAGGED,
    *,
    sync: bool = True,
) -> Written:
    """Encode mono `samples` to `path` (its folder exists) through a temporary name, synced and renamed.

    Without `sync` it is the caller who has it on the disk before anybody relies on it.

    Raises:
        BadConfiguration: the folder cannot be written, or the disk is full.
        EncodingFailed: the encoder failed, or the file does not read back with the right length.
    """

    def make(draft: Path) -> None:
        _encode(draft, path.name, samples, sample_rate, file_format, tags)
        if file_format == "opus":
            fix_serial(draft)
        elif file_format == "wav":
            add_chunk(draft, id3_header(tags))
        _check(draft, path.name, len(samples), sample_rate)

    return _written(path, make, sync=sync)


def write_beside(path: Path, data: bytes, *, sync: bool = True) -> Written:
    """Write what lies beside the audio, in the same way: through a temporary name, synced and renamed.

    Raises:
        BadConfiguration: the folder cannot be written, or the disk is full.
    """
    return _written(path, lambda draft: draft.write_bytes(data), sync=sync)


def _written(path: Path, make: Callable[[Path], object], *, sync: bool) -> Written:
    try:
        with draft_beside(path) as draft:
            make(draft)
            if sync:
                sync_file(draft)
            digest, size = _digest(draft), draft.stat().st_size
            draft.replace(path)
    except OSError as error:
        raise BadConfiguration(f"The file {path} cannot be written: {error.strerror or error}.") from None
    return Written(path, size, digest)


def _encode(path: Path, name: str, samples: Samples, sample_rate: int, file_format: str, tags: Tags) -> None:
    container, codec = CODECS[file_format]
    try:
        with (
            _Disk(path, id3_header(tags) if file_format == "mp3" else b"") as raw,
            soundfile.SoundFile(raw, "w", sample_rate, 1, codec, format=container) as file,
        ):
            for tag, value in tags.filled().items() if file_format != "mp3" else ():
                setattr(file, tag, value)
            for block in blocks_of(samples, BLOCK):
                file.write(to_pcm16(block) if codec == "PCM_16" else block)
    except soundfile.LibsndfileError as error:
        raise EncodingFailed(f"The {file_format} encoder failed on {name}: {error}.") from None


class _Disk:
    """The file behind an encoder. The disk's refusal waits until the encoder has let go of it.

    Raised in the middle, it would be lost on the way through C, and the encoder fail with something else.
    `before`: what stands in the file before all that the encoder knows of.
    """

    def __init__(self, path: Path, before: bytes) -> None:
        self._raw = path.open("wb", buffering=0)
        self._refusal: OSError | None = None
        self._begin = 0
        self.write(before)
        self._begin = len(before)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there; returns where that is."""
        return self._raw.seek(offset + (self._begin if whence == os.SEEK_SET else 0), whence) - self._begin

    def tell(self) -> int:
        """Where it is."""
        return self._raw.tell() - self._begin

    def write(self, data: bytes) -> int:
        """Write all of it; after a refusal, none."""
        rest = memoryview(data)
        try:
            while rest and self._refusal is None:
                rest = rest[self._raw.write(rest) :]
        except OSError as error:
            self._refusal = error
        return len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.close()
        if self._refusal is not None:
            raise self._refusal


def to_pcm16(block: Samples) -> NDArray[np.int16]:
    """Samples from -1 to 1 in 16 bits; what is beyond is clipped."""
    whole: NDArray[np.int16] = np.clip(np.rint(block * 32767.0), -32768, 32767).astype(np.int16)
    return whole


def _check(path: Path, name: str, samples: int, sample_rate: int) -> None:
    try:
        found = soundfile.info(str(path))
    except soundfile.LibsndfileError as error:
        raise EncodingFailed(f"The audio written to {name} does not read back: {error}.") from None
    expected = samples / sample_rate
    actual = found.frames / found.samplerate
    if abs(actual - expected) > _TOLERANCE_S:
        raise EncodingFailed(f"The audio written to {name} lasts {actual:.3f} s, not {expected:.3f} s.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
