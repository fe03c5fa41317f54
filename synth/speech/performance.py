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
    spoken: dict[int, Speech] = field(default_factory=dict)  # by piece


@dataclass(frozen=True, slots=True)
class _Turn:
    """One piece of a take to speak, and how often the engine failed at it."""

    attempt: _Attempt
    index: int
    failures: int = 0


class Performing:
    """One request while it is spoken: gives out what to say and hears what came of it, in any portions."""

    def __init__(
        self, request: SpeakRequest, model: Model, limits: EngineLimits, verifier: Verifier | None = None
    ) -> None:
        self._request, self._model, self._limits, self._verifier = request, model, limits, verifier
        self._care = care_of(request.profile)
        self._reads_phonemes = bool(engine_facts(request.voice.engine).phonemes)
        self._pauses = request.pauses.at_speed(request.speed)
        parts = parts_of(request, limits)
        self._pieces, self._shown, self._warnings = parts.pieces, parts.shown, parts.warnings
        self._sent = Sent(
            " ".join(without_markup(piece.text) for piece in self._pieces), request.voice.language
        )
        self._made: list[list[RawTake]] = [[] for _ in range(request.variants)]
        self._unspoken: deque[_Turn] = deque()
        self._unheard: deque[_Turn] = deque()
        self._said_again: list[str] = []  # why, of pieces that the engine failed at and then spoke
        self._styles = 0
        self.done = self.total = 0  # pieces; the total grows with each take that is made again
        self.work_s = 0.0  # its share of the time that was spent speaking
        for slot in range(request.variants):
            self._begin_take(slot)

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
        """
        for answer in answers:
            turn = self._unheard.popleft()
            if isinstance(answer, EngineFailed):
                self._say_again(turn, answer)
                continue
            turn.attempt.spoken[turn.index] = answer
            self.done += 1
            if len(turn.attempt.spoken) == len(self._pieces):
                self._judge(turn.attempt)

    def _say_again(self, turn: _Turn, error: EngineFailed) -> None:
        """With another seed, at once: of a long text a piece fails now and then, and hardly ever twice."""
        failures = turn.failures + 1
        if error.lasting or not self._limits.seed_varies:
            raise error
        if failures > self._care.retakes:
            times = "once" if failures == 1 else f"{failures} times, each with another seed"
            raise EngineFailed(f"{error.message} It was said {times}.")
        self._said_again.append(error.message)
        self._unspoken.appendleft(replace(turn, failures=failures))

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
        )

    def _begin_take(self, slot: int) -> None:
        attempt = _Attempt(slot, style_of(self._request, self._limits, self._styles))
        self._styles += 1
        self._unspoken.extend(_Turn(attempt, index) for index in range(len(self._pieces)))
        self.total += len(self._pieces)

    def _utterance(self, turn: _Turn) -> Utterance:
        voice, style, text = self._request.voice, turn.attempt.style, self._pieces[turn.index].text
        again = (turn.failures,) if turn.failures else ()
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
        spoken = [attempt.spoken[index] for index in range(len(self._pieces))]
        take = make_take(self._pieces, attempt.style, spoken, self._limits, self._pauses)
        if self._verifier is not None:
            verdict = self._verifier.verify(self._sent, take.samples, take.sample_rate)
            take = replace(take, verdict=verdict)
        made = self._made[attempt.slot]
        made.append(take)
        if self._is_wrong(take) and len(made) <= self._care.retakes:
            self._begin_take(attempt.slot)

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
    request: SpeakRequest, engine: Engine, clock: Clock, on_piece: OnPiece, verifier: Verifier | None = None
) -> Performance:
    """Speak every take of `request`; loads the engine if it is not loaded.

    Raises:
        TextRefused: the engine made no sound of a text that should have had one (`no_speech`).
        lib.errors.JobFailed: the engine failed, or no take passed the verifier.
        whatever `on_piece` raises.
    """
    performing = Performing(request, load_for(request, engine), engine.limits(), verifier)
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
        made = _speech(engine, everything)
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
