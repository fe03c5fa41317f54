"""Audio that exists, from whomever: whether it says a text, by its signal and by who hears it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from lib.errors import BadInput
from lib.voices import engine_facts, without_markup, words_of
from lib.voices.facts import USUAL_LETTERS_PER_SECOND
from lib.voices.markup import pauses_s
from lib.voices.usual_silences import USUAL_PAUSES
from synth.audio.level_stream import measure_levels
from synth.audio.loudness_meter import decibels, integrated_loudness
from synth.audio.measures import PieceMeasures, measure_piece
from synth.audio.spectrum import Samples
from synth.audio.trim import trim
from synth.speech.heard_pieces import is_sound
from synth.speech.verdicts import verdict_of_given
from synth.verify import (
    CHECKS,
    Due,
    ExaminedPiece,
    Sent,
    SignalFault,
    Unheard,
    UsualRate,
    Verdict,
    Verifier,
    due_of,
    faults_of,
)

_LONGEST_S: Final = 5400.0  # it is held in memory: 1 GB at 48 kHz
_BLOCK: Final = 1 << 16
_LOWEST_RATE, _HIGHEST_RATE = 4_000, 384_000  # Hz; with less no word is told from another
_RATE_MULTIPLE: Final = 1000  # Hz; what the meters of levels take
#: How far letters a second may lie beside what is usual, where the voice is not known.
_ANY_VOICE: Final = 0.5
_NO_SOUND: Final = SignalFault("no_sound", "There is no sound in it.")


@dataclass(frozen=True, slots=True)
class VerifiedAudio:
    """What was found of a file. `heard` is None where nobody compared it with the text."""

    path: Path
    seconds: float
    sample_rate: int
    measures: PieceMeasures
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    faults: tuple[SignalFault, ...]
    heard: Verdict | None
    verdict: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """What `voice-synth verify --json` prints."""
        found = {fault.check: fault.why for fault in self.faults}
        checks = [*CHECKS, *(fault.check for fault in self.faults if fault.check not in CHECKS)]
        heard, measures = self.heard, self.measures
        return {
            "file": str(self.path),
            "verdict": self.verdict,
            "verdict_why": self.why,
            "audio_seconds": round(self.seconds, 3),
            "sample_rate": self.sample_rate,
            "loudness_lufs": _rounded(self.loudness_lufs),
            "true_peak_dbtp": _rounded(self.true_peak_dbtp),
            "active_s": round(measures.active_s, 3),
            "longest_gap_s": round(measures.gap_s, 3),
            "checks": [{"check": name, "ok": name not in found, "why": found.get(name)} for name in checks],
            "heard": None
            if heard is None
            else {"ok": heard.ok, "score": round(heard.score, 4), "why": heard.why},
        }


def verify_audio(
    path: Path,
    text: str,
    verifier: Verifier | None,
    *,
    language: str = "English",
    engine: str | None = None,
    speed: float = 1.0,
) -> VerifiedAudio:
    """Hold the audio in `path` against `text`; `engine` is what spoke it, where that is known.

    Raises:
        BadInput: the file is no audio, holds over 90 minutes, or the text is empty.
        lib.voices.UnknownEngine: there is no such engine.
    """
    script = words_of(text, {}, language).script
    words = without_markup(script).strip()
    if not any(map(str.isalnum, words)):
        raise BadInput("The text holds nothing that could be said, so nothing can be held against it.")
    samples, rate = _read(path)
    trimmed = trim(samples, rate)
    measures = measure_piece(samples, trimmed, rate, None)
    faults: tuple[SignalFault, ...] = (_NO_SOUND,)
    if len(trimmed.samples):
        examined = ExaminedPiece(samples, rate, trimmed, measures, _due(script, words, engine, speed))
        faults = faults_of(examined)
    answer: Verdict | Unheard | None = None
    if verifier is not None and len(trimmed.samples):
        answer = verifier.verify(Sent(words, language), trimmed.samples, rate)
    verdict, why = verdict_of_given(answer, faults)
    heard = answer if isinstance(answer, Verdict) else None
    return VerifiedAudio(
        path, len(samples) / rate, rate, measures, *_level(samples, rate), faults, heard, verdict, why
    )


def _due(script: str, words: str, engine: str | None, speed: float) -> Due:
    """What the whole text takes; pauses inside it are those of the text."""
    rate = USUAL_LETTERS_PER_SECOND if engine is None else engine_facts(engine).letters_per_second
    due = due_of(words, usual=UsualRate(rate, _ANY_VOICE, "letters"), speed=speed)
    longest = max(USUAL_PAUSES.paragraph if "\n\n" in words else USUAL_PAUSES.sentence, pauses_s(script))
    return Due(due.words, due.letters, None, due.usual, speed, repeats=due.repeats, pause_s=longest)


def _read(path: Path) -> tuple[Samples, int]:
    """The mean of its channels, full scale 1.0, and its rate in Hz. Raises BadInput."""
    if not path.is_file():
        raise BadInput(f"The file {path} {'is no plain file' if path.exists() else 'does not exist'}.")
    try:
        with soundfile.SoundFile(path) as file:
            rate = int(file.samplerate)
            if file.frames > _LONGEST_S * rate:
                raise BadInput(f"{path} is over {_LONGEST_S / 60:.0f} minutes long; verify it in parts.")
            blocks = [
                block.mean(axis=1, dtype=np.float32)
                for block in file.blocks(_BLOCK, dtype="float32", always_2d=True)
            ]
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError, OSError) as error:
        reason = getattr(error, "error_string", None) or error
        raise BadInput(f"{path} cannot be read as audio: {str(reason).strip().rstrip('.')}.") from None
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if not is_sound(samples):
        raise BadInput(f"{path} holds values that are no numbers of a sound.")
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise BadInput(f"{path} has {rate} samples a second; speech has {_LOWEST_RATE} to {_HIGHEST_RATE}.")
    return samples, rate


def _level(samples: Samples, rate: int) -> tuple[float | None, float | None]:
    """Loudness in LUFS and true peak in dBTP; None where the meters do not take the rate."""
    if rate % _RATE_MULTIPLE or not len(samples):
        return None, None
    levels = measure_levels(samples, rate)
    return integrated_loudness(levels), decibels(float(levels.peaks.max(initial=0.0)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
