"""The record of a spoken job, as docs/reference/result-json.md describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lib.captions import Cue
from lib.clock import rfc3339
from lib.records import FileRef, SpokenRecord, Take
from synth.audio.encode import Written
from synth.audio.levels import Samples
from synth.audio.loudness_normalizer import Leveled
from synth.speech.takes import Performance, RawTake
from synth.speech.verdicts import verdict_of, verification

_MOST_SAYINGS: Final = 4_000  # characters of words and how they are said


@dataclass(frozen=True, slots=True)
class FinishedTake:
    """One take and its file. `number` 1 is the chosen one; `made` counts in the order of making."""

    number: int
    made: int
    raw: RawTake
    leveled: Leveled
    written: Written
    peaks: Written | None = None  # the waveform beside it
    captions: tuple[Cue, ...] = ()
    caption_files: tuple[Written, ...] = ()


def make_record(
    performance: Performance, takes: Sequence[FinishedTake], work_s: float, now: float
) -> SpokenRecord:
    """The record of a job whose files lie on the disk; `takes` has the chosen one first."""
    request, chosen = performance.request, takes[0]
    audio_s = seconds_of(chosen.leveled.samples, chosen.raw.sample_rate)
    warnings = (*performance.warnings, *_level_warnings(performance, chosen))
    verdict, verdict_why = verdict_of(chosen.raw)
    return SpokenRecord(
        engine=request.voice.engine,
        model=performance.model.name,
        revision=performance.model.revision,
        voice=request.voice.voice,
        speaker=request.voice.speaker,
        preset=request.voice.preset,
        language=request.voice.language,
        profile=request.profile,
        pronounce=_kept(request.pronounce),
        characters=len(request.text),
        pieces=performance.pieces,
        work_seconds=round(work_s, 3),
        real_time_factor=round(work_s / max(audio_s * len(takes), 1e-3), 4),
        sample_rate=chosen.raw.sample_rate,
        audio_format=request.file_format,
        target_lufs=request.loudness_lufs,
        takes=tuple(map(_take, takes)),
        chosen_why=_why(performance, chosen),
        verdict=verdict,
        verdict_why=verdict_why,
        verification=verification([take.raw for take in takes]),
        warnings=warnings,
        variants=request.variants,
        created_at=rfc3339(now),
    )


def _kept(pronounce: Mapping[str, str]) -> Mapping[str, str]:
    """What is kept of how words were said: nothing of a lexicon that would weigh more than the rest."""
    size = sum(len(word) + len(saying) for word, saying in pronounce.items())
    return pronounce if size <= _MOST_SAYINGS else {}


def seconds_of(samples: Samples, sample_rate: int) -> float:
    """Length in seconds, to the millisecond."""
    return round(len(samples) / sample_rate, 3)


def _take(take: FinishedTake) -> Take:
    style = take.raw.style
    return Take(
        take=take.number,
        made=take.made,
        audio=_file(take.written),
        peaks=None if take.peaks is None else _file(take.peaks),
        audio_seconds=seconds_of(take.leveled.samples, take.raw.sample_rate),
        seed=style.seed,
        speed=style.speed,
        intonation=style.intonation,
        loudness_lufs=_rounded(take.leveled.lufs),
        true_peak_dbtp=_rounded(take.leveled.true_peak_db),
        gain_db=_rounded(take.leveled.gain_db),
        limiter_db=_rounded(take.leveled.reduction_db),
        measures=take.raw.measures.to_json(),
        flags=tuple(take.raw.flags),
        words=take.raw.words,
        captions=take.captions,
        caption_files=tuple(map(_file, take.caption_files)),
    )


def _file(written: Written) -> FileRef:
    return FileRef(written.path.name, written.bytes, written.sha256)


def _why(performance: Performance, chosen: FinishedTake) -> str:
    request, count, raw = performance.request, len(performance.takes), chosen.raw
    if count == 1:
        return "It is the only take." if request.variants == 1 else _stopped(request.variants, chosen)
    if not request.select_best and chosen.made > 1:
        return f"It is the first of {count} that did not fail; select_best is off."
    if not request.select_best:
        return f"It was made first of {count}; select_best is off."
    if count < request.variants:
        return _stopped(request.variants, chosen)
    heard = "no recogniser compared it with the text"
    if raw.verdict is not None:
        heard = f"a verifier heard it: {raw.verdict.why}"
    best = f"Of {count} takes it has the fewest faults ({len(raw.faults)})"
    if any(take.verdict is not None for take in performance.takes):
        best += ", was heard best"
    return f"{best} and is nearest to the voice's usual pace; {heard}."


def _stopped(variants: int, chosen: FinishedTake) -> str:
    why = chosen.raw.verdict.why if chosen.raw.verdict is not None else ""
    return f"Take {chosen.made} of up to {variants} could be no better, so no more were made: {why}."


def _level_warnings(performance: Performance, chosen: FinishedTake) -> list[str]:
    target, reached = performance.request.loudness_lufs, chosen.leveled.lufs
    if target is None or reached is None or abs(reached - target) <= 0.5:
        return []
    return [f"The loudness is {reached:.1f} LUFS, not {target:.1f}: more would need too much limiting."]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
