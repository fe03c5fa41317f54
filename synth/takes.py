"""Speak a request: its takes as raw signals with their measures. No files here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lib.clock import Clock
from lib.voices import TextRefused, check_text, unspoken_characters
from synth.audio.measures import PieceMeasures, TakeMeasures, measure_piece, measure_take
from synth.audio.spectrum import Samples
from synth.audio.trim import join, trim
from synth.engines.port import Engine, EngineFailed, Limits, Model, Speech, Utterance
from synth.request import SpeakRequest, derived_seed
from synth.text.pieces import Piece, split_text

#: Called after each piece with (pieces done, pieces in all). What it raises ends the work.
OnPiece = Callable[[int, int], None]

_SPEED_SPAN: Final = 0.06
_INTONATION_SPAN: Final = 0.10


@dataclass(frozen=True, slots=True)
class Style:
    """What makes one take differ from another."""

    seed: int
    speed: float = 1.0
    intonation: float = 1.0


@dataclass(frozen=True, slots=True)
class RawTake:
    """One take before loudness: trimmed and joined."""

    style: Style
    samples: Samples
    sample_rate: int
    measures: TakeMeasures


@dataclass(frozen=True, slots=True)
class Performance:
    """All takes of a request, in the order they were made."""

    request: SpeakRequest
    model: Model
    takes: Sequence[RawTake]
    pieces: int
    warnings: tuple[str, ...]
    work_s: float  # seconds spent speaking


def perform(request: SpeakRequest, engine: Engine, clock: Clock, on_piece: OnPiece) -> Performance:
    """Speak every take of `request`; loads the engine if it is not loaded.

    Raises:
        TextRefused: the engine made no sound of a text that should have had one (`no_speech`).
        lib.errors.JobFailed: the engine failed.
        whatever `on_piece` raises.
    """
    model, limits = engine.load(), engine.limits()
    started = clock.monotonic()
    pieces, warnings = _pieces(request, limits)
    styles = take_styles(request, limits)
    spoken = _spoken(request, engine, [(piece, style) for style in styles for piece in pieces], on_piece)
    takes = [_take(pieces, style, spoken, limits) for style in styles]
    return Performance(request, model, takes, len(pieces), warnings, clock.monotonic() - started)


def take_styles(request: SpeakRequest, limits: Limits) -> list[Style]:
    """One style for each take; the first is the plain one. Any two differ in what the engine can hear."""
    first = request.first_seed()
    styles = [Style(first)]
    for number in range(1, request.variants):
        seed = derived_seed(first, number)
        if limits.seed_varies:
            styles.append(Style(seed))
        else:
            # Steps of irrational ratios spread evenly over the span, however many takes there are.
            styles.append(
                Style(
                    seed,
                    speed=round(1 + _SPEED_SPAN * _spread(number * 0.6180340), 4),
                    intonation=round(1 + _INTONATION_SPAN * _spread(number * 0.7548777), 4),
                )
            )
    return styles


def _spread(position: float) -> float:
    """The fraction of `position`, from -1 to 1."""
    return 2 * (position % 1.0) - 1


def _pieces(request: SpeakRequest, limits: Limits) -> tuple[list[Piece], tuple[str, ...]]:
    """What to speak, and warnings of what will not be: pieces wholly in another script."""
    engine = request.voice.engine
    kept, dropped = [], 0
    for piece in split_text(request.text, limits.piece_characters):
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
    warnings = []
    unspoken = unspoken_characters(request.text, engine)
    if unspoken:
        warnings.append(f"The engine {engine} leaves out letters of other scripts: {unspoken[:20]!r}.")
    if dropped:
        warnings.append(f"Sentences left out: {dropped}; the engine {engine} cannot speak their script.")
    return kept, tuple(warnings)


def _spoken(
    request: SpeakRequest, engine: Engine, wanted: Sequence[tuple[Piece, Style]], on_piece: OnPiece
) -> Iterator[Speech]:
    """The speech of each wanted piece, in order, made in the engine's batches."""
    voice, size = request.voice, max(engine.limits().batch, 1)
    numbers: dict[Style, int] = {}
    for first in range(0, len(wanted), size):
        batch = []
        for piece, style in wanted[first : first + size]:
            number = numbers[style] = numbers.get(style, -1) + 1
            batch.append(
                Utterance(
                    text=piece.text,
                    language=voice.language,
                    preset=voice.preset,
                    seed=derived_seed(style.seed, number),
                    speed=style.speed,
                    intonation=style.intonation,
                    profile=request.profile,
                    reference=voice.reference,
                )
            )
        made = engine.speak(batch)
        on_piece(min(first + size, len(wanted)), len(wanted))
        if len(made) != len(batch):
            raise EngineFailed(f"The engine {voice.engine} answered {len(made)} of {len(batch)} texts.")
        yield from made


def _take(pieces: Sequence[Piece], style: Style, spoken: Iterator[Speech], limits: Limits) -> RawTake:
    """Draw the next pieces from `spoken` and make one take of them."""
    parts: list[Samples] = []
    measured: list[PieceMeasures] = []
    sample_rate = 0
    for piece in pieces:
        speech = next(spoken)
        sample_rate = speech.sample_rate
        trimmed = trim(speech.samples, sample_rate)
        if not len(trimmed.samples):
            raise _no_speech(piece.text)
        parts.append(trimmed.samples)
        measured.append(measure_piece(speech.samples, trimmed, speech.phonemes))
    usual = None if limits.usual_rate is None else limits.usual_rate * style.speed
    samples = join(parts, [piece.pause.value for piece in pieces], sample_rate)
    return RawTake(style, samples, sample_rate, measure_take(measured, usual))


def _no_speech(text: str) -> TextRefused:
    return TextRefused("no_speech", f"The engine made no sound of the text {text[:60]!r}.")
