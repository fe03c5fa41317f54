"""Speak requests: their pieces go to the engine in its batches, alone or with those of other requests.

Each take is judged when its last piece is there; one that fails is made again, as the request's profile says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from lib.clock import Clock
from lib.errors import BadConfiguration, Unavailable
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
    answers_of,
    load_model,
)
from synth.speech.attempts import Attempt, Try, Turn, evidence, rejected
from synth.speech.heard_pieces import HeardPiece, hear_piece, is_sound
from synth.speech.judged_takes import JudgedTakes
from synth.speech.kept_pieces import KeptPiece, KeptPieces, piece_key
from synth.speech.rejected_audio import NotVerified
from synth.speech.request import SpeakRequest, derived_seed
from synth.speech.speaking_pace import SpeakingPace
from synth.speech.takes import Performance, RawTake, make_take, parts_of, style_of
from synth.verify import Verifier, care_of

#: Called after each call of the engine with (pieces done, pieces in all). What it raises ends the work.
OnPiece = Callable[[int, int], None]


_MOST_SAID_AGAIN: Final = 10  # told in warnings

#: What an engine makes of one utterance.
Answer = Speech | EngineFailed


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
        self._judged_takes = JudgedTakes(verifier, request, self._pieces)
        self._made: list[list[RawTake]] = []  # by variant
        self._pace = SpeakingPace.of(request.voice, limits, 1.0)
        self._unspoken: deque[Turn] = deque()
        self._unheard: deque[Turn] = deque()
        self._said_again: list[str] = []  # why, of pieces that the engine failed at and then spoke
        self._styles = 0
        self.done = self.total = 0  # pieces; the total grows with each take that is made again
        self.resumed = 0  # pieces that lay there and were not spoken
        self.saved = 0  # pieces that were spoken and lie on the disk now
        self.work_s = 0.0  # its share of the time that was spent speaking
        for _ in range(1 if self._stops_early else request.variants):
            self._begin_variant()
        if self._kept is not None and self.resumed:
            self._kept.say(f"{self.resumed} of {self.total} pieces were already spoken")

    @property
    def pending(self) -> int:
        """Pieces that are still to be given out."""
        return len(self._unspoken)

    @property
    def waiting(self) -> int:
        """Takes that are still listened to; with it and `pending` 0, all are made."""
        return self._judged_takes.waiting

    def wait(self, timeout_s: float | None = None) -> None:
        """Until a take was listened to, or so long; what follows from it comes with the next `hear`."""
        self._judged_takes.wait(timeout_s)

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
        self._hear_back()
        for answer in answers:
            turn = self._unheard.popleft()
            if turn.index in turn.attempt.heard:  # the engine failed at another part of it
                continue
            if isinstance(answer, Speech) and not is_sound(answer.samples):
                answer = EngineFailed("The engine made values that are no sound.")
            if isinstance(answer, EngineFailed):
                self._say_again(turn, answer)
            elif turn.split is None:
                self._weigh(turn, answer)
            else:
                whole = turn.split.put(turn.part, answer, self._pauses.clause)
                if whole is not None:
                    self._weigh(turn, whole)

    def _say_again(self, turn: Turn, error: EngineFailed) -> None:
        """With another seed, at once: of a long text a piece fails now and then, and hardly ever twice."""
        failures = len(turn.again) + 1
        if error.lasting or not self._limits.seed_varies or failures > self._care.retakes:
            if turn.tries:
                self._settle(turn)
                return
            times = "once" if failures == 1 else f"{failures} times, each with another seed"
            again = not error.lasting and self._limits.seed_varies
            raise EngineFailed(f"{error.message} It was said {times}.") if again else error
        self._said_again.append(error.message)
        self._unspoken.appendleft(replace(turn, again=(*turn.again, error.message)))

    def _weigh(self, turn: Turn, speech: Speech) -> None:
        """Keep the piece, or have it said again where the signal has a fault: whole, at last in parts.

        Of a chapter one piece in a hundred is broken; to make all of it again would break another.
        """
        text = self._pieces[turn.index].text
        heard = hear_piece(text, speech, replace(self._pace, speed=turn.attempt.style_of(turn.index).speed))
        tried = replace(turn, tries=(*turn.tries, Try(self._utterance(turn).seed, speech, heard)))
        if not heard.faults or turn.split is not None:
            self._settle(tried)
        elif self._limits.seed_varies and len(tried.tries) <= self._care.retakes:
            self._unspoken.appendleft(tried)
        elif parts := list(tried.in_parts(self._request.voice.language, text)):
            self._unspoken.extendleft(reversed(parts))
        else:
            self._settle(tried)

    def _settle(self, turn: Turn) -> None:
        """Keep the best of what was tried of the piece."""
        attempt, best = turn.attempt, min(turn.tries, key=lambda each: each.heard.standing)
        turn.reject(best, of_several=len(self._pieces) > 1)
        attempt.heard[turn.index] = self._keep(turn, best)
        if turn.split is not None:
            self._unspoken = deque(other for other in self._unspoken if other.split is not turn.split)
        self.done += 1
        if len(attempt.heard) == len(self._pieces):
            self._judge(attempt)

    def performance(self) -> Performance:
        """All takes, when none is pending.

        Raises:
            NotVerified: none passed; the sentence holds the evidence.
        """
        takes = [self._best_of(attempts) for attempts in self._made]
        failed = {made: evidence(take) for made, take in enumerate(takes, start=1) if take.failed}
        warnings = [f"Take {made} did not pass: {why}." for made, why in failed.items()]
        warnings += [f"Said again with another seed: {why}" for why in self._said_again[:_MOST_SAID_AGAIN]]
        performance = Performance(
            self._request,
            self._model,
            takes,
            len(self._pieces),
            (*self._warnings, *warnings),
            self.work_s,
            self._shown,
            self._kept,
        )
        if self._care.refuses and len(failed) == len(takes):
            told = "; ".join(f"take {made}: {why}" for made, why in failed.items())
            raise NotVerified(f"No take is good enough, however often it was made: {told}.", performance)
        return performance

    @property
    def _stops_early(self) -> bool:
        """Whether variants are made one after the other, until one could be no better."""
        return self._request.select_best and self._verifier is not None

    def _begin_variant(self) -> None:
        self._made.append([])
        self._begin_take(len(self._made) - 1)

    def _begin_take(self, slot: int, before: Attempt | None = None, wrong: Sequence[int] = ()) -> None:
        """Begin a take of the variant; of the one `before`, what was not heard wrong stands."""
        style = style_of(self._request, self._limits, self._styles)
        attempt = Attempt(slot, style) if before is None or not wrong else before.again(wrong, style)
        self._styles += 1
        missing = [index for index in range(len(self._pieces)) if index not in attempt.heard]
        self.total += len(missing)
        for index in missing:
            found = self._find(Turn(attempt, index))
            if found is None:
                self._unspoken.append(Turn(attempt, index))
                continue
            attempt.heard[index] = found
            self._said_again += found.again
            self.done += 1
            self.resumed += 1
        if len(attempt.heard) == len(self._pieces):
            self._judge(attempt)

    def _find(self, turn: Turn) -> KeptPiece | None:
        return None if self._kept is None else self._kept.find(self._key(turn), self._model)

    def _keep(self, turn: Turn, tried: Try) -> HeardPiece | KeptPiece:
        if self._kept is None:
            return tried.heard
        kept = self._kept.keep(self._key(turn), tried.speech, turn.again)
        if kept is None:
            return tried.heard
        self.saved += 1
        return kept

    def _key(self, turn: Turn) -> str:
        """By its first seed, with whichever it was spoken at last: it is found without failing again."""
        first = self._utterance(Turn(turn.attempt, turn.index))
        return piece_key(self._request.voice.engine, self._model, first)

    def _utterance(self, turn: Turn) -> Utterance:
        voice, text = self._request.voice, self._pieces[turn.index].text
        style = turn.attempt.style_of(turn.index)
        if turn.split is not None:
            text = turn.split.texts[turn.part]
        return Utterance(
            text=text if self._reads_phonemes else without_markup(text),
            language=voice.language,
            preset=voice.preset,
            seed=derived_seed(style.seed, *turn.seed_parts),
            speed=style.speed,
            intonation=style.intonation,
            profile=self._request.profile,
            reference=voice.reference,
            design=voice.design,
        )

    def _judge(self, attempt: Attempt) -> None:
        """Join the take, and have it judged."""
        heard = (self._heard(attempt, index) for index in range(len(self._pieces)))
        take = make_take(self._pieces, attempt.style, heard, self._pauses, self._sink())
        self._judged_takes.put(attempt, take)
        self._hear_back()

    def _hear_back(self) -> None:
        for attempt, take in self._judged_takes.answered():
            self._judged(attempt, take)

    def _judged(self, attempt: Attempt, take: RawTake) -> None:
        """Keep the take; make it again where it was heard wrong and may be made again.

        What the signal alone has against it was mended piece by piece, as far as that goes.
        """
        take = replace(take, rejected=tuple(attempt.rejected))
        made = self._made[attempt.slot]
        made.append(take)
        if take.misheard and len(made) <= self._care.retakes:
            self._begin_take(attempt.slot, attempt, take.wrong_pieces)
        elif self._stops_early and len(self._made) < self._request.variants and not take.perfect:
            self._begin_variant()

    def _heard(self, attempt: Attempt, index: int) -> HeardPiece:
        found = attempt.heard[index]
        if isinstance(found, HeardPiece):
            return found
        assert self._kept is not None, "who keeps none has none"
        pace = replace(self._pace, speed=attempt.style_of(index).speed)
        return hear_piece(self._pieces[index].text, self._kept.speech(found), pace)

    def _sink(self) -> SampleSink:
        return MemorySink() if self._kept is None else self._kept.sink()

    def _best_of(self, attempts: Sequence[RawTake]) -> RawTake:
        """The one that is kept, with what is known of the others."""
        best = min(attempts, key=lambda take: take.standing)
        others = [each for take in attempts if take is not best for each in (*take.rejected, rejected(take))]
        return replace(best, rejected=(*others, *best.rejected))


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
    while performing.pending or performing.waiting:
        if not performing.pending:
            performing.wait()
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
        made = answers_of(engine, everything) if everything else []
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
        made = [speech for utterance in share for speech in answers_of(engine, [utterance])]
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
