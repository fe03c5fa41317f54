"""Takes are listened to beside the engine, several in a window, and what is doubtful once more alone (V6)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from lib.errors import MissingExtra
from synth.verify.comparison import HeardWord
from synth.verify.hosted_recognizer import RecognizerFailed, RecognizerGone
from synth.verify.installed import reason_not_to
from synth.verify.listener import Answer, ListeningVerifier
from synth.verify.port import Sent, SentPiece, Unheard, Verdict
from synth.verify.sounds import EnglishSounds
from tests.unit.synth.fake_ears import RATE, WhisperedEars, voice

SOON = 20.0
#: One for all: the thread of each listener ends with the process, and a dictionary of its own with it.
READERS = {"English": EnglishSounds()}


def sent(text: str, **fields: Any) -> Sent:
    return Sent(text, "English", **fields)


class Hall:
    """A listener whose first window waits until all takes of a test have come."""

    def __init__(self, ears: WhisperedEars) -> None:
        self.ears, self.listener = ears, ListeningVerifier(ears, readers=READERS)
        self._all_here, self._inside = threading.Event(), threading.Event()
        ears.before = self._hold
        self._answers: list[Future[Answer]] = []
        self._door = self.listener.begin(sent("door"), voice(99), RATE)
        assert self._inside.wait(SOON)

    def _hold(self) -> None:
        self._inside.set()
        assert self._all_here.wait(SOON)

    def say(self, number: int, text: str, seconds: float = 1.0) -> Future[Answer]:
        self._answers.append(self.listener.begin(sent(text), voice(number, seconds), RATE))
        return self._answers[-1]

    def verdicts(self) -> list[Answer]:
        self._all_here.set()
        assert self._door.result(SOON)
        return [future.result(SOON) for future in self._answers]


@pytest.fixture
def hall() -> Iterator[Hall]:
    made = Hall(WhisperedEars({99: "door"}))
    yield made
    made.listener.close()


def oks(answers: list[Answer]) -> list[bool]:
    assert all(isinstance(each, Verdict) for each in answers)
    return [isinstance(each, Verdict) and each.ok for each in answers]


class TestWindows:
    def test_are_shared_by_what_waits(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came", 2: "stop the car", 3: "yes"}
        for number, text in ((1, "Nobody came."), (2, "Stop the car."), (3, "Yes.")):
            hall.say(number, text)
        assert oks(hall.verdicts()) == [True, True, True]
        assert hall.ears.windows == [(99,), (1, 2, 3)]
        assert hall.ears.careful == []

    def test_hold_thirty_seconds_at_most(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came", 2: "stop the car", 3: "yes it is"}
        for number, text in ((1, "Nobody came."), (2, "Stop the car."), (3, "Yes, it is.")):
            hall.say(number, text, seconds=13.5)
        assert oks(hall.verdicts()) == [True, True, True]
        assert hall.ears.windows == [(99,), (1, 2), (3,)]

    def test_are_not_shared_by_takes_that_are_chosen_by_what_is_heard(self, hall: Hall) -> None:
        """Which wait at once is chance: the same job chooses the same take on every machine."""
        hall.ears.said |= {1: "nobody came", 2: "stop the car", 3: "yes", 4: "it is", 5: "very well"}
        hall.say(1, "Nobody came.")
        both = np.concatenate([voice(2), voice(3)])
        pieces = (SentPiece("Stop the car.", 0.0, 1.0), SentPiece("Yes.", 1.0, 2.0))
        wish = sent("Stop the car. Yes.", ranked=True, stretches=pieces)
        ranked = hall.listener.begin(wish, both, RATE)
        hall.say(4, "It is.")
        hall.say(5, "Very well.")
        assert oks([*hall.verdicts(), ranked.result(SOON)]) == [True] * 4
        assert hall.ears.windows == [(99,), (1, 4, 5), (2, 3)]

    def test_are_filled_with_shorter_takes_where_the_next_does_not_fit(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came", 2: "stop the car", 3: "yes it is", 4: "very well"}
        lengths = {1: 13.5, 2: 20.0, 3: 7.0, 4: 5.0}
        for number, seconds in lengths.items():
            hall.say(number, hall.ears.said[number], seconds)
        assert oks(hall.verdicts()) == [True] * 4
        assert hall.ears.windows == [(99,), (1, 3, 4), (2,)]

    def test_one_that_fails_is_heard_again_alone_and_the_better_hearing_counts(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came", 2: "", 3: "yes"}
        for number, text in ((1, "Nobody came."), (2, "Stop the car."), (3, "Yes.")):
            hall.say(number, text)
        hall.ears.said_carefully[2] = "stop the car"
        assert oks(hall.verdicts()) == [True, True, True]
        assert hall.ears.careful == [(2,)]

    def test_a_cry_that_only_a_third_hearing_understands_passes(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came", 2: ""}
        hall.ears.said_at_last[2] = "ha ha ha"
        hall.say(1, "Nobody came.")
        hall.say(2, "Ha ha ha.")
        assert oks(hall.verdicts()) == [True, True]
        assert hall.ears.careful == [(2,), (2,)]

    def test_one_that_is_longer_than_a_window_is_heard_once_more_only(self, hall: Hall) -> None:
        """Marks of time are made there anyway: a third hearing would be the second over again."""
        hall.ears.said |= {1: "nobody came"}
        hall.say(1, "Stop the car.", seconds=31.0)
        assert oks(hall.verdicts()) == [False]
        assert hall.ears.careful == [(1,)]

    def test_what_is_known_of_one_stays_known_where_the_last_hearing_fails(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came"}
        hall.say(1, "Stop the car.")

        def fails_at_last(words: list[HeardWord]) -> None:
            if len(hall.ears.careful) == 2:
                raise RecognizerGone("The process of the recogniser ended with status -9.")

        hall.ears.after = fails_at_last
        assert oks(hall.verdicts()) == [False]

    def test_those_that_pass_do_not_wait_for_one_that_is_heard_again(self, hall: Hall) -> None:
        hall.ears.said |= {1: "a thing of beauty", 2: "nobody came"}
        hall.say(1, "Stop the car.")
        passing = hall.say(2, "Nobody came.")
        answered: list[bool] = []

        def before() -> None:
            if len(hall.ears.windows) == 2:  # the one with care comes now
                answered.append(passing.done())

        hall._all_here.set()
        hall.ears.before = before
        assert oks(hall.verdicts()) == [False, True]
        assert answered[0]

    def test_one_that_is_wrong_stays_wrong(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came", 2: "a thing of beauty"}
        hall.say(1, "Nobody came.")
        hall.say(2, "Stop the car.")
        assert oks(hall.verdicts()) == [True, False]

    def test_takes_that_were_swapped_are_both_wrong(self, hall: Hall) -> None:
        hall.ears.said |= {1: "stop the car", 2: "nobody came at all"}
        hall.say(1, "Nobody came at all.")
        hall.say(2, "Stop the car.")
        assert oks(hall.verdicts()) == [False, False]

    def test_and_each_that_says_what_the_next_should(self, hall: Hall) -> None:
        texts = ["Nobody came at all.", "Stop the car.", "The well is dry.", "Seven bells rang out."]
        for number, text in enumerate(texts, start=1):
            hall.ears.said[number] = texts[number % len(texts)].strip(".")
            hall.say(number, text)
        assert oks(hall.verdicts()) == [False] * 4


class TestATakeOfManyPieces:
    def test_is_heard_piece_by_piece_and_says_which_is_wrong(self) -> None:
        ears = WhisperedEars({1: "nobody came", 2: "a thing of beauty", 3: "yes it is"})
        samples = np.concatenate([voice(1), voice(2), voice(3)])
        pieces = tuple(
            SentPiece(text, at, at + 1.0)
            for at, text in enumerate(["Nobody came.", "Stop the car.", "Yes, it is."])
        )
        listener = ListeningVerifier(ears, readers=READERS)
        wish = sent("Nobody came. Stop the car. Yes, it is.", stretches=pieces, timed=True)
        verdict = listener.begin(wish, samples, RATE).result(SOON)
        listener.close()
        assert isinstance(verdict, Verdict)
        assert not verdict.ok
        assert verdict.wrong_stretches == (1,)
        assert verdict.words[0].text == "Nobody"
        last = verdict.words[-1]
        assert (last.text, last.source) == ("is", "asr")
        assert 2.5 < last.start < last.end <= 3.0

    def test_fails_for_what_was_heard_wrong_though_some_of_it_cannot_be_heard(self) -> None:
        """One piece without sounds must not hide that another says something else."""
        verdict = self.of_three("Nobody came.", "...", "Yes, it is.")
        assert isinstance(verdict, Verdict)
        assert verdict.wrong_stretches == (0,)

    def test_does_not_pass_where_some_of_it_cannot_be_heard(self) -> None:
        answer = self.of_three("A thing of beauty.", "...", "Yes, it is.")
        assert answer == Unheard("There is no sound in the text that could be compared.")

    def of_three(self, *texts: str) -> Answer:
        ears = WhisperedEars({1: "a thing of beauty", 2: "", 3: "yes it is"})
        samples = np.concatenate([voice(1), voice(2), voice(3)])
        pieces = tuple(SentPiece(text, at, at + 1.0) for at, text in enumerate(texts))
        listener = ListeningVerifier(ears, readers=READERS)
        answer = listener.begin(sent(" ".join(texts), stretches=pieces), samples, RATE).result(SOON)
        listener.close()
        return answer


class TestWhatIsNotHeard:
    def test_what_one_take_does_to_the_recogniser_is_not_the_others_fault(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came", 2: "stop the car", 3: "yes"}
        for number, text in ((1, "Nobody came."), (2, "Stop the car."), (3, "Yes.")):
            hall.say(number, text)

        def dies(words: list[HeardWord]) -> None:
            if any(word.text == "car" for word in words):
                raise RecognizerGone("The process of the recogniser ended with status -9.")

        hall.ears.after = dies
        first, second, third = hall.verdicts()
        assert oks([first, third]) == [True, True]
        assert second == Unheard("The process of the recogniser ended with status -9.")

    def answer(self, ears: WhisperedEars, wish: Sent | None = None) -> Answer:
        listener = ListeningVerifier(ears, readers=READERS)
        answer = listener.begin(wish or sent("Nobody came."), voice(1), RATE).result(SOON)
        listener.close()
        return answer

    def test_a_language_without_sounds_is_said(self) -> None:
        answer = self.answer(WhisperedEars({}), Sent("Niemand kam.", "German"))
        assert answer == Unheard(
            "Nobody here reads the sounds of German, so nobody compared it with the text."
        )

    def test_a_language_that_the_model_does_not_know_is_said(self) -> None:
        answer = self.answer(WhisperedEars({1: "nobody came"}, known=frozenset({"ja"})))
        assert answer == Unheard("The recogniser whispered knows no English.")

    def test_a_text_without_sounds_is_said(self) -> None:
        answer = self.answer(WhisperedEars({1: "nobody came"}), sent("..."))
        assert answer == Unheard("There is no sound in the text that could be compared.")

    def test_a_word_said_many_times_and_heard_otherwise_is_said(self) -> None:
        answer = self.answer(WhisperedEars({1: "have a great time"}), sent("Ha ha ha."))
        assert answer == Unheard("It says one word many times in a row, which a recogniser does not count.")

    def test_a_recogniser_that_ends_is_asked_again_once(self) -> None:
        ears = WhisperedEars({1: "nobody came"})
        left = [RecognizerGone("it ended"), None]

        def before() -> None:
            if (trouble := left.pop(0)) is not None:
                raise trouble

        ears.before = before
        answer = self.answer(ears)
        assert isinstance(answer, Verdict)
        assert answer.ok

    @pytest.mark.parametrize(
        "trouble",
        [
            RecognizerGone("The process of the recogniser ended with status -9."),
            RecognizerFailed("The recogniser failed."),
            MissingExtra("Hearing", "verify"),
            ValueError("odd"),
        ],
    )
    def test_trouble_leaves_a_take_unverified_and_never_waiting(self, trouble: Exception) -> None:
        ears = WhisperedEars({1: "nobody came"})

        def before() -> None:
            raise trouble

        ears.before = before
        answer = self.answer(ears)
        assert isinstance(answer, Unheard)
        assert str(trouble).strip(".") in answer.why

    def test_what_nobody_waits_for_is_not_heard(self, hall: Hall) -> None:
        hall.ears.said |= {1: "nobody came", 2: "yes"}
        gone = hall.say(1, "Nobody came.")
        hall.say(2, "Yes.")
        assert gone.cancel()
        hall._answers.remove(gone)
        assert oks(hall.verdicts()) == [True]
        assert hall.ears.windows == [(99,), (2,)]

    def test_closing_answers_what_waits(self, hall: Hall) -> None:
        hall.say(1, "Nobody came.")
        hall.listener.close()
        (answer,) = hall.verdicts()
        assert answer == Unheard("The program ended before anybody listened.")


class TestWhatIsWorthHearing:
    @pytest.mark.parametrize("profile", ["fast", "balanced"])
    def test_an_engine_that_costs_less_is_not_heard(self, profile: str) -> None:
        why = reason_not_to(sent("Yes.", engine="hibari", profile=profile))
        assert why is not None
        assert "VERIFY=always" in why

    @pytest.mark.parametrize(
        ("engine", "profile"), [("hibari", "quality"), ("qwen3", "fast"), ("qwen3", "balanced"), ("", "")]
    )
    def test_others_are(self, engine: str, profile: str) -> None:
        assert reason_not_to(sent("Yes.", engine=engine, profile=profile)) is None
