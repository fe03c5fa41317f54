"""The verifier that listens: takes are written down by a recogniser and held against what was sent.

It listens in a thread of its own, to whatever waits: while a window is heard, others are spoken, and those
share the next one. A part that does not pass there is heard again, alone and with care, and the best hearing
counts: in a window of many, a recogniser leaves out a word now and then.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import soxr

from lib.errors import JobRunnerError
from lib.records import WordTiming
from synth.audio.levels import Samples
from synth.verify.comparison import Comparison, HeardWord, compare
from synth.verify.hosted_recognizer import HEARING_RATE, Recognizer, RecognizerFailed, RecognizerGone
from synth.verify.judgement import miscounted, passes, verdict_of
from synth.verify.port import Sent, SentPiece, Unheard, Verdict
from synth.verify.sounds import EnglishSounds, SoundReader
from synth.verify.windows import LONGEST_WINDOW_S, sharing, window_of

Answer = Verdict | Unheard | None
_T = TypeVar("_T")

#: By the names of jobs: what recognisers call the languages whose sounds can be read here.
_CODES: Final = {"English": "en"}
#: A recogniser's times in a window may be off by so much, and those of some words by more.
_ASIDE_S: Final = 0.5
_MOST_THERE: Final = 0.6
_MOST_FAILURES: Final = 2  # of the parts of a window that failed: then it is the recogniser, not they
_COUNTLESS: Final = "It says one word many times in a row, which a recogniser does not count."
_NOTHING: Final = Comparison(0, 0.0, (), ())  # of a stretch that nobody heard
_MOST_ASKED: Final = 64  # parts that wait, for a window; a long text has hundreds


@dataclass(slots=True, eq=False)
class _Wish:
    """One take to hear."""

    sent: Sent
    samples: Samples
    sample_rate: int
    future: Future[Answer]
    found: dict[int, Comparison] = field(default_factory=dict)  # by stretch
    unheard: dict[int, str] = field(default_factory=dict)  # why not, of the others

    @property
    def stretches(self) -> Sequence[SentPiece]:
        return self.sent.stretches or (SentPiece(self.sent.text, 0.0, len(self.samples) / self.sample_rate),)


@dataclass(frozen=True, slots=True, eq=False)
class _HeardPart:
    """One stretch of a take."""

    wish: _Wish
    index: int
    stretch: SentPiece

    @property
    def is_settled(self) -> bool:
        """Whether nobody has to listen to it any more."""
        wish = self.wish
        return wish.future.done() or self.index in wish.found or self.index in wish.unheard

    def samples(self) -> Samples:
        """What is heard of it, at HEARING_RATE."""
        rate = self.wish.sample_rate
        first, last = round(self.stretch.start * rate), round(self.stretch.end * rate)
        heard: Samples = soxr.resample(self.wish.samples[max(first, 0) : last], rate, HEARING_RATE)
        return heard


class ListeningVerifier:
    """Hears takes with `recognizer`. `reason_not_to` says why a take is not worth it, or nothing.

    Threads: any. Its own begins with the first take and ends with the process.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        reason_not_to: Callable[[Sent], str | None] = lambda sent: None,
        readers: Mapping[str, SoundReader] | None = None,
    ) -> None:
        self.name = recognizer.name
        self._recognizer, self._reason_not_to = recognizer, reason_not_to
        self._readers = {"English": EnglishSounds()} if readers is None else readers
        self._waiting: deque[_HeardPart] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def verify(self, sent: Sent, samples: Samples, sample_rate: int) -> Answer:
        """See Verifier: waits until it was heard."""
        return self.begin(sent, samples, sample_rate).result()

    def begin(self, sent: Sent, samples: Samples, sample_rate: int) -> Future[Answer]:
        """See BesideVerifier. The future may be cancelled: then nobody listens to what is left of it."""
        future: Future[Answer] = Future()
        why = self._why_not(sent)
        if why is not None:
            future.set_result(Unheard(why))
            return future
        wish = _Wish(sent, samples, sample_rate, future)
        with self._changed:
            self._waiting.extend(_HeardPart(wish, index, each) for index, each in enumerate(wish.stretches))
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="listen", daemon=True)
                self._thread.start()
            self._changed.notify()
        return future

    def close(self) -> None:
        """End the recogniser; what nobody listened to stays unheard."""
        with self._changed:
            left = list(dict.fromkeys(part.wish for part in self._waiting))
            self._waiting.clear()
        for wish in left:
            _answer(wish, Unheard("The program ended before anybody listened."))
        self._recognizer.close()

    def _why_not(self, sent: Sent) -> str | None:
        if sent.language not in self._readers or sent.language not in _CODES:
            return f"Nobody here reads the sounds of {sent.language}, so nobody compared it with the text."
        return self._reason_not_to(sent)

    # --- in the thread that listens ----------------------------------------------------------------------

    def _listen(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                parts = self._next_parts()
            if not parts:
                continue
            try:
                self._hear_or_leave(parts)
            except JobRunnerError as error:  # nothing can be heard here
                for part in parts:
                    _answer(part.wish, Unheard(str(error)))

    def _hear_or_leave(self, parts: Sequence[_HeardPart]) -> None:
        """Hear all; each alone where it fails together: what one does is not the others' fault."""
        why = self._trouble(parts)
        failures = 0
        for part in parts:
            if why is None or part.is_settled:
                continue
            if len(parts) > 1 and failures < _MOST_FAILURES:
                why = self._trouble([part]) or why
            if not part.is_settled:
                failures += 1
                self._leave([part], why)

    def _trouble(self, parts: Sequence[_HeardPart]) -> str | None:
        """Hear them; why that failed, or None. Raises JobRunnerError."""
        try:
            self._hear_together(parts)
        except RecognizerFailed as error:
            return str(error)
        except JobRunnerError:
            raise
        except Exception as error:  # a fault of ours must not leave a job waiting for ever
            return f"Listening failed: {type(error).__name__}: {error}."
        return None

    def _next_parts(self) -> list[_HeardPart]:
        """Those that share the next window, the one that waits longest first; of a take that nobody waits
        for, none."""
        waiting = [part for part in self._waiting if not part.wish.future.done()]
        asked = [part for part in waiting if _may_share(waiting[0].wish, part.wish)][:_MOST_ASKED]
        taken = [asked[place] for place in sharing([each.stretch.end - each.stretch.start for each in asked])]
        gone = set(taken)
        self._waiting = deque(part for part in waiting if part not in gone)
        return taken

    def _hear_together(self, parts: Sequence[_HeardPart]) -> None:
        language = parts[0].wish.sent.language
        known = self._known_languages()
        if known is not None and _CODES[language] not in known:
            self._leave(parts, f"The recogniser {self.name} knows no {language}.")
            return
        doubtful: list[tuple[_HeardPart, Comparison]] = []  # which those that are sound do not wait for
        for part, found in zip(parts, self._heard(parts), strict=True):
            if not found.sounds:
                self._leave([part], "There is no sound in the text that could be compared.")
            elif passes(found) and (len(parts) == 1 or _in_place(found, part)):
                self._found(part, found)
            else:
                doubtful.append((part, found))
        for part, found in doubtful:
            best = self._heard_alone(part, [found] if _in_place(found, part) else [])
            if miscounted(best, part.stretch.script):
                self._leave([part], _COUNTLESS)
            else:
                self._found(part, best)

    def _heard_alone(self, part: _HeardPart, before: Sequence[Comparison]) -> Comparison:
        """The best of what was heard `before` and with care now; a cry or a word of two letters is at times
        heard without marks of time only, which only one window can be."""
        heard = [*before, *self._heard([part], careful=True, marked=True)]
        if not passes(heard[-1]) and part.stretch.end - part.stretch.start <= LONGEST_WINDOW_S:
            with contextlib.suppress(RecognizerFailed):  # what is known stays known
                heard += self._heard([part], careful=True)
        return min(heard, key=_standing)

    def _known_languages(self) -> frozenset[str] | None:
        return _again_if_gone(self._recognizer.languages)

    def _heard(
        self, parts: Sequence[_HeardPart], *, careful: bool = False, marked: bool = False
    ) -> list[Comparison]:
        """What came of each part, heard in one go; the times of its words are those of its take."""
        sent = parts[0].wish.sent
        window = window_of([part.samples() for part in parts])
        timed = len(parts) > 1 or sent.timed  # several: to know which said what

        def hear() -> list[HeardWord]:
            language = _CODES[sent.language]
            return self._recognizer.hear(
                window.samples, language, timed=timed, careful=careful, marked=marked
            )

        words = _again_if_gone(hear)
        found = compare([part.stretch.script for part in parts], words, self._readers[sent.language])
        return [
            replace(each, words=_moved(each.words, part, begin))
            for each, part, begin in zip(found, parts, window.begins, strict=True)
        ]

    def _found(self, part: _HeardPart, found: Comparison) -> None:
        wish = part.wish
        wish.found[part.index] = _within(found, part.stretch) if wish.sent.timed else replace(found, words=())
        self._answer_when_settled(wish)

    def _leave(self, parts: Sequence[_HeardPart], why: str) -> None:
        for part in parts:
            part.wish.unheard[part.index] = why
            self._answer_when_settled(part.wish)

    def _answer_when_settled(self, wish: _Wish) -> None:
        """What was heard wrong fails the take, whatever was not heard; to pass, all has to be heard."""
        if len(wish.found) + len(wish.unheard) < len(wish.stretches):
            return
        in_order = [wish.found.get(index, _NOTHING) for index in range(len(wish.stretches))]
        verdict = verdict_of(in_order, self.name)
        _answer(wish, Unheard(min(wish.unheard.items())[1]) if wish.unheard and verdict.ok else verdict)


def _may_share(one: _Wish, other: _Wish) -> bool:
    """One language each. Which share one depends on which wait: ranked takes share none with others."""
    alike = one.sent.language == other.sent.language
    return one is other or (alike and not (one.sent.ranked or other.sent.ranked))


def _again_if_gone(ask: Callable[[], _T]) -> _T:
    """A process may end for reasons of its own, out of memory say: another one is asked once."""
    try:
        return ask()
    except RecognizerGone:
        return ask()


def _answer(wish: _Wish, answer: Answer) -> None:
    """Unless somebody answered it, or nobody wants to know any more."""
    if not wish.future.done() and wish.future.set_running_or_notify_cancel():
        wish.future.set_result(answer)


def _standing(found: Comparison) -> tuple[bool, float]:
    return not passes(found), found.errors


def _moved(words: Sequence[WordTiming], part: _HeardPart, begin: float) -> tuple[WordTiming, ...]:
    """The words by the clock of the take; in a window they may be outside of its stretch."""
    by = part.stretch.start - begin
    return tuple(
        replace(word, start=round(word.start + by, 3), end=round(word.end + by, 3)) for word in words
    )


def _in_place(found: Comparison, part: _HeardPart) -> bool:
    """Whether the words were heard where the part sounds: what another take says instead is not its own."""
    start, end = part.stretch.start - _ASIDE_S, part.stretch.end + _ASIDE_S
    there = sum(start <= (word.start + word.end) / 2 <= end for word in found.words)
    return there >= _MOST_THERE * len(found.words)


def _within(found: Comparison, stretch: SentPiece) -> Comparison:
    """The same, none of its words outside of the stretch."""

    def at(moment: float) -> float:
        return min(max(moment, stretch.start), stretch.end)

    return replace(
        found, words=tuple(replace(word, start=at(word.start), end=at(word.end)) for word in found.words)
    )
