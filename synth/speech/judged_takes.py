"""Takes that wait for a verifier's answer, while the engine goes on speaking where it can."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace

from lib.voices import PAUSE, engine_facts, without_markup
from synth.audio.trim import LEAD_S, TRAIL_S
from synth.speech.attempts import Attempt
from synth.speech.request import SpeakRequest
from synth.speech.takes import RawTake
from synth.text.pieces import Piece
from synth.verify import BesideVerifier, Sent, SentPiece, Unheard, Verdict, Verifier, agreed

Answer = Verdict | Unheard | None


class JudgedTakes:
    """Hands takes to a verifier and gives them back in that order: what follows is the same each time."""

    def __init__(self, verifier: Verifier | None, request: SpeakRequest, pieces: Sequence[Piece]) -> None:
        self._verifier = verifier
        facts = engine_facts(request.voice.engine)
        self._scripts = [
            PAUSE.sub(" ", piece.text) if facts.phonemes else without_markup(piece.text) for piece in pieces
        ]
        self._sent = Sent(
            " ".join(without_markup(piece.text) for piece in pieces),
            request.voice.language,
            request.voice.engine,
            request.profile,
            ranked=request.select_best,
            timed=True,  # every record has cues
        )
        self._waiting: deque[tuple[Attempt, RawTake, Future[Answer]]] = deque()
        self._earlier: list[Verdict] = []

    @property
    def waiting(self) -> int:
        """Takes that nobody gave back yet."""
        return len(self._waiting)

    def put(self, attempt: Attempt, take: RawTake) -> None:
        """Have a take judged."""
        self._waiting.append((attempt, take, self._begun(take)))

    def answered(self) -> Iterator[tuple[Attempt, RawTake]]:
        """The takes that were judged, with what came of it, up to the first that was not yet."""
        while self._waiting and self._waiting[0][2].done():
            attempt, take, future = self._waiting.popleft()
            yield attempt, self._with_answer(take, future.result())

    def wait(self, timeout_s: float | None = None) -> None:
        """Until the next one is judged, or so long."""
        if self._waiting:
            wait([self._waiting[0][2]], timeout_s)

    def _begun(self, take: RawTake) -> Future[Answer]:
        sent = replace(self._sent, stretches=self._stretches(take))
        beside: object = self._verifier
        if isinstance(beside, BesideVerifier):
            return beside.begin(sent, take.samples, take.sample_rate)
        future: Future[Answer] = Future()
        answer = None
        if self._verifier is not None:
            answer = self._verifier.verify(sent, take.samples, take.sample_rate)
        future.set_result(answer)
        return future

    def _stretches(self, take: RawTake) -> tuple[SentPiece, ...]:
        length = len(take.samples) / take.sample_rate
        return tuple(
            SentPiece(script, max(at.start - LEAD_S, 0.0), min(at.end + TRAIL_S, length))
            for script, at in zip(self._scripts, take.sounding, strict=True)
        )

    def _with_answer(self, take: RawTake, answer: Answer) -> RawTake:
        if not isinstance(answer, Verdict):
            return replace(take, unheard=answer)
        verdict = agreed(answer, self._earlier)
        self._earlier.append(answer)
        words = take.words or (verdict.words if verdict.ok else ())
        return replace(take, verdict=verdict, words=words)
