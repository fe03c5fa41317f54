"""The sound of a video: narration over a bed of music that sinks under speech, at its loudness, as AAC."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from lib.files import draft_beside, replace_durably, sync_file
from synth.audio.encode import EncodingFailed
from synth.audio.level_stream import LevelStream
from synth.audio.levels import Levels, Samples
from synth.audio.loudness_meter import amplitude, decibels, integrated_loudness
from synth.audio.loudness_normalizer import with_gains
from synth.audio.sample_files import FileSink, blocks_of
from synth.join.loudness import levelled, plan_with_peaks
from synth.video.sound_files import RATE, UnusableSound, decoded, digest_of
from synth.video.timeline import Music

_BITS_PER_SECOND: Final = 160_000
_FRAME: Final = 1024  # samples that AAC encodes together
_BLOCK: Final = RATE  # samples of a channel that are mixed together: whole hops
_ENCODED: Final = 48 * _FRAME
_HOP: Final = RATE // 100  # of the ducking
_SPEECH_UNDER_LU: Final = 18.0  # what is this much under the narration's loudness is no speech
_BEFORE, _AFTER, _SMOOTH = 20, 50, 31  # hops: down before a word, up after it, and how softly
_SHORTEST_MUSIC_S: Final = 0.5
_DUAL_MONO_DB: Final = 3.01  # two channels of one voice, against the one

OnBlock = Callable[[], None]


@dataclass(frozen=True, slots=True)
class DecodedNarration:
    """A decoded narration: a file of float32, left and right in turn at 48 kHz, which its caller removes."""

    file: Path
    samples: int  # of a channel

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / RATE

    def blocks(self) -> Iterator[Samples]:
        """Left and right in turn, (2n,) at a time."""
        yield from blocks_of(np.memmap(self.file, np.float32, "r"), 2 * _BLOCK)


@dataclass(frozen=True, slots=True)
class TrackLevels:
    """What was measured before the encoder; `lufs` is None for silence."""

    lufs: float | None
    true_peak_db: float
    gain_db: float


def read_narration(path: Path, place: Path, on_block: OnBlock) -> DecodedNarration:
    """Decode it into the file `place`.

    Raises:
        UnusableSound: it is missing, no audio, damaged, or empty.
        OSError: the disk refuses.
    """
    sink = FileSink(place)
    count = 0
    try:
        for block in decoded(path, "narration"):
            on_block()
            sink.add(block)
            count += len(block) // 2
    finally:
        sink.close()
    return DecodedNarration(place, count)


def write_soundtrack(
    narration: DecodedNarration, music: Music | None, lufs: float, target: Path, on_block: OnBlock
) -> TrackLevels:
    """Mix, level and encode to the file `target`, an mp4 with that one stream; whole, or not there.

    Raises:
        UnusableSound: the music cannot be decoded, or is no half second long.
        EncodingFailed: the encoder failed.
        OSError: the disk refuses.
    """
    bed = None if music is None else _Bed(narration, music, on_block)

    def mixed() -> Iterator[Samples]:
        for block in narration.blocks() if bed is None else bed.mixed():
            on_block()
            yield block

    plan = plan_with_peaks(_levels(mixed(), peaks=True), lufs)
    meter = _StereoMeter(peaks=True, coarse=True)
    try:
        with draft_beside(target) as draft:
            options = {"fflags": "+bitexact"}
            with av.open(str(draft), "w", format="mp4", options=options) as container:
                encoder = _AacEncoder(container)
                for block in levelled(mixed(), plan, 2 * (RATE // 1000)):
                    meter.feed(block)
                    encoder.write(block)
                encoder.finish()
            sync_file(draft)
            replace_durably(draft, target)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise EncodingFailed(f"The audio encoder failed: {error}.") from None
    found = meter.levels()
    return TrackLevels(
        integrated_loudness(found), decibels(float(found.peaks.max(initial=0.0))), plan.gain_db
    )


class _StereoMeter:
    """Levels of two channels as one: their energies together, the higher of their peaks.

    As long as both are the same, as those of a voice are, only one of them is measured.
    """

    def __init__(self, *, peaks: bool, coarse: bool = False) -> None:
        self._left = LevelStream(RATE, peaks=peaks, coarse=coarse)
        self._right: LevelStream | None = None

    def feed(self, block: Samples) -> None:
        """The next samples, left and right in turn."""
        left, right = np.ascontiguousarray(block[::2]), np.ascontiguousarray(block[1::2])
        if self._right is None and not np.array_equal(left, right):
            self._right = copy.deepcopy(self._left)
        self._left.feed(left)
        if self._right is not None:
            self._right.feed(right)

    def levels(self) -> Levels:
        """Of all that was fed."""
        left = self._left.levels()
        right = left if self._right is None else self._right.levels()
        return Levels(
            energy=left.energy + right.energy,
            peaks=np.maximum(left.peaks, right.peaks),
            samples=left.samples,
            sample_rate=RATE,
        )


def _levels(blocks: Iterator[Samples], *, peaks: bool) -> Levels:
    meter = _StereoMeter(peaks=peaks)
    for block in blocks:
        meter.feed(block)
    return meter.levels()


class _Bed:
    """Music under a narration, from its begin to its end, again and again where it is shorter."""

    def __init__(self, narration: DecodedNarration, music: Music, on_block: OnBlock) -> None:
        self._narration, self._music = narration, music
        spoken = integrated_loudness(_levels(_asking(narration.blocks(), on_block), peaks=False))
        levels = _levels(_asking(decoded(music.file, "music"), on_block), peaks=False)
        if levels.samples < RATE * _SHORTEST_MUSIC_S:  # it would be opened thousands of times a minute
            raise UnusableSound(
                f"The music {music.file} is shorter than {_SHORTEST_MUSIC_S:g} s; name a song."
            )
        played = integrated_loudness(levels)
        self._gain = 0.0 if played is None else amplitude((spoken or -20.0) - music.level - played)
        self._curve = self._gain * self._ducking(spoken) * self._ends()

    def mixed(self) -> Iterator[Samples]:
        """The two together, left and right in turn."""
        music = self._played()
        held = np.zeros(0, np.float32)
        at = 0
        for block in self._narration.blocks():
            while len(held) < len(block):
                held = np.concatenate([held, next(music)])
            hops = -(-len(block) // (2 * _HOP))
            gains = self._curve[at : at + hops + 1]
            yield block + with_gains(held[: len(block)].copy(), gains, 2 * _HOP)
            held = held[len(block) :]
            at += hops

    def _played(self) -> Iterator[Samples]:
        while True:
            yield from decoded(self._music.file, "music")

    def _ducking(self, spoken: float | None) -> NDArray[np.float64]:
        """A factor for each hop of the narration, and one more."""
        hops = -(-self._narration.samples // _HOP) + 1
        speaks = np.zeros(hops, bool)
        threshold = amplitude((spoken or -20.0) - _DUAL_MONO_DB - _SPEECH_UNDER_LU)
        at = 0
        for block in self._narration.blocks():
            padded = np.pad(block, (0, -len(block) % (2 * _HOP)))
            level = np.sqrt(np.square(padded.reshape(-1, 2 * _HOP)).mean(axis=1))
            speaks[at : at + len(level)] = level > threshold
            at += len(level)
        width = _BEFORE + _AFTER + 1
        near = np.convolve(speaks, np.ones(width), "full")[_BEFORE : _BEFORE + hops] > 0
        window = np.hanning(_SMOOTH + 2)[1:-1]
        ducked = np.convolve(np.pad(near, _SMOOTH // 2, mode="edge"), window / window.sum(), "valid")
        factors: NDArray[np.float64] = 10.0 ** (-self._music.duck * ducked / 20)
        return factors

    def _ends(self) -> NDArray[np.float64]:
        """It comes in at the begin and goes out at the end."""
        hops = -(-self._narration.samples // _HOP) + 1
        fade = max(min(round(self._music.fade * 100), hops // 2), 1)
        curve = np.ones(hops)
        curve[:fade] *= np.linspace(0.0, 1.0, fade)
        curve[-fade:] *= np.linspace(1.0, 0.0, fade)
        return curve


def _asking(blocks: Iterator[Samples], on_block: OnBlock) -> Iterator[Samples]:
    for block in blocks:
        on_block()
        yield block


class _AacEncoder:
    """Left and right in turn to AAC, in whole frames but for the last."""

    def __init__(self, container: Any) -> None:
        self._container = container
        self._stream: Any = container.add_stream("aac", rate=RATE, layout="stereo")
        self._stream.bit_rate = _BITS_PER_SECOND
        self._held = np.zeros(0, np.float32)
        self._at = 0

    def write(self, block: Samples) -> None:
        """Encode what makes whole frames."""
        held = np.concatenate([self._held, block])
        whole = len(held) // (2 * _FRAME) * 2 * _FRAME
        for first in range(0, whole, 2 * _ENCODED):
            self._encode(held[first : min(first + 2 * _ENCODED, whole)])
        self._held = held[whole:]

    def finish(self) -> None:
        """Encode the rest."""
        if len(self._held):
            self._encode(self._held)
        for packet in self._stream.encode(None):
            self._container.mux(packet)

    def _encode(self, block: Samples) -> None:
        both = np.ascontiguousarray(block.reshape(-1, 2).T)
        frame: Any = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._at, Fraction(1, RATE)
        self._at += both.shape[1]
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


def track_facts(narration: Path, music: Music | None, lufs: float) -> str:
    """What tells a soundtrack from every other, 32 hexadecimal digits. Raises UnusableSound."""
    facts: list[Any] = [1, digest_of(narration, "narration"), lufs, _BITS_PER_SECOND, av.__version__]
    if music is not None:
        facts += [digest_of(music.file, "music"), music.level, music.duck, music.fade]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
