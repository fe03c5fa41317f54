"""Takes: what makes one differ from another, and how the pieces of one become a signal. No files here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lib.voices import TextRefused, check_text, unspoken_characters
from synth.audio.measures import PieceMeasures, TakeMeasures, measure_piece, measure_take
from synth.audio.spectrum import Samples
from synth.audio.trim import Trimmed, join, places, trim
from synth.engines.port import EngineLimits, Model, Speech, WordTiming
from synth.speech.request import SpeakRequest, derived_seed
from synth.speech.wording import words_of
from synth.text.pieces import Piece, split_text
from synth.verify import Verdict

_SPEED_SPAN: Final = 0.06
_INTONATION_SPAN: Final = 0.10


@dataclass(frozen=True, slots=True)
class Style:
    """What makes one take differ from another."""

    seed: int
    speed: float = 1.0
    intonation: float = 1.0


@dataclass(frozen=True, slots=True)
class RejectedTake:
    """A take that was made again, and why."""

    style: Style
    why: str
    score: float | None = None  # the verifier's; None where the signal alone was at fault


@dataclass(frozen=True, slots=True)
class RawTake:
    """One take before loudness: trimmed and joined."""

    style: Style
    samples: Samples
    sample_rate: int
    measures: TakeMeasures
    words: tuple[WordTiming, ...] = ()  # seconds of these samples; empty where the engine tells none
    verdict: Verdict | None = None  # None: nobody compared it with the text
    rejected: tuple[RejectedTake, ...] = ()  # made in its place, in that order

    @property
    def failed(self) -> bool:
        """Whether a verifier found it wrong."""
        return self.verdict is not None and not self.verdict.ok

    @property
    def standing(self) -> tuple[bool, int, float, float]:
        """What takes are compared by; less is better.

        Whether it failed, faults of the signal, what the verifier found wrong, and deviation from the usual
        rate, the last two to two digits.
        """
        deviation = self.measures.rate_deviation
        return (
            self.failed,
            len(self.measures.flags),
            0.0 if self.verdict is None else round(self.verdict.score, 2),
            0.0 if deviation is None else round(abs(deviation), 2),
        )


@dataclass(frozen=True, slots=True)
class Performance:
    """All takes of a request, in the order they were made."""

    request: SpeakRequest
    model: Model
    takes: Sequence[RawTake]
    pieces: int
    warnings: tuple[str, ...]
    work_s: float  # seconds spent speaking


def style_of(request: SpeakRequest, limits: EngineLimits, number: int) -> Style:
    """The style of the take made as `number`, from 0; those past the variants are for takes made again.

    The first is the plain one. Any two differ in what the engine can hear.
    """
    first = request.first_seed()
    if number == 0:
        return Style(first)
    seed = derived_seed(first, number)
    if limits.seed_varies:
        return Style(seed)
    # Steps of irrational ratios spread evenly over the span, however many takes there are.
    return Style(
        seed,
        speed=round(1 + _SPEED_SPAN * _spread(number * 0.6180340), 4),
        intonation=round(1 + _INTONATION_SPAN * _spread(number * 0.7548777), 4),
    )


def _spread(position: float) -> float:
    """The fraction of `position`, from -1 to 1."""
    return 2 * (position % 1.0) - 1


def pieces_of(request: SpeakRequest, limits: EngineLimits) -> tuple[list[Piece], tuple[str, ...]]:
    """What to speak, and warnings of what will not be: pieces wholly in another script.

    Raises:
        TextRefused: nothing is left, or a piece is too long.
    """
    engine = request.voice.engine
    kept, dropped = [], 0
    script, told = words_of(request)
    for piece in split_text(script, limits.piece_characters):
        try:
            check_text(piece.text, engine, chunk=True)
        except TextRefused as refusal:
            if refusal.reason == "too_long":
                raise
            dropped += 1
        else:
            kept.append(piece)
    if not kept:
        check_text(request.text, engine, request.chunk)
        raise _no_speech(request.text)
    warnings = [*told]
    unspoken = unspoken_characters(request.text, engine)
    if unspoken:
        warnings.append(f"The engine {engine} leaves out letters of other scripts: {unspoken[:20]!r}.")
    if dropped:
        warnings.append(f"Sentences left out: {dropped}; the engine {engine} cannot speak their script.")
    return kept, tuple(warnings)


def make_take(
    pieces: Sequence[Piece], style: Style, spoken: Sequence[Speech], limits: EngineLimits
) -> RawTake:
    """Trim and join the speech of all pieces.

    Raises:
        TextRefused: the engine made no sound of a piece (`no_speech`).
    """
    parts: list[Trimmed] = []
    measured: list[PieceMeasures] = []
    for piece, speech in zip(pieces, spoken, strict=True):
        trimmed = trim(speech.samples, speech.sample_rate)
        if not len(trimmed.samples):
            raise _no_speech(piece.text)
        parts.append(trimmed)
        measured.append(measure_piece(speech.samples, trimmed, speech.phonemes))
    usual = None if limits.usual_rate is None else limits.usual_rate * style.speed
    rate = spoken[-1].sample_rate
    signals, pauses = [part.samples for part in parts], [piece.pause.value for piece in pieces]
    words = _moved_words(parts, spoken, places(signals, pauses, rate))
    return RawTake(style, join(signals, pauses, rate), rate, measure_take(measured, usual), words)


def _moved_words(
    parts: Sequence[Trimmed], spoken: Sequence[Speech], starts: Sequence[int]
) -> tuple[WordTiming, ...]:
    """The words of all pieces by the clock of the whole take; none where one piece tells none."""
    if not all(speech.words for speech in spoken):
        return ()
    moved = []
    for part, speech, start in zip(parts, spoken, starts, strict=True):
        begin, length = start / speech.sample_rate, len(part.samples) / speech.sample_rate
        for word in speech.words:
            first, last = (
                round(begin + min(max(at - part.cut_s, 0.0), length), 6) for at in (word.start, word.end)
            )
            moved.append(replace(word, start=first, end=last))
    return tuple(moved)


def _no_speech(text: str) -> TextRefused:
    return TextRefused("no_speech", f"The engine made no sound of the text {text[:60]!r}.")
