"""espeak passes the suite of all engines with the real library, and what is its own holds."""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.clock import SystemClock
from lib.voices import VoiceRegistry, engine_facts
from synth.engines import Engine, EngineFailed, Speech, Utterance, create_engine
from synth.engines.espeak.engine import EspeakEngine
from synth.engines.espeak.hosted_library import HostedLibrary
from synth.engines.espeak.package import LibraryFiles, files_of_package
from synth.speech.performance import perform
from synth.speech.request import SpeakRequest
from tests.contract.engines.conformance import SPOKEN, EngineConformance, Failing, samples_of
from tests.contract.engines.pitch import median_pitch

pytestmark = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason="eSpeak NG is not installed (the extra espeak)"
)

SENTENCE = "The old harbour lay quiet under a thin morning fog. Nobody had thought of the second key."
ROOT = Path(__file__).parents[3]
PEER = """
import sys, time
from synth.engines import create_engine
engine = create_engine("espeak")
engine.load()
print(engine._library.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = create_engine("espeak")
    made.load()
    return made


class TestEspeak(EngineConformance):
    @pytest.fixture
    def failing(self, monkeypatch: pytest.MonkeyPatch) -> Failing:
        """The library is asked for a voice that it has not, at texts with the word."""
        speak = HostedLibrary.speak

        @contextmanager
        def lasts(word: str) -> Iterator[None]:
            def asked(self: HostedLibrary, text: str, voice: str, **parameters: int) -> Any:
                return speak(self, text, "nobody" if word in text else voice, **parameters)

            with monkeypatch.context() as patch:
                patch.setattr(HostedLibrary, "speak", asked)
                yield

        return lasts


def say(text: str = SENTENCE, language: str = "English", preset: str = "low", **more: Any) -> Utterance:
    return Utterance(text, language, preset, more.pop("seed", 7), **more)


def one(engine: Engine, *args: Any, **more: Any) -> Speech:
    (answer,) = engine.speak([say(*args, **more)])
    assert isinstance(answer, Speech), answer
    return answer


class TestATake:
    def test_is_the_same_whatever_was_spoken_before_it_and_wherever(self, engine: Engine) -> None:
        """The library keeps a state, which makes a text sound a little different the second time."""
        first = one(engine, seed=1).samples
        mixed = [say(text, language) for language, text in SPOKEN.items()]
        engine.speak(mixed)
        last = samples_of(engine.speak([*reversed(mixed), say(preset="high"), say(seed=2)])[-1])

        assert np.array_equal(first, last)
        assert np.array_equal(first, one(create_engine("espeak")).samples)

    @pytest.mark.parametrize("speed", [0.5, 0.8, 1.1, 2.0])
    def test_is_as_quick_as_it_is_asked_to_be(self, engine: Engine, speed: float) -> None:
        text = "The old harbour lay quiet under a thin morning fog."
        plain, paced = (one(engine, text, speed=each).words[-1].end for each in (1.0, speed))
        assert plain / paced == pytest.approx(speed, rel=0.03)

    @pytest.mark.parametrize("language", sorted(SPOKEN))
    def test_has_room_above_it_with_each_speaker(self, engine: Engine, language: str) -> None:
        presets = sorted(set(engine.speakers().values()))
        answers = engine.speak([say(SPOKEN[language], language, preset) for preset in presets])
        assert all(0.2 < np.abs(samples_of(answer)).max() < 0.95 for answer in answers)

    @pytest.mark.parametrize("language", sorted(SPOKEN))
    def test_has_no_fault_of_the_signal(self, engine: Engine, language: str) -> None:
        request = SpeakRequest(SPOKEN[language], VoiceRegistry().resolve(None, "Ryan", language, "espeak"))
        (take,) = perform(request, engine, SystemClock(), lambda done, total: None).takes
        assert take.flags == ()

    def test_of_another_language_is_spoken_by_that_languages_rules(self, engine: Engine) -> None:
        texts = [("Eins zwei drei", "German"), ("Eins zwei drei", "Italian"), ("Eins zwei drei", "French")]
        made = [one(engine, text, language).samples for text, language in texts]
        assert len({samples.tobytes() for samples in made}) == 3

    def test_tells_when_each_word_sounds(self, engine: Engine) -> None:
        speech = one(engine, "Heute, sagte er, ist schönes Wetter.", "German")

        assert [word.text for word in speech.words] == ["Heute", "sagte", "er", "ist", "schönes", "Wetter"]
        assert {word.source for word in speech.words} == {"engine"}
        assert all(word.start < word.end for word in speech.words)
        assert all(a.end <= b.start for a, b in itertools.pairwise(speech.words))
        assert speech.words[-1].end <= len(speech.samples) / speech.sample_rate
        comma = speech.samples[round(speech.words[0].end * 24_000) : round(speech.words[1].start * 24_000)]
        assert len(comma) > 0.05 * 24_000
        assert np.abs(comma).max() < 0.02

    @pytest.mark.parametrize("language", sorted({*SPOKEN} - {"Chinese", "Japanese"}))
    def test_tells_no_word_less_than_the_text_has(self, engine: Engine, language: str) -> None:
        words = one(engine, f"{SPOKEN[language]} 21, 2024.", language).words
        assert [word.text for word in words] == [*SPOKEN[language].replace(".", "").split(), "21", "2024"]
        assert all(word.start < word.end for word in words)
        assert all(a.end <= b.start for a, b in itertools.pairwise(words))


def test_presets_are_at_least_twenty_hertz_apart_and_as_their_table_says(engine: Engine) -> None:
    presets = engine_facts("espeak").presets
    pitches = {name: median_pitch(one(engine, preset=name).samples) for name in presets}

    assert all(above - below >= 20 for below, above in itertools.pairwise(sorted(pitches.values()))), pitches
    own = pitches["low"]
    assert {name: round(pitch / own, 2) for name, pitch in pitches.items()} == pytest.approx(
        {name: preset.pitch for name, preset in presets.items()}, rel=0.04
    )


class TestATextOfAnotherLanguage:
    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
        """Text and voice of everything that the library is asked for."""
        found: list[tuple[str, str]] = []
        speak = HostedLibrary.speak

        def noted(self: HostedLibrary, text: str, voice: str, **parameters: int) -> Any:
            found.append((text, voice))
            return speak(self, text, voice, **parameters)

        monkeypatch.setattr(HostedLibrary, "speak", noted)
        return found

    @staticmethod
    def performed(engine: Engine, text: str, language: str) -> tuple[str, ...]:
        request = SpeakRequest(text, VoiceRegistry().resolve(None, "Ryan", language, "espeak"))
        request.check()
        return perform(request, engine, SystemClock(), lambda done, total: None).warnings

    def test_goes_around_the_front_end_for_english(self, engine: Engine, sent: list[tuple[str, str]]) -> None:
        assert self.performed(engine, "Das kostet 21 € am 3. Mai.", "German") == ()
        self.performed(engine, "It costs $21.", "English")

        assert sent == [("Das kostet 21 € am 3. Mai.", "de"), ("It costs twenty one dollars.", "en-us")]

    def test_loses_letters_whose_names_would_be_said_and_a_warning_tells(
        self, engine: Engine, sent: list[tuple[str, str]]
    ) -> None:
        warnings = self.performed(engine, "Das heißt мир, Frieden.", "German")

        assert [text.split() for text, _ in sent] == [["Das", "heißt", ",", "Frieden."]]
        assert warnings == ("The engine espeak leaves out letters of other scripts: 'мир'.",)


class TestTheProcessOfTheLibrary:
    @pytest.fixture
    def own(self) -> Iterator[EspeakEngine]:
        made = create_engine("espeak")
        assert isinstance(made, EspeakEngine)
        made.load()
        yield made
        if made._library is not None:
            made._library.close()

    @staticmethod
    def pid(engine: EspeakEngine) -> int:
        assert engine._library is not None
        return engine._library.pid

    def test_that_is_killed_fails_one_text_and_is_replaced(self, own: EspeakEngine) -> None:
        whole = one(own).samples
        os.kill(self.pid(own), signal.SIGKILL)

        failed, spoken = own.speak([say("A text that is lost."), say()])

        assert isinstance(failed, EngineFailed)
        assert "'A text that is lost.': its process ended with status -9" in str(failed)
        assert np.array_equal(samples_of(spoken), whole)

    def test_survives_a_crash_over_a_text_and_names_it(self, own: EspeakEngine) -> None:
        pid = self.pid(own)
        with over_a_long_text(own) as answers:
            os.kill(child_of(pid), signal.SIGSEGV)

        assert isinstance(answers[0], EngineFailed)
        assert "'word word word" in str(answers[0])
        assert str(answers[0]).endswith("signal SIGSEGV ended it.")
        assert len(one(own).samples) > 0
        assert self.pid(own) == pid

    def test_survives_what_nobody_says(self, own: EspeakEngine) -> None:
        pid = self.pid(own)
        marks = "<b>&amp;[[h@'loU]]{}|\\\x00\x1b\u200b\u202e\ufeff\U0001f600½²™ שלום 今 \udcff" * 6
        answers = own.speak(
            [say(text, each) for each in ("English", "Japanese") for text in (marks, "", "x" * 300, "9" * 60)]
        )

        assert not [answer for answer in answers if isinstance(answer, EngineFailed)]
        assert self.pid(own) == pid

    def test_goes_on_when_all_of_a_terminal_are_to_stop(self, own: EspeakEngine) -> None:
        pid = self.pid(own)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(pid, number)

        assert len(one(own).samples) > 0
        assert self.pid(own) == pid

    def test_ends_with_its_engine(self) -> None:
        made = create_engine("espeak")
        assert isinstance(made, EspeakEngine)
        made.load()
        watch = os.pidfd_open(self.pid(made))
        del made
        assert_ends(watch)

    def test_ends_with_the_process_that_asks_it_however_that_ends(self) -> None:
        argv = [sys.executable, "-P", "-c", PEER]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        with subprocess.Popen(argv, env=environ, stdin=pipe, stdout=pipe, text=True) as peer:
            assert peer.stdout is not None
            watch = os.pidfd_open(int(peer.stdout.readline()))
            peer.kill()
        assert_ends(watch)

    def test_finds_its_data_however_deep_they_lie(self, tmp_path: Path) -> None:
        """The library's names of files have 160 characters at most."""
        files = files_of_package("espeak")
        deep = tmp_path.joinpath(*["a folder with a long name"] * 8)
        deep.mkdir(parents=True)
        (deep / "espeak-ng-data").symlink_to(files.data)

        library = HostedLibrary(LibraryFiles(files.library, deep / "espeak-ng-data"))

        assert len(library.speak("Hallo", "de", rate=175, pitch=50, range=50, volume=80).samples) > 0
        library.close()


def assert_ends(watch: int) -> None:
    """Wait until the process is gone."""
    try:
        assert select.select([watch], [], [], 30)[0]
    finally:
        os.close(watch)


@contextmanager
def over_a_long_text(engine: EspeakEngine) -> Iterator[list[Speech | EngineFailed]]:
    """Have the engine speak what takes it seconds, in a thread; its answer is there when this ends."""
    answers: list[Speech | EngineFailed] = []
    speaking = threading.Thread(target=lambda: answers.extend(engine.speak([say("word " * 40_000)])))
    speaking.start()
    try:
        yield answers
    finally:
        speaking.join()


def child_of(pid: int) -> int:
    """The first child of a process, as soon as it has one."""
    place = Path(f"/proc/{pid}/task/{pid}/children")
    while not (children := place.read_text().split()):
        pass
    return int(children[0])
