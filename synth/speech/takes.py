"""Takes: what makes one differ from another, and how the pieces of one become a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from lib.voices import Pauses, TextRefused, check_text, unread_phonemes, unspoken_characters
from synth.audio.levels import Samples
from synth.audio.measures import PieceMeasures, TakeMeasures, measure_take
from synth.audio.rhythm import HeardPause, Mark, PauseEdit, heard_pauses, moved, with_pauses
from synth.audio.sample_files import SampleSink
from synth.audio.trim import LEAD_S, TRAIL_S, Joiner
from synth.engines.port import EngineLimits, Model, WordTiming
from synth.speech.heard_pieces import HeardPiece
from synth.speech.kept_pieces import KeptPieces
from synth.speech.request import SpeakRequest, derived_seed
from synth.speech.script import script_of
from synth.speech.shown_text import ShownText, shown_text
from synth.text.pauses import Pause, marks_in, silence_s
from synth.text.pieces import Piece, split_text
from synth.verify import SignalFault, Unheard, Verdict

PERFECT: Final = 0.02  # of its sounds may be heard otherwise: a recogniser's own errors
_MOST_NAMED: Final = 10  # words in a warning
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
    """A take, or one piece of it, that was made again, and why."""

    style: Style
    why: str
    score: float | None = None  # the verifier's; None where the signal alone was at fault
    piece: int | None = None  # which piece, from 1; None: all of the take
    checks: tuple[str, ...] = ()  # of the signal, that it failed


@dataclass(frozen=True, slots=True)
class PieceFault:
    """What a check found of the piece that was kept, for want of a better one."""

    piece: int  # from 1
    fault: SignalFault

    @property
    def why(self) -> str:
        """The sentence; `piece` says where."""
        return self.fault.why


@dataclass(frozen=True, slots=True)
class SoundingPiece:
    """Where a piece sounds in its take, in seconds, and the pauses that stand for its marks."""

    start: float
    end: float
    pauses: tuple[HeardPause, ...] = ()


@dataclass(frozen=True, slots=True)
class RawTake:
    """One take before loudness: trimmed and joined."""

    style: Style
    samples: Samples
    sample_rate: int
    measures: TakeMeasures
    words: tuple[WordTiming, ...] = ()  # seconds of these samples; empty where the engine tells none
    verdict: Verdict | None = None  # None: nobody compared it with the text
    unheard: Unheard | None = None  # why not, where it is not told elsewhere
    rejected: tuple[RejectedTake, ...] = ()  # made in its place, in that order
    sounding: tuple[SoundingPiece, ...] = ()  # each piece
    faults: tuple[PieceFault, ...] = ()  # of the signal

    @property
    def failed(self) -> bool:
        """Whether a verifier found it wrong, or the signal has a fault."""
        return self.misheard or bool(self.faults)

    @property
    def misheard(self) -> bool:
        """Whether a verifier found it wrong."""
        return self.verdict is not None and not self.verdict.ok

    @property
    def wrong_pieces(self) -> tuple[int, ...]:
        """Those that a verifier found wrong, by their places; empty where it cannot say, or they are all."""
        wrong = () if self.verdict is None else self.verdict.wrong_stretches
        return wrong if len(wrong) < len(self.sounding) else ()

    @property
    def perfect(self) -> bool:
        """Whether another take could be no better: a verifier heard all of it, the signal has no fault."""
        verdict = self.verdict
        return verdict is not None and verdict.ok and verdict.score <= PERFECT and not self.faults

    @property
    def flags(self) -> tuple[str, ...]:
        """The checks that found something, each once."""
        return tuple(dict.fromkeys(each.fault.check for each in self.faults))

    @property
    def standing(self) -> tuple[bool, int, bool, float, float]:
        """What takes are compared by; less is better.

        Whether it failed, faults of the signal, whether nobody could judge it, what the verifier found wrong,
        and deviation from the usual pace, the last two to two digits.
        """
        deviation = self.measures.rate_deviation
        return (
            self.failed,
            len(self.faults),
            self.verdict is None,
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
    shown: Callable[[], ShownText] | None = None  # what is written of each piece; None: no captions
    kept: KeptPieces | None = None  # where its takes lie; None: in memory


def style_of(request: SpeakRequest, limits: EngineLimits, number: int) -> Style:
    """The style of the take made as `number`, from 0; those past the variants are for takes made again.

    The first is the plain one. Any two differ in what the engine can hear.
    """
    first = request.first_seed()
    if number == 0:
        return Style(first, request.speed)
    seed = derived_seed(first, number)
    if limits.seed_varies:
        return Style(seed, request.speed)
    # Steps of irrational ratios spread evenly over the span, however many takes there are.
    return Style(
        seed,
        speed=round(request.speed * (1 + _SPEED_SPAN * _spread(number * 0.6180340)), 4),
        intonation=round(1 + _INTONATION_SPAN * _spread(number * 0.7548777), 4),
    )


def _spread(position: float) -> float:
    """The fraction of `position`, from -1 to 1."""
    return 2 * (position % 1.0) - 1


@dataclass(frozen=True, slots=True)
class Parts:
    """What to speak, as it is written, and warnings of what will not be spoken.

    `shown` is worked out when captions first ask for it: the engine does not wait for that.
    """

    pieces: list[Piece]
    shown: Callable[[], ShownText]
    warnings: tuple[str, ...]


def parts_of(request: SpeakRequest, limits: EngineLimits) -> Parts:
    """The pieces of a request; warned of are those wholly in another script, and unread phonemes.

    Raises:
        TextRefused: nothing is left, or a piece is too long.
    """
    engine, language = request.voice.engine, request.voice.language
    script = script_of(request)
    pieces = split_text(script.text, limits.piece_characters, language)
    kept, spoken = _speakable(pieces, engine, language)
    dropped = spoken.count(False)
    if not kept:
        check_text(request.text, engine, request.chunk, language=language)
        raise _no_speech(request.text)
    warnings = list(script.warnings)
    unread = unread_phonemes(script.text, {}, engine)
    if unread:
        words = ", ".join(repr(word) for word in unread[:_MOST_NAMED])
        warnings.append(f"The engine {engine} reads no phonemes and says as it is written: {words}.")
    unspoken = unspoken_characters(script.text, engine, language)
    if unspoken:
        warnings.append(f"The engine {engine} leaves out letters of other scripts: {unspoken[:20]!r}.")
    if dropped:
        warnings.append(f"Sentences left out: {dropped}; the engine {engine} cannot speak their script.")
    texts = [piece.text for piece in pieces]
    shown = cache(lambda: shown_text(script.normalized, texts, spoken))
    return Parts(kept, shown, tuple(warnings))


def _speakable(pieces: Sequence[Piece], engine: str, language: str) -> tuple[list[Piece], list[bool]]:
    """The pieces that the engine can speak, and for each of all whether it is one; their breaks stay.

    Raises:
        TextRefused: a piece is too long.
    """
    kept: list[Piece] = []
    spoken: list[bool] = []
    lead_s = 0.0
    for piece in pieces:
        lead_s += piece.lead_s
        try:
            check_text(piece.text, engine, chunk=True, language=language)
        except TextRefused as refusal:
            if refusal.reason == "too_long":
                raise
            spoken.append(False)
            if kept and piece.exact_s:
                kept[-1] = kept[-1].with_break(piece.exact_s)
            else:
                lead_s += piece.exact_s or 0.0
        else:
            spoken.append(True)
            kept.append(piece)
    if kept:
        kept[-1] = replace(kept[-1], pause=Pause.NONE)
        kept[0] = replace(kept[0], lead_s=round(lead_s, 3))
    return kept, spoken


def make_take(
    pieces: Sequence[Piece], style: Style, heard: Iterable[HeardPiece], pauses: Pauses, sink: SampleSink
) -> RawTake:
    """Join all pieces, as they were heard, into `sink`, with `pauses` inside and between them.

    Of `heard` one is held at a time: a chapter that lies on the disk may be longer than the memory.

    Raises:
        TextRefused: the engine made no sound of a piece (`no_speech`).
        OSError: of the sink.
    """
    whole = _JoinedTake([piece.silence_s(pauses) for piece in pieces], pieces[0].lead_s, pauses, sink)
    for piece, each in zip(pieces, heard, strict=True):
        whole.add(piece, each)
    measures = measure_take(whole.measured, whole.expected_s)
    words = () if whole.untold else tuple(whole.words)
    sounding, faults = tuple(whole.sounding), tuple(whole.faults)
    return RawTake(style, sink.whole(), whole.rate, measures, words, sounding=sounding, faults=faults)


@dataclass(slots=True)
class _JoinedTake:
    """A take while its pieces are joined."""

    silences: Sequence[float]
    lead_s: float
    pauses: Pauses
    sink: SampleSink
    rate: int = 0
    measured: list[PieceMeasures] = field(default_factory=list)
    expected_s: list[float | None] = field(default_factory=list)
    faults: list[PieceFault] = field(default_factory=list)
    sounding: list[SoundingPiece] = field(default_factory=list)
    words: list[WordTiming] = field(default_factory=list)
    untold: bool = False  # a piece of which no words are told: those of the others would mislead
    _joiner: Joiner | None = None

    def add(self, piece: Piece, heard: HeardPiece) -> None:
        """Join the next piece. Raises as `make_take`."""
        if self._joiner is None:
            self.rate = heard.sample_rate
            self._joiner = Joiner(self.silences, self.rate, lead_s=self.lead_s)
        trimmed = heard.trimmed
        if not len(trimmed.samples):
            raise _no_speech(piece.text)
        samples, edits = _evened(piece, trimmed.samples, self.rate, self.pauses)
        self.measured.append(heard.measures)
        self.expected_s.append(heard.due.expected_s)
        self.faults += [PieceFault(len(self.measured), fault) for fault in heard.faults]
        joint = self._joiner.add(samples)
        for part in joint.parts:
            self.sink.add(part)
        self.sounding.append(_sounding(piece, samples, joint.start, self.rate, self.pauses))
        self.untold = self.untold or not heard.words
        self.words += _moved_words(
            heard.words, trimmed.cut_s, edits, joint.start / self.rate, len(samples) / self.rate
        )


def _sounding(piece: Piece, samples: Samples, start: int, rate: int, pauses: Pauses) -> SoundingPiece:
    """Where a trimmed piece sounds that begins at a sample of the take."""
    begin = start / rate
    heard = tuple(
        HeardPause(pause.place, begin + pause.start_s, begin + pause.end_s)
        for pause in heard_pauses(samples, rate, _marks(piece, pauses))
    )
    return SoundingPiece(begin + LEAD_S, begin + len(samples) / rate - TRAIL_S, heard)


def rank(takes: Sequence[RawTake], *, select_best: bool) -> list[int]:
    """Indexes of `takes`, the chosen one first, the others in the order they were made.

    Without `select_best` the first is chosen that did not fail. With it: fewest faults, then what the
    verifier found least wrong, then nearest to the voice's usual pace, then the first. One that failed is
    chosen only where all did.
    """
    order = list(range(len(takes)))
    if select_best:
        best = min(order, key=lambda index: (*takes[index].standing, index))
    else:
        best = min(order, key=lambda index: (takes[index].failed, index))
    return [best, *(index for index in order if index != best)]


def _evened(
    piece: Piece, samples: Samples, sample_rate: int, pauses: Pauses
) -> tuple[Samples, tuple[PauseEdit, ...]]:
    """The speech of a piece with the pauses of its marks; no other silence is longer than a comma's."""
    return with_pauses(samples, sample_rate, _marks(piece, pauses), pauses.clause)


def _marks(piece: Piece, pauses: Pauses) -> list[Mark]:
    return [Mark(place, silence_s(kind, pauses)) for place, kind in marks_in(piece.text)]


def _moved_words(
    words: Sequence[WordTiming], cut_s: float, edits: Sequence[PauseEdit], begin: float, length: float
) -> Iterator[WordTiming]:
    """The words of a piece by the clock of the whole take; the piece begins there and lasts `length` s."""
    for word in words:
        first, last = (
            round(begin + min(max(moved(at - cut_s, edits), 0.0), length), 6) for at in (word.start, word.end)
        )
        yield replace(word, start=first, end=last)


def _no_speech(text: str) -> TextRefused:
    return TextRefused("no_speech", f"The engine made no sound of the text {text[:60]!r}.")
