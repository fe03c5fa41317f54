"""M4A and M4B: AAC in an MP4, written by PyAV, which an extra brings."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lib.errors import MissingExtra
from synth.audio.encode import EncodingFailed
from synth.audio.levels import Samples
from synth.join.writers import Contents, Writer

if TYPE_CHECKING:
    import av

BRANDS: Final = {"m4a": "M4A ", "m4b": "M4B "}
_BITS_PER_SECOND: Final = 64_000  # mono speech; what podcasts of one voice are sent in
_FRAME: Final = 1024  # samples that AAC encodes together
_BLOCK: Final = 16 * _FRAME
_AUDIOBOOK: Final = "2"  # the value of iTunes' `stik` that puts a file among the books


def need_pyav() -> None:
    """See that the packages are there. Raises MissingExtra."""
    if importlib.util.find_spec("av") is None:
        raise MissingExtra("Writing m4a or m4b", "join")


@contextlib.contextmanager
def written_mp4(path: Path, file_format: str, contents: Contents) -> Iterator[Writer]:
    """A writer of the file at `path`, whole when the block has ended; what players need first stands first.

    Raises:
        EncodingFailed: the encoder failed.
        OSError: the disk refuses.
    """
    import av

    try:
        options = {"brand": BRANDS[file_format], "movflags": "faststart"}
        with av.open(str(path), "w", format="mp4", options=options) as container:
            container.metadata.update(_metadata(file_format, contents))
            container.set_chapters(_chapters(contents))
            writer = _AacWriter(container, contents)
            yield writer
            writer.finish()
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise EncodingFailed(f"The {file_format} encoder failed: {error}.") from None


def mp4_seconds(path: Path) -> float:
    """How long the audio in the file says it is. Raises EncodingFailed where it does not read back."""
    import av

    try:
        with av.open(str(path)) as found:
            stream = found.streams.audio[0]
            return float((stream.duration or 0) * (stream.time_base or 0))
    except (av.error.FFmpegError, IndexError) as error:
        raise EncodingFailed(f"The audio written does not read back: {error}.") from None


class _AacWriter:
    """Samples to the AAC encoder."""

    def __init__(self, container: av.container.OutputContainer, contents: Contents) -> None:
        import av

        self._av, self._container, self._rate = av, container, contents.sample_rate
        self._stream: Any = container.add_stream("aac", rate=contents.sample_rate, layout="mono")
        self._stream.bit_rate = _BITS_PER_SECOND
        self._at = 0
        self._waiting: list[Samples] = []
        self._held = 0
        if contents.cover is not None:
            self._put_cover(contents)

    def write(self, block: Samples) -> None:
        """Encode what makes whole blocks."""
        self._waiting.append(block)
        self._held += len(block)
        if self._held >= _BLOCK:
            signal = np.concatenate(self._waiting)
            whole = len(signal) // _BLOCK * _BLOCK
            for first in range(0, whole, _BLOCK):
                self._encode(signal[first : first + _BLOCK])
            self._waiting, self._held = [signal[whole:].copy()], len(signal) - whole

    def finish(self) -> None:
        """Encode the rest."""
        if self._held:
            self._encode(np.concatenate(self._waiting))
        for packet in self._stream.encode(None):
            self._container.mux(packet)

    def _encode(self, block: Samples) -> None:
        frame = self._av.AudioFrame.from_ndarray(block[None, :], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._at, Fraction(1, self._rate)
        self._at += len(block)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def _put_cover(self, contents: Contents) -> None:
        cover = contents.cover
        assert cover is not None
        codec = "png" if cover.mime == "image/png" else "mjpeg"
        picture: Any = self._container.add_mux_stream(codec, width=cover.width, height=cover.height)
        picture.disposition = self._av.stream.Disposition.attached_pic
        packet = self._av.Packet(cover.data)
        packet.stream, packet.pts, packet.dts, packet.time_base = picture, 0, 0, Fraction(1, self._rate)
        self._container.start_encoding()
        self._container.mux(packet)


def _metadata(file_format: str, contents: Contents) -> dict[str, str]:
    kind = {"media_type": _AUDIOBOOK, "genre": "Audiobook"} if file_format == "m4b" else {}
    return {**contents.tags.filled(), **kind}


def _chapters(contents: Contents) -> list[Any]:
    base = Fraction(1, contents.sample_rate)
    return [
        {
            "id": number,
            "start": chapter.start,
            "end": chapter.end,
            "time_base": base,
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(contents.chapters)
    ]
