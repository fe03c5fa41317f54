"""Writers of one long file: samples in, block by block; the formats of libsndfile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import soundfile

from lib.errors import BadInput
from synth.audio.encode import BLOCK, CODECS, EncodingFailed, to_pcm16
from synth.audio.levels import Samples
from synth.audio.tags import Tags, id3_header
from synth.audio.wav import add_chunk
from synth.join.chapters import Chapter, id3_chapters, riff_chapters, vorbis_chapters
from synth.join.cover import Cover
from synth.join.encoder_files import EncoderFile, FlacFile, OpusFile

_LONGEST_WAV: Final = (
    2**32 - 2**26
)  # bytes of sound: a WAV counts in 32 bits, and its header stands there too


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file says besides its sound. `samples` is how many there will be."""

    sample_rate: int
    samples: int
    tags: Tags
    chapters: Sequence[Chapter]
    cover: Cover | None = None

    def comments(self) -> list[str]:
        """Tags and chapters as FLAC and Opus have them."""
        tags = [f"{name.upper()}={value}" for name, value in self.tags.filled().items()]
        return tags + vorbis_chapters(self.chapters, self.sample_rate)

    def id3(self, *, chapters: bool) -> bytes:
        """Tags and picture, and the chapters where they are wanted, as an ID3v2.3 tag."""
        frames = id3_chapters(self.chapters, self.sample_rate) if chapters else b""
        return id3_header(self.tags, frames if self.cover is None else frames + self.cover.id3_frame())


class Writer(Protocol):
    """Takes the samples in their order. Raises OSError where the disk refuses."""

    def write(self, block: Samples) -> None:
        """The next samples (n,), from -1 to 1."""
        ...


@contextlib.contextmanager
def written(path: Path, file_format: str, contents: Contents) -> Iterator[Writer]:
    """A writer of the file at `path`, which is whole when the block has ended.

    Raises:
        EncodingFailed: the encoder failed.
        BadInput: the format cannot hold so much.
        OSError: the disk refuses.
    """
    if file_format == "wav" and contents.samples * 2 > _LONGEST_WAV:
        hours = _LONGEST_WAV / 2 / contents.sample_rate / 3600
        raise BadInput(f"A WAV holds {hours:.1f} hours at this rate, and this is longer; take flac instead.")
    container, codec = CODECS[file_format]
    try:
        with _file_for(path, file_format, contents) as raw:
            with soundfile.SoundFile(raw, "w", contents.sample_rate, 1, codec, format=container) as file:
                if file_format == "wav":
                    for name, value in contents.tags.filled().items():
                        setattr(file, name, value)
                yield _SoundWriter(file, raw, pcm=codec == "PCM_16")
            raw.finish()
    except soundfile.LibsndfileError as error:
        raise EncodingFailed(f"The {file_format} encoder failed: {error}.") from None
    if file_format == "wav":
        # Its chapters are cue points: players that read both would show each one twice.
        add_chunk(path, contents.id3(chapters=False))
        for kind, chunk in riff_chapters(contents.chapters):
            add_chunk(path, chunk, name=kind)


def _file_for(path: Path, file_format: str, contents: Contents) -> EncoderFile:
    match file_format:
        case "flac":
            return FlacFile(path, contents.comments(), contents.cover)
        case "opus":
            return OpusFile(path, contents.comments(), contents.cover)
        case "mp3":
            return EncoderFile(path, contents.id3(chapters=True))
        case _:
            return EncoderFile(path)


class _SoundWriter:
    """Samples to libsndfile, in blocks that its encoders survive."""

    def __init__(self, file: Any, raw: EncoderFile, *, pcm: bool) -> None:
        self._file, self._raw, self._pcm = file, raw, pcm

    def write(self, block: Samples) -> None:
        """Encode; a full disk ends it here rather than hours later."""
        for first in range(0, len(block), BLOCK):
            part = block[first : first + BLOCK]
            self._file.write(to_pcm16(part) if self._pcm else part)
        if self._raw.refusal is not None:
            raise self._raw.refusal
