"""Speak requests: their pieces go to the engine in its batches, alone or with those of other requests.

Each take is judged when its last piece is there; one that fails is made again, as the request's profile says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lib.clock import Clock
from lib.errors import BadConfiguration, JobFailed, Unavailable
from lib.voices import engine_facts, without_markup
from synth.audio.sample_files import MemorySink, SampleSink
from synth.engines.port import (
    Engine,
    EngineFailed,
    EngineLimits,
    EngineLost,
    Model,
    Speech,
    Utterance,
    load_model,
)
from synth.speech.kept_pieces import KeptPiece, KeptPieces, piece_key
from synth.speech.request import SpeakRequest, derived_seed
from synth.speech.takes import Performance, RawTake, RejectedTake, Style, make_take, parts_of, style_of
from synth.verify import Sent, Verifier, care_of

#: Called after each call of the engine with (pieces done, pieces in all). What it raises ends the work.
OnPiece = Callable[[int, int], None]


_MOST_SAID_AGAIN: Final = 10  # told in warnings

#: What an engine makes of one utterance.
Answer = Speech | EngineFailed


class NotVerified(JobFailed):
    """No take passed the verifier, and the profile does not let that pass."""


@dataclass(slots=True)
class _Attempt:
    """A take while its pieces are spoken. `slot` is the variant it is for."""

    slot: int
    style: Style
    spoken: dict[int, Speech | KeptPiece] = field(default_factory=dict)  # by piece


@dataclass(frozen=True, slots=True)
class _Turn:
    """One piece of a take to speak, and why it has to be said again, each time that the engine failed."""

    attempt: _Attempt
    index: int
    again: tuple[str, ...] = ()


class Performing:
    """One request while it is spoken: gives out what to say and hears what came of it, in any portions.

    With `kept`, each piece is on the disk once it was heard, those that lie there already are not spoken,
    and no take is held in memory. Raises as `hear` where all of a take lies there.
    """

    def __init__(
        self,
        request: SpeakRequest,
        model: Model,
        limits: EngineLimits,
        verifier: Verifier | None = None,
        kept: KeptPieces | None = None,
    ) -> None:
        self._request, self._model, self._limits, self._verifier = request, model, limits, verifier
        self._care = care_of(request.profile)
        self._reads_phonemes = bool(engine_facts(request.voice.engine).phonemes)
        self._pauses = request.pauses.at_speed(request.speed)
        parts = parts_of(request, limits)
        self._pieces, self._shown, self._warnings = parts.pieces, parts.shown, parts.warnings
        self._kept = kept if len(parts.pieces) > 1 else None
        self._sent = Sent(
            " ".join(without_markup(piece.text) for piece in self._pieces), request.voice.language
        )
        self._made: list[list[RawTake]] = [[] for _ in range(request.variants)]
        self._unspoken: deque[_Turn] = deque()
        self._unheard: deque[_Turn] = deque()
        self._said_again: list[str] = []  # why, of pieces that the engine failed at and then spoke
        self._styles = 0
        self.done = self.total = 0  # pieces; the total grows with each take that is made again
        self.resumed = 0  # pieces that lay there and were not spoken
        self.saved = 0  # pieces that were spoken and lie on the disk now
        self.work_s = 0.0  # its share of the time that was spent speaking
        for slot in range(request.variants):
            self._begin_take(slot)
        if self._kept is not None and self.resumed:
            self._kept.say(f"{self.resumed} of {self.total} pieces were already spoken")

    @property
    def pending(self) -> int:
        """Pieces that are still to be given out; 0 when all takes are made."""
        return len(self._unspoken)

    def give(self, most: int) -> list[Utterance]:
        """The next pieces to speak, at most `most`; `hear` must get the speech of all before the next."""
        given: list[Utterance] = []
        while self._unspoken and len(given) < most:
            turn = self._unspoken.popleft()
            self._unheard.append(turn)
            given.append(self._utterance(turn))
        return given

    def hear(self, answers: Sequence[Answer]) -> None:
        """Take what became of what was given out; a piece that the engine failed at is given out again.

        Raises:
            TextRefused: the engine made no sound of a piece (`no_speech`).
            EngineFailed: it failed at a piece as often as the profile allows.
            BadConfiguration: what was spoken cannot be kept; the cause says why.
            PieceLost: what was kept cannot be read any more.
        """
        for answer in answers:
            turn = self._unheard.popleft()
            if isinstance(answer, EngineFailed):
                self._say_again(turn, answer)
                continue
            turn.attempt.spoken[turn.index] = self._keep(turn, answer)
            self.done += 1
            if len(turn.attempt.spoken) == len(self._pieces):
                self._judge(turn.attempt)

    def _say_again(self, turn: _Turn, error: EngineFailed) -> None:
        """With another seed, at once: of a long text a piece fails now and then, and hardly ever twice."""
        failures = len(turn.again) + 1
        if error.lasting or not self._limits.seed_varies:
            raise error
        if failures > self._care.retakes:
            times = "once" if failures == 1 else f"{failures} times, each with another seed"
            raise EngineFailed(f"{error.message} It was said {times}.")
        self._said_again.append(error.message)
        self._unspoken.appendleft(replace(turn, again=(*turn.again, error.message)))

    def performance(self) -> Performance:
        """All takes, when none is pending.

        Raises:
            NotVerified: none passed the verifier; the sentence holds the evidence.
        """
        takes = [self._best_of(attempts) for attempts in self._made]
        if self._care.refuses and all(take.failed for take in takes):
            evidence = "; ".join(
                f"take {made}: {_evidence(take)}" for made, take in enumerate(takes, start=1)
            )
            raise NotVerified(f"No take passed the verifier, however often it was made: {evidence}.")
        warnings = [
            f"Take {made} did not pass the verifier: {_evidence(take)}."
            for made, take in enumerate(takes, start=1)
            if take.failed
        ]
        warnings += [f"Said again with another seed: {why}" for why in self._said_again[:_MOST_SAID_AGAIN]]
        return Performance(
            self._request,
            self._model,
            takes,
            len(self._pieces),
            (*self._warnings, *warnings),
            self.work_s,
            self._shown,
            self._kept,
        )

    def _begin_take(self, slot: int) -> None:
        attempt = _Attempt(slot, style_of(self._request, self._limits, self._styles))
        self._styles += 1
        self.total += len(self._pieces)
        for index in range(len(self._pieces)):
            found = self._find(_Turn(attempt, index))
            if found is None:
                self._unspoken.append(_Turn(attempt, index))
                continue
            attempt.spoken[index] = found
            self._said_again += found.again
            self.done += 1
            self.resumed += 1
        if len(attempt.spoken) == len(self._pieces):
            self._judge(attempt)

    def _find(self, turn: _Turn) -> KeptPiece | None:
        return None if self._kept is None else self._kept.find(self._key(turn), self._model)

    def _keep(self, turn: _Turn, speech: Speech) -> Speech | KeptPiece:
        if self._kept is None:
            return speech
        kept = self._kept.keep(self._key(turn), speech, turn.again)
        if kept is None:
            return speech
        self.saved += 1
        return kept

    def _key(self, turn: _Turn) -> str:
        """By its first seed, with whichever it was spoken at last: it is found without failing again."""
        first = self._utterance(replace(turn, again=()))
        return piece_key(self._request.voice.engine, self._model, first)

    def _utterance(self, turn: _Turn) -> Utterance:
        voice, style, text = self._request.voice, turn.attempt.style, self._pieces[turn.index].text
        again = (len(turn.again),) if turn.again else ()
        return Utterance(
            text=text if self._reads_phonemes else without_markup(text),
            language=voice.language,
            preset=voice.preset,
            seed=derived_seed(style.seed, turn.index, *again),
            speed=style.speed,
            intonation=style.intonation,
            profile=self._request.profile,
            reference=voice.reference,
            design=voice.design,
        )

    def _judge(self, attempt: _Attempt) -> None:
        """Keep the take, and make it again where it fails and may be made again."""
        spoken = (self._speech(attempt.spoken[index]) for index in range(len(self._pieces)))
        take = make_take(self._pieces, attempt.style, spoken, self._limits, self._pauses, self._sink())
        if self._verifier is not None:
            verdict = self._verifier.verify(self._sent, take.samples, take.sample_rate)
            take = replace(take, verdict=verdict)
        made = self._made[attempt.slot]
        made.append(take)
        if self._is_wrong(take) and len(made) <= self._care.retakes:
            self._begin_take(attempt.slot)

    def _speech(self, spoken: Speech | KeptPiece) -> Speech:
        if isinstance(spoken, Speech):
            return spoken
        assert self._kept is not None, "who keeps none has none"
        return self._kept.speech(spoken)

    def _sink(self) -> SampleSink:
        return MemorySink() if self._kept is None else self._kept.sink()

    def _is_wrong(self, take: RawTake) -> bool:
        """Whether another try is worth while.

        A fault of the signal alone is, where another seed makes another take; an engine that says the same
        thing each time has the same fault each time.
        """
        return take.failed or (self._limits.seed_varies and bool(take.measures.flags))

    def _best_of(self, attempts: Sequence[RawTake]) -> RawTake:
        """The one that is kept, with what is known of the others."""
        best = min(attempts, key=lambda take: take.standing)
        return replace(best, rejected=tuple(_rejected(take) for take in attempts if take is not best))


def perform(
    request: SpeakRequest,
    engine: Engine,
    clock: Clock,
    on_piece: OnPiece,
    verifier: Verifier | None = None,
    kept: KeptPieces | None = None,
) -> Performance:
    """Speak every take of `request`; loads the engine if it is not loaded. `kept`: see `Performing`.

    Raises:
        TextRefused: the engine made no sound of a text that should have had one (`no_speech`).
        lib.errors.JobFailed: the engine failed, or no take passed the verifier.
        whatever `on_piece` raises.
    """
    performing = Performing(request, load_for(request, engine), engine.limits(), verifier, kept)
    if 0 < performing.resumed < performing.total:
        on_piece(performing.done, performing.total)
    while performing.pending:
        for trouble in speak_together(engine, [performing], clock):
            if trouble is not None:
                raise trouble
        on_piece(performing.done, performing.total)
    return performing.performance()


def load_for(request: SpeakRequest, engine: Engine) -> Model:
    """Have the engine load the model that speaks `request`. Raises as `Engine.load`."""
    voice = request.voice
    return load_model(engine, engine_facts(voice.engine).model_of(request.profile, voice.kind))


def speak_together(engine: Engine, together: Sequence[Performing], clock: Clock) -> list[Exception | None]:
    """Make one call of the engine for the next pieces of several requests, the first ones first.

    A call that fails is repeated piece by piece where several requests have a part in it. Returns for each
    request what is wrong with it, or None; one that is wrong must not be spoken any further.

    Raises:
        EngineLost: the engine can speak nothing more in this process.
    """
    room = batch_of(engine)
    shares: list[list[Utterance]] = []
    for performing in together:
        shares.append(performing.give(room))
        room -= len(shares[-1])
    everything = [utterance for share in shares for utterance in share]
    started = clock.monotonic()
    try:
        made = _speech(engine, everything) if everything else []
    except EngineLost:
        raise
    except (BadConfiguration, Unavailable) as error:  # no text's failure
        return [error if share else None for share in shares]
    except Exception as error:  # whatever it is, it is one request's alone if it comes again
        if sum(map(bool, shares)) < 2:
            return [error if share else None for share in shares]
        return [_apart(engine, *pair, clock) for pair in zip(together, shares, strict=True)]
    each_s = (clock.monotonic() - started) / max(len(everything), 1)
    troubles = []
    for performing, share in zip(together, shares, strict=True):
        mine, made = made[: len(share)], made[len(share) :]
        performing.work_s += each_s * len(share)
        troubles.append(_heard(performing, mine, clock))
    return troubles


def batch_of(engine: Engine) -> int:
    """How many pieces one call speaks."""
    return max(engine.limits().batch, 1)


def _apart(
    engine: Engine, performing: Performing, share: Sequence[Utterance], clock: Clock
) -> Exception | None:
    """The pieces of one request, one by one."""
    started = clock.monotonic()
    try:
        made = [speech for utterance in share for speech in _speech(engine, [utterance])]
    except EngineLost:
        raise
    except Exception as error:
        return error
    performing.work_s += clock.monotonic() - started
    return _heard(performing, made, clock)


def _heard(performing: Performing, made: Sequence[Answer], clock: Clock) -> Exception | None:
    started = clock.monotonic()
    try:
        performing.hear(made)
    except Exception as error:
        return error
    performing.work_s += clock.monotonic() - started
    return None


def _speech(engine: Engine, utterances: Sequence[Utterance]) -> list[Answer]:
    made = list(engine.speak(utterances))
    if len(made) != len(utterances):
        raise EngineFailed(f"The engine {engine.name} answered {len(made)} of {len(utterances)} texts.")
    return made


def _rejected(take: RawTake) -> RejectedTake:
    if take.verdict is not None and not take.verdict.ok:
        return RejectedTake(take.style, take.verdict.why, take.verdict.score)
    score = None if take.verdict is None else take.verdict.score
    return RejectedTake(
        take.style, f"faults of the signal: {', '.join(take.measures.flags) or 'none'}", score
    )


def _evidence(take: RawTake) -> str:
    """Why a take failed, and its predecessors."""
    whys = [*(rejected.why for rejected in take.rejected), take.verdict.why if take.verdict else ""]
    times = "once" if len(whys) == 1 else f"{len(whys)} times"
    return f"made {times} ({' / '.join(dict.fromkeys(whys))})"
