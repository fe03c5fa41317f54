"""The record of a spoken job, as docs/reference/result-json.md describes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import rfc3339
from lib.spool import ResultFile
from synth.audio.encode import Written
from synth.audio.level import Leveled
from synth.audio.spectrum import Samples
from synth.takes import Performance, RawTake
from synth.verdicts import verdict_json

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class FinishedTake:
    """One take and its file. `number` 1 is the chosen one; `made` counts in the order of making."""

    number: int
    made: int
    raw: RawTake
    leveled: Leveled
    written: Written
    peaks: Written | None = None  # the waveform beside it

    def result_file(self) -> ResultFile:
        """As a result names it."""
        peaks = None if self.peaks is None else _file(self.peaks, self.number, None)
        return _file(self.written, self.number, peaks)


def _file(written: Written, number: int, peaks: ResultFile | None) -> ResultFile:
    return ResultFile(written.path.name, written.bytes, written.sha256, number, peaks)


def make_record(
    performance: Performance, takes: Sequence[FinishedTake], work_s: float, now: float
) -> dict[str, Any]:
    """Plain JSON data; `takes` has the chosen one first."""
    request, chosen = performance.request, takes[0]
    seconds = seconds_of(chosen.leveled.samples, chosen.raw.sample_rate)
    return {
        "format": FORMAT,
        "engine": request.voice.engine,
        "model": performance.model.name,
        "revision": performance.model.revision,
        "voice": request.voice.voice,
        "speaker": request.voice.speaker,
        "preset": request.voice.preset,
        "language": request.voice.language,
        "profile": request.profile,
        "seed": chosen.raw.style.seed,
        "characters": len(request.text),
        "pieces": performance.pieces,
        "seconds": seconds,
        "work_seconds": round(work_s, 3),
        "real_time_factor": round(work_s / max(seconds * len(takes), 1e-3), 4),
        "sample_rate": chosen.raw.sample_rate,
        "audio_format": request.file_format,
        "file": chosen.written.path.name,
        "bytes": chosen.written.bytes,
        "sha256": chosen.written.sha256,
        "loudness_lufs": _rounded(chosen.leveled.lufs),
        "target_lufs": request.loudness_lufs,
        "true_peak_dbtp": _rounded(chosen.leveled.true_peak_db),
        "takes": [_take_json(take) for take in takes],
        "chosen": {"take": 1, "made": chosen.made, "why": _why(performance, chosen)},
        **verdict_json([take.raw for take in takes]),
        "warnings": [*performance.warnings, *_fault_warnings(chosen), *_level_warnings(performance, chosen)],
        "created_at": rfc3339(now),
    }


def seconds_of(samples: Samples, sample_rate: int) -> float:
    """Length in seconds, to the millisecond."""
    return round(len(samples) / sample_rate, 3)


def _take_json(take: FinishedTake) -> dict[str, Any]:
    style = take.raw.style
    return {
        "take": take.number,
        "made": take.made,
        "file": take.written.path.name,
        "bytes": take.written.bytes,
        "sha256": take.written.sha256,
        "peaks": None if take.peaks is None else _peaks_json(take.peaks),
        "seed": style.seed,
        "speed": style.speed,
        "intonation": style.intonation,
        "seconds": seconds_of(take.leveled.samples, take.raw.sample_rate),
        "loudness_lufs": _rounded(take.leveled.lufs),
        "true_peak_dbtp": _rounded(take.leveled.true_peak_db),
        "gain_db": _rounded(take.leveled.gain_db),
        "limiter_db": _rounded(take.leveled.reduction_db),
        "measures": take.raw.measures.to_json(),
        "flags": list(take.raw.measures.flags),
    }


def _peaks_json(peaks: Written) -> dict[str, Any]:
    return {"file": peaks.path.name, "bytes": peaks.bytes, "sha256": peaks.sha256}


def _why(performance: Performance, chosen: FinishedTake) -> str:
    count = len(performance.takes)
    if count == 1:
        return "It is the only take."
    if not performance.request.select_best and chosen.made > 1:
        return f"It is the first of {count} that no verifier found wrong; select_best is off."
    if not performance.request.select_best:
        return f"It was made first of {count}; select_best is off."
    faults = len(chosen.raw.measures.flags)
    heard = "no recogniser compared it with the text"
    if chosen.raw.verdict is not None:
        heard = f"a verifier heard it: {chosen.raw.verdict.why}"
    best = f"Of {count} takes it has the fewest faults ({faults}) and is nearest to the voice's usual rate"
    return f"{best}; {heard}."


def _fault_warnings(chosen: FinishedTake) -> list[str]:
    flags = chosen.raw.measures.flags
    return [f"The chosen take has faults: {', '.join(flags)}."] if flags else []


def _level_warnings(performance: Performance, chosen: FinishedTake) -> list[str]:
    target, reached = performance.request.loudness_lufs, chosen.leveled.lufs
    if target is None or reached is None or abs(reached - target) <= 0.5:
        return []
    return [f"The loudness is {reached:.1f} LUFS, not {target:.1f}: more would need too much limiting."]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
