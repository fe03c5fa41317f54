"""Walks through a finished video once and measures what its acceptance asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from lib.errors import BadInput
from lib.files import NotPlain, open_plain
from synth.audio.level_stream import LevelStream
from synth.audio.levels import Levels
from synth.audio.loudness_meter import decibels, integrated_loudness
from synth.video.cue_files import VideoCue

HOPS_A_SECOND: Final = 100
_BLACK: Final = 24  # luma, of 16 to 235; the darkest ground of a card is above it
_BLACK_SHARE: Final = 0.995  # of the pixels: a card has letters
_PURE_BLACK: Final = 17  # luma; a night has other values too
_STEP: Final = 6  # every so many pixels are looked at
_FULL_SCALE: Final = 0.99
_FARTHEST_LAG_S: Final = 2.0
_CLEARLY: Final = 1.02  # so much better another place must fit than the right one
_BOX_HEAD: Final = 8  # bytes
#: Demuxers that read that one file and nothing it names: a playlist would have others opened.
_FORMATS: Final = "mov,mp4,m4a,matroska,webm,avi,mpegts"


class UnreadableVideo(BadInput):
    """What should be checked is missing, or no file of ours."""


@dataclass(frozen=True, slots=True)
class FilmStreams:
    """What the container says. Seconds are None where a stream is missing."""

    video_codec: str
    pixels: str
    width: int
    height: int
    fps: float
    frames: int
    video_seconds: float | None
    audio_codec: str
    sample_rate: int
    channels: int
    audio_seconds: float | None
    late_s: float  # how much later sound begins than the picture
    fast_start: bool
    cues: tuple[VideoCue, ...]


@dataclass(frozen=True, slots=True)
class SoundMeasures:
    """What was heard. `levels` is the RMS of each 10 ms, (hops,), 1.0 being full scale."""

    levels: NDArray[np.float32]
    lufs: float | None
    true_peak_db: float
    full_scale: int  # samples


def read_streams(path: Path) -> FilmStreams:
    """What its container says.

    Raises:
        UnreadableVideo: it is missing, or no file.
        av.error.FFmpegError: it cannot be read as a video.
    """
    with _opened(path) as container:
        video: Any = next(iter(container.streams.video), None)
        audio: Any = next(iter(container.streams.audio), None)
        cues = tuple(_soft_cues(container)) if container.streams.subtitles else ()
        return FilmStreams(
            video_codec="" if video is None else video.codec_context.name,
            pixels="" if video is None else video.codec_context.pix_fmt or "",
            width=0 if video is None else video.width,
            height=0 if video is None else video.height,
            fps=0.0 if video is None else float(video.average_rate or 0),
            frames=0 if video is None else video.frames,
            video_seconds=_seconds_of(video),
            audio_codec="" if audio is None else audio.codec_context.name,
            sample_rate=0 if audio is None else audio.sample_rate,
            channels=0 if audio is None else audio.channels,
            audio_seconds=_seconds_of(audio),
            late_s=_begin_of(audio) - _begin_of(video),
            fast_start=_is_fast_start(path),
            cues=cues,
        )


def black_stretches(path: Path) -> list[tuple[float, float]]:
    """From when to when the picture is black, in seconds. Raises av.error.FFmpegError."""
    found: list[tuple[float, float]] = []
    begun: float | None = None
    at = 0.0
    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        # Frames that no other depends on are passed over: a stretch that matters has others.
        stream.codec_context.skip_frame = "NONREF"
        for frame in container.decode(stream):
            at = float(frame.time or 0.0)
            if _is_black(frame):
                begun = at if begun is None else begun
            elif begun is not None:
                found.append((begun, at))
                begun = None
    if begun is not None:
        found.append((begun, at))
    return found


def measure_sound(path: Path) -> SoundMeasures:
    """What its first audio stream sounds like. Raises av.error.FFmpegError."""
    hops: list[NDArray[np.float32]] = []
    full = 0
    with _opened(path) as container:
        stream = container.streams.audio[0]
        rate = stream.sample_rate
        meters = [LevelStream(rate, coarse=True) for _ in range(min(stream.channels, 2))]
        for block in _channel_blocks(container, rate):
            for meter, channel in zip(meters, block, strict=False):
                meter.feed(np.ascontiguousarray(channel))
            full += int((np.abs(block).max(axis=0) >= _FULL_SCALE).sum())
            hops.append(_hop_levels(block, rate))
    found = [meter.levels() for meter in meters]
    energy, peaks = found[0].energy, found[0].peaks
    for other in found[1:]:
        energy, peaks = energy + other.energy, np.maximum(peaks, other.peaks)
    whole = Levels(energy, peaks, found[0].samples, rate)
    return SoundMeasures(
        levels=np.concatenate(hops) if hops else np.zeros(0, np.float32),
        lufs=integrated_loudness(whole),
        true_peak_db=decibels(float(peaks.max(initial=0.0))),
        full_scale=full,
    )


def sound_lag(narration: NDArray[np.float32], sound: NDArray[np.float32]) -> float:
    """How much later than in the narration a film's sound is heard, in seconds, 2 at most.

    Both are levels as of SoundMeasures. The place is where they go up and down together.
    """
    length = min(len(narration), len(sound))
    most = min(round(_FARTHEST_LAG_S * HOPS_A_SECOND), length // 2)
    if not most:
        return 0.0
    said, heard = (each[:length] - each[:length].mean() for each in (narration, sound))
    fits = np.correlate(np.pad(heard, most), said, "valid")
    best = int(fits.argmax())
    return (best - most) / HOPS_A_SECOND if fits[best] > _CLEARLY * max(fits[most], 0.0) else 0.0


def _channel_blocks(container: Any, rate: int) -> Iterator[NDArray[np.float32]]:
    """Blocks (channels, n) of whole hops, but for the last."""
    resampler = av.AudioResampler(format="fltp", layout=None, rate=rate)
    hop = rate // HOPS_A_SECOND
    held: NDArray[np.float32] | None = None
    for frame in container.decode(audio=0):
        for each in resampler.resample(frame):
            block = each.to_ndarray().astype(np.float32, copy=False)
            held = block if held is None else np.concatenate([held, block], axis=1)
        if held is not None and held.shape[1] >= rate:
            whole = held.shape[1] // hop * hop
            yield held[:, :whole]
            held = held[:, whole:]
    if held is not None and held.shape[1]:
        yield held


def _hop_levels(block: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    hop = rate // HOPS_A_SECOND
    padded = np.pad(block, ((0, 0), (0, -block.shape[1] % hop)))
    power = np.square(padded).reshape(len(block), -1, hop).mean(axis=2).max(axis=0)
    levels: NDArray[np.float32] = np.sqrt(power)
    return levels


def _is_black(frame: Any) -> bool:
    """Whether nothing is seen, or nothing but a caption at the bottom or the top of what is lost."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    looked_at = rows[::_STEP, : plane.width : _STEP]
    if (looked_at <= _BLACK).mean() >= _BLACK_SHARE:
        return True
    third = len(looked_at) // 3
    parts = (looked_at[: len(looked_at) - third], looked_at[third:])
    return any((part <= _PURE_BLACK).mean() >= _BLACK_SHARE for part in parts)


def _soft_cues(container: Any) -> Iterator[VideoCue]:
    base = 1.0
    for packet in container.demux(container.streams.subtitles[0]):
        base = float(packet.time_base)
        data = bytes(packet)
        length = int.from_bytes(data[:2], "big")
        text = data[2 : 2 + length].decode("utf-8", "replace")
        if text.strip() and packet.pts is not None:
            yield VideoCue(packet.pts * base, (packet.pts + packet.duration) * base, text)


def _seconds_of(stream: Any) -> float | None:
    if stream is None or not stream.duration:
        return None
    return float(stream.duration * stream.time_base)


def _begin_of(stream: Any) -> float:
    """When a stream begins, in seconds."""
    return 0.0 if stream is None or stream.start_time is None else float(stream.start_time * stream.time_base)


def _is_fast_start(path: Path) -> bool:
    """Whether what players need stands before the frames."""
    with path.open("rb") as file:
        while len(head := file.read(_BOX_HEAD)) == _BOX_HEAD:
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind in (b"moov", b"mdat"):
                return kind == b"moov"
            if size < _BOX_HEAD:
                return False
            file.seek(size - _BOX_HEAD, 1)
    return False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The container. Raises UnreadableVideo and av.error.FFmpegError."""
    try:
        descriptor = open_plain(path, follow=True)
    except FileNotFoundError:
        raise UnreadableVideo(f"The video {path} is missing: there is no such file.") from None
    except NotPlain:
        raise UnreadableVideo(f"The video {path} is no file.") from None
    except OSError as error:
        raise UnreadableVideo(f"The video {path} cannot be read: {error.strerror}.") from None
    with (
        open(descriptor, "rb") as file,
        av.open(file, options={"format_whitelist": _FORMATS}) as container,
    ):
        yield container
