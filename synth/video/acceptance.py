"""Whether a finished video may go out: each check with what was measured, what is asked, and a sentence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from lib.errors import BadConfiguration
from lib.files import write_whole
from lib.jobspec import printable
from synth.audio.loudness_meter import amplitude
from synth.video.acceptance_walk import (
    HOPS_A_SECOND,
    FilmStreams,
    SoundMeasures,
    black_stretches,
    measure_sound,
    read_streams,
    sound_lag,
)
from synth.video.cue_files import VideoCue, read_cues
from synth.video.sound_files import RATE, decoded

FORMAT: Final = 1
_LONGEST_BLACK_S: Final = 0.5
_LONGEST_SILENCE_S: Final = 1.8
_SILENT_DB: Final = -60.0
_HIGHEST_PEAK_DB: Final = -0.3
_OFF_LU: Final = 1.0
_SPEECH_UNDER_LU: Final = 18.0
_NEAR_S: Final = 0.35  # captions come a little before speech and go a little after
_LEAST_COVERED: Final = 0.90
_LONGEST_UNCOVERED_S: Final = 1.5
_FLAT_TOP: Final = 4  # samples at full scale in a row: no voice does that
_MOST_FLAT: Final = 3


@dataclass(frozen=True, slots=True)
class VideoCheck:
    """One thing that was looked at. `measured` holds plain numbers."""

    name: str
    passed: bool
    sentence: str
    measured: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AcceptanceResults:
    """All checks of one video."""

    file: Path
    sha256: str
    checks: Sequence[VideoCheck]

    @property
    def passed(self) -> bool:
        """Whether it may go out."""
        return all(check.passed for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """As acceptance_results.json has it (docs/reference/json/video-synth-accept.json)."""
        return {
            "format": FORMAT,
            "file": self.file,
            "sha256": self.sha256,
            "passed": self.passed,
            "checks": [
                {
                    "name": check.name,
                    "passed": check.passed,
                    "sentence": check.sentence,
                    "measured": check.measured,
                }
                for check in self.checks
            ],
        }


@dataclass(frozen=True, slots=True)
class AcceptanceTerms:
    """What a video is held against. `captions`: a file; None: its own track, else the .srt beside it."""

    narration: Path | None = None
    captions: Path | None = None
    captioned: bool = True
    loudness: float = -14.0


def accept(path: Path, terms: AcceptanceTerms) -> AcceptanceResults:
    """Look at the video.

    Raises:
        UnreadableVideo: there is no such file.
        UnusableSound: the narration cannot be read.
        BadInput: the captions' file cannot be read.
    """
    try:
        streams = read_streams(path)
        checks = list(_checks(path, streams, terms))
    except av.error.FFmpegError as error:
        why = printable(" ".join(str(error.strerror or error).split()))
        checks = [VideoCheck("streams", False, f"It cannot be read as a video ({why}).", {})]
    with path.open("rb") as file:
        return AcceptanceResults(path, hashlib.file_digest(file, "sha256").hexdigest(), checks)


def write_results(results: AcceptanceResults, target: Path) -> None:
    """Write them as JSON. Raises BadConfiguration."""
    text = json.dumps(results.to_json(), default=str, ensure_ascii=False, indent=2) + "\n"
    try:
        write_whole(target, text.encode(), sync=True)
    except OSError as error:
        raise BadConfiguration(f"{target} cannot be written: {error.strerror or error}.") from None


def _checks(path: Path, streams: FilmStreams, terms: AcceptanceTerms) -> Iterator[VideoCheck]:
    yield _streams(streams)
    if streams.video_seconds is None or streams.audio_seconds is None:
        return
    narration = None if terms.narration is None else _NarrationMeasures.of(terms.narration)
    black, sound = _black(black_stretches(path)), measure_sound(path)
    yield _duration(streams, sound, narration)
    yield black
    yield _silence(sound, narration)
    yield _clipping(sound, narration)
    yield _loudness(sound, terms.loudness)
    if terms.captioned:
        yield _captions(_cues_for(path, streams, terms), sound, narration, streams)


@dataclass(frozen=True, slots=True)
class _NarrationMeasures:
    seconds: float
    levels: NDArray[np.float32]  # as of SoundMeasures
    flat_tops: int

    @classmethod
    def of(cls, path: Path) -> _NarrationMeasures:
        hop = RATE // HOPS_A_SECOND
        held = np.zeros(0, np.float32)
        levels, samples, flat = [], 0, 0
        for block in decoded(path, "narration"):
            mono = block.reshape(-1, 2).max(axis=1, initial=0.0)
            held = np.concatenate([held, block[::2]])
            whole = len(held) // hop * hop
            levels.append(np.sqrt(np.square(held[:whole]).reshape(-1, hop).mean(axis=1)))
            held = held[whole:]
            samples += len(mono)
            flat += _flat_tops(block[::2])
        return cls(samples / RATE, np.concatenate(levels).astype(np.float32), flat)


def _flat_tops(samples: NDArray[np.float32]) -> int:
    """How often the signal stands at full scale."""
    full = np.concatenate([[0], (np.abs(samples) >= 0.999).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(full))
    return int((edges[1::2] - edges[::2] >= _FLAT_TOP).sum())


def _streams(streams: FilmStreams) -> VideoCheck:
    wrong = []
    if streams.video_codec != "h264" or streams.pixels != "yuv420p":
        wrong.append(f"the picture is {streams.video_codec or 'missing'} {streams.pixels}, not h264 yuv420p")
    if streams.audio_codec != "aac":
        wrong.append(f"the sound is {streams.audio_codec or 'missing'}, not aac")
    if not streams.fast_start:
        wrong.append("what players need first does not stand first")
    said = "H.264 and AAC, ready to be played while it loads."
    if wrong:
        said = f"{'; '.join(wrong)}."
        said = said[0].upper() + said[1:]
    measured = {
        "video": streams.video_codec,
        "pixels": streams.pixels,
        "width": streams.width,
        "height": streams.height,
        "fps": round(streams.fps, 3),
        "audio": streams.audio_codec,
        "sample_rate": streams.sample_rate,
        "channels": streams.channels,
        "fast_start": streams.fast_start,
    }
    return VideoCheck("streams", not wrong, said, measured)


def _duration(streams: FilmStreams, sound: SoundMeasures, narration: _NarrationMeasures | None) -> VideoCheck:
    assert streams.video_seconds is not None
    assert streams.audio_seconds is not None
    frame = 1 / (streams.fps or 25.0) + 0.001
    apart = streams.video_seconds - streams.audio_seconds
    measured = {
        "video_s": round(streams.video_seconds, 3),
        "audio_s": round(streams.audio_seconds, 3),
        "late_s": round(streams.late_s, 3),
    }
    said = [f"the picture lasts {_longer(apart)} than the sound"] if abs(apart) > frame else []
    if abs(streams.late_s) > frame:
        said.append(f"the sound begins {abs(streams.late_s):.2f} s {_when(streams.late_s)} than the picture")
    if narration is not None:
        measured["narration_s"] = round(narration.seconds, 3)
        measured["behind_narration_s"] = behind = sound_lag(narration.levels, sound.levels)
        apart = streams.audio_seconds - narration.seconds
        if abs(apart) > frame:
            said.append(f"the sound lasts {_longer(apart)} than the narration")
        if abs(behind) > frame + 1 / HOPS_A_SECOND:
            said.append(f"what is said is heard {abs(behind):.2f} s {_when(behind)} than in the narration")
    sentence = f"{'; '.join(said)}." if said else "Picture and sound end together."
    return VideoCheck("duration", not said, sentence[0].upper() + sentence[1:], measured)


def _when(seconds: float) -> str:
    return "later" if seconds > 0 else "earlier"


def _longer(seconds: float) -> str:
    return f"{abs(seconds):.2f} s {'longer' if seconds > 0 else 'shorter'}"


def _black(stretches: Sequence[tuple[float, float]]) -> VideoCheck:
    longest = max(stretches, key=lambda each: each[1] - each[0], default=(0.0, 0.0))
    seconds = longest[1] - longest[0]
    passed = seconds < _LONGEST_BLACK_S
    said = (
        "No black frames."
        if not seconds
        else f"The picture is black for {seconds:.2f} s at {longest[0]:.2f} s."
    )
    measured = {"longest_s": round(seconds, 3), "at_s": round(longest[0], 3), "limit_s": _LONGEST_BLACK_S}
    return VideoCheck("black_frames", passed, said, measured)


def _silence(sound: SoundMeasures, narration: _NarrationMeasures | None) -> VideoCheck:
    silent = sound.levels < amplitude(_SILENT_DB)
    if narration is not None:  # a pause that was spoken is no fault
        length = min(len(silent), len(narration.levels))
        silent = silent[:length] & (narration.levels[:length] >= amplitude(_SILENT_DB))
    first, length = _longest_run(silent)
    limit = _LONGEST_SILENCE_S if narration is None else _LONGEST_SILENCE_S / 3
    seconds, at = length / HOPS_A_SECOND, first / HOPS_A_SECOND
    passed = seconds <= limit
    said = "No silence." if passed else f"It is silent for {seconds:.2f} s at {at:.2f} s."
    return VideoCheck("silence", passed, said, {"longest_s": seconds, "at_s": at, "limit_s": round(limit, 3)})


def _clipping(sound: SoundMeasures, narration: _NarrationMeasures | None) -> VideoCheck:
    flat = 0 if narration is None else narration.flat_tops
    loud = sound.true_peak_db > _HIGHEST_PEAK_DB or sound.full_scale > 0
    said = "Nothing is clipped."
    if loud:
        said = f"Peaks reach {sound.true_peak_db:.1f} dBTP; they are cut off or will be."
    elif flat > _MOST_FLAT:
        said = f"The narration is cut off at full scale in {flat} places."
    measured = {
        "true_peak_dbtp": round(sound.true_peak_db, 2),
        "limit_dbtp": _HIGHEST_PEAK_DB,
        "samples_at_full_scale": sound.full_scale,
        "narration_flat_tops": flat,
    }
    return VideoCheck("clipping", not loud and flat <= _MOST_FLAT, said, measured)


def _loudness(sound: SoundMeasures, wanted: float) -> VideoCheck:
    measured: dict[str, Any] = {"lufs": None, "wanted_lufs": wanted, "tolerance_lu": _OFF_LU}
    if sound.lufs is None:
        return VideoCheck("loudness", False, "There is nothing to be heard.", measured)
    measured["lufs"] = round(sound.lufs, 2)
    passed = abs(sound.lufs - wanted) <= _OFF_LU
    said = f"It is at {sound.lufs:.1f} LUFS" + ("." if passed else f", and should be at {wanted:g}.")
    return VideoCheck("loudness", passed, said, measured)


def _cues_for(path: Path, streams: FilmStreams, terms: AcceptanceTerms) -> Sequence[VideoCue]:
    if terms.captions is not None:
        return read_cues(terms.captions)
    beside = path.with_suffix(".srt")
    return streams.cues if streams.cues or not beside.is_file() else read_cues(beside)


def _captions(
    cues: Sequence[VideoCue],
    sound: SoundMeasures,
    narration: _NarrationMeasures | None,
    streams: FilmStreams,
) -> VideoCheck:
    if not cues:
        said = "There are no captions, in it or beside it; name their file, or say that it has none."
        return VideoCheck("captions", False, said, {"cues": 0})
    levels = sound.levels if narration is None else narration.levels
    speech = levels > _speech_threshold(levels)
    covered = np.zeros(len(levels), bool)
    for cue in cues:
        covered[_hop(cue.start - _NEAR_S) : max(_hop(cue.end + _NEAR_S), 0)] = True
    share = float((speech & covered).sum() / max(speech.sum(), 1))
    first, length = _longest_run(_bridged(speech & ~covered, ~covered))
    bare = length / HOPS_A_SECOND
    late = cues[-1].end - (streams.audio_seconds or 0.0)
    said = f"{share:.0%} of the speech has captions."
    if bare > _LONGEST_UNCOVERED_S:
        said = f"{bare:.2f} s of speech at {first / HOPS_A_SECOND:.2f} s have no captions."
    if late > 0.1:
        said = f"The captions go on for {late:.2f} s after the sound."
    passed = share >= _LEAST_COVERED and bare <= _LONGEST_UNCOVERED_S and late <= 0.1
    measured = {
        "cues": len(cues),
        "speech_covered": round(share, 4),
        "least": _LEAST_COVERED,
        "longest_uncovered_s": bare,
        "limit_s": _LONGEST_UNCOVERED_S,
    }
    return VideoCheck("captions", passed, said, measured)


def _speech_threshold(levels: NDArray[np.float32]) -> float:
    """So much under the level of the loud half that a breath or a bed of music is under it."""
    loud = levels[levels > amplitude(_SILENT_DB)]
    return float(np.percentile(loud, 75)) * amplitude(-_SPEECH_UNDER_LU) if len(loud) else 1.0


def _bridged(bare: NDArray[np.bool_], open_to: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The stretches with the pauses between their words, as far as `open_to` goes."""
    width = HOPS_A_SECOND // 2
    near = np.convolve(bare, np.ones(2 * width + 1), "same") > 0
    grown = ~(np.convolve(~near, np.ones(2 * width + 1), "same") > 0)
    return (bare | grown) & open_to


def _longest_run(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """First place and length of the longest run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    longest = int(lengths.argmax())
    return int(edges[2 * longest]), int(lengths[longest])


def _hop(seconds: float) -> int:
    return max(round(seconds * HOPS_A_SECOND), 0)
