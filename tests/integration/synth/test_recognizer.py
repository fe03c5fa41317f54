"""A real recogniser hears real speech, offline (V6, V10): a handful of takes, and with `soak` all of them.

Needs the extra `verify`, which `make soak` and `make test-verify` install.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from lib.clock import SystemClock
from lib.errors import BadConfiguration
from lib.textnorm import normalize
from synth.audio.trim import trim
from synth.engines import Engine, Speech, create_engine
from synth.speech.speak import speak
from synth.verify import Sent, Unheard, Verdict, recognizer_host
from synth.verify.hosted_recognizer import HostedRecognizer, is_installed, model_of_package
from synth.verify.installed import installed_verifier
from synth.verify.listener import Answer, ListeningVerifier
from tests.e2e.sealed import attempts, why_not
from tests.integration.synth.damage import FIRST, SECOND, SHORT, Spoken, damaged
from tests.integration.synth.test_injected_faults import PRESETS, flags, speech
from tests.unit.synth.fakes import request
from tests.unit.textnorm.readings import rows

MODEL = model_of_package()
pytestmark = pytest.mark.skipif(
    MODEL is None or not is_installed(), reason="no recogniser: install the extra verify"
)
HOST = Path(recognizer_host.__file__)
LEAST = 0.95  # of the takes with damage
CUT = "350 ms are missing in the middle"
RATE = 24_000
#: Of cards, addresses and serial numbers: a small recogniser loses count of them, or says the last for ever.
SPELLED = re.compile(
    r"(?:\b(?:[A-Za-z]|zero|oh|one|two|three|four|five|six|seven|eight|nine|colon|dot|dash)\b[ ,.-]*){6}"
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = create_engine("hibari")
    made.load()
    return made


@pytest.fixture(scope="module")
def recognizer() -> Iterator[HostedRecognizer]:
    assert MODEL is not None
    made = HostedRecognizer(MODEL)
    yield made
    made.close()


@pytest.fixture(scope="module")
def ears(recognizer: HostedRecognizer) -> ListeningVerifier:
    return ListeningVerifier(recognizer)


def begun(ears: ListeningVerifier, text: str, made: Speech) -> Future[Answer]:
    """Listen to a take as it is heard: trimmed."""
    return ears.begin(Sent(text, "English"), trim(made.samples, RATE).samples, RATE)


def failed(future: Future[Answer]) -> str | None:
    """Why it failed; None where it passed, or where nobody could count how often it says a word."""
    answer = future.result()
    if is_countless(answer):
        return None
    assert isinstance(answer, Verdict), answer
    return None if answer.ok else answer.why


def is_countless(answer: Answer) -> bool:
    return isinstance(answer, Unheard) and "many times in a row" in answer.why


def wrong_of(ears: ListeningVerifier, engine: Engine, texts: Sequence[str]) -> dict[str, str]:
    """Texts whose sound takes fail, in voices by turns, and why; two at most may be left uncounted."""
    heard = [
        (text, begun(ears, text, speech(engine, text, PRESETS[number % len(PRESETS)])))
        for number, text in enumerate(texts)
    ]
    wrong = {text: why for text, future in heard if (why := failed(future)) is not None}
    countless = [text for text, future in heard if is_countless(future.result())]
    assert len(countless) <= 2, countless
    return wrong


def test_sound_takes_pass_and_broken_ones_do_not(ears: ListeningVerifier, engine: Engine) -> None:
    """One-word lines among them, all in shared windows."""
    assert wrong_of(ears, engine, ("Yes.", "Silence!", "Remarkable.", *FIRST[:3])) == {}

    said, other = speech(engine, FIRST[0]), speech(engine, FIRST[1])
    broken = dict(damaged(Spoken(said.samples, other.samples, said.samples, RATE)))
    for damage in ("the last quarter is cut", "the last 1.5 s come three times", "another text"):
        assert failed(begun(ears, FIRST[0], Speech(broken[damage], RATE))) is not None, damage


def test_captions_have_the_times_at_which_words_were_heard(
    ears: ListeningVerifier, engine: Engine, tmp_path: Path
) -> None:
    asked = request("Dr. Smith paid $42.50. Nobody saw it.", captions=True, profile="quality")
    record = speak(asked, engine, SystemClock(), tmp_path / "a", lambda *_: None, ears)
    (take,) = record.takes
    assert record.verdict == "PASSED"
    assert {word.source for word in take.words} == {"asr"}
    assert [word.text for word in take.words][:6] == ["Doctor", "Smith", "paid", "forty", "two", "dollars"]
    (nobody,) = (word for word in take.words if word.text == "Nobody")
    assert 2.0 < nobody.start < 4.5
    assert "42.50" in (tmp_path / "a.srt").read_text()


def test_a_process_that_was_killed_is_begun_again(
    ears: ListeningVerifier, recognizer: HostedRecognizer, engine: Engine
) -> None:
    assert failed(begun(ears, "Yes.", speech(engine, "Yes."))) is None
    first = recognizer.pid
    assert first is not None
    os.kill(first, 9)
    assert failed(begun(ears, "Stop.", speech(engine, "Stop."))) is None
    assert recognizer.pid != first


def test_its_process_ends_with_whoever_asked_in_the_middle_of_a_window() -> None:
    """A killed worker leaves no process that goes on for minutes."""
    assert MODEL is not None
    argv = [sys.executable, "-I", str(HOST), str(MODEL)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert b"languages" in process.stdout.readline()
        noise = np.random.default_rng(0).normal(0, 0.1, 16_000 * 1200).astype(np.float32)
        wish = {"samples": len(noise), "language": "en", "timed": True, "careful": True, "marked": True}
        process.stdin.write(json.dumps(wish).encode() + b"\n" + noise.tobytes())
        process.stdin.close()
        assert process.wait(30) == 0
        assert process.stdout.read() == b""


def test_a_folder_without_a_model_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"model\.bin"):
        installed_verifier(tmp_path)


def test_a_model_that_cannot_be_read_leaves_takes_unverified(tmp_path: Path, engine: Engine) -> None:
    for name in ("model.bin", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"no model")
    ears = installed_verifier(tmp_path, always=True)
    assert ears is not None
    answer = begun(ears, "Yes.", speech(engine, "Yes.")).result()
    assert isinstance(answer, Unheard)
    assert str(tmp_path) in answer.why


def test_nothing_is_downloaded_and_nobody_asked(tmp_path: Path) -> None:
    """Also not for a folder that lacks what the package would fetch."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    (tmp_path / "lacking").mkdir()
    assert MODEL is not None
    for name in ("model.bin", "config.json", "vocabulary.txt"):  # the package would ask for tokenizer.json
        (tmp_path / "lacking" / name).symlink_to(MODEL / name)
    said = 'speak "Nobody asks." --profile quality --json --out-exact'
    script = f"""
"$PYTHON" -m synth.main {said} a > a.json || exit 3
VERIFY_MODEL=lacking "$PYTHON" -m synth.main {said} b > b.json || exit 4
"""
    root = str(Path(__file__).parents[3])
    environ = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": root, "HOME": str(tmp_path)}
    asked, done = attempts(["sh", "-c", script], tmp_path, environ)
    assert done.returncode == 0, done.stdout
    assert asked == []
    told = [json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json")]
    assert [each["verdict"] for each in told] == ["PASSED", "UNVERIFIED"]
    assert "has no tokenizer.json" in told[1]["verdict_why"]


@pytest.mark.soak
@pytest.mark.parametrize("texts", [FIRST, SECOND], ids=["first", "second"])
@pytest.mark.parametrize("preset", ["heart", "deep"])
def test_damage_is_found(ears: ListeningVerifier, engine: Engine, texts: Sequence[str], preset: str) -> None:
    """By the signal or by what is heard; a cut in the middle is reported."""
    made = [speech(engine, text, preset) for text in texts]
    taken = []
    for number, text in enumerate(texts):
        other, quick = made[(number + 5) % len(texts)].samples, speech(engine, text, preset, 1.8).samples
        for name, samples in damaged(Spoken(made[number].samples, other, quick, RATE)):
            broken = Speech(samples, RATE, made[number].phonemes)
            by_signal = flags(engine, text, broken)
            audible = len(trim(samples, RATE).samples) > 0
            taken.append((name, by_signal, begun(ears, text, broken) if audible else None))
    heard: Counter[str] = Counter()
    either: Counter[str] = Counter()
    for name, by_signal, future in taken:
        misheard = future is not None and failed(future) is not None
        heard[name] += misheard
        either[name] += misheard or bool(by_signal)
    for name in either:
        print(f"{preset}: {name}: {either[name]} of {len(texts)}, heard {heard[name]}")
    told = {name: count for name, count in either.items() if name != CUT}
    assert sum(told.values()) >= LEAST * len(texts) * len(told)
    assert heard["another text"] == len(texts)
    assert either[CUT] >= len(texts) // (2 if preset == "heart" else 3)


@pytest.mark.soak
def test_no_false_alarm_on_hundreds_of_sound_takes(ears: ListeningVerifier, engine: Engine) -> None:
    """One-word lines, sentences, numbers, names, in nine voices; strings of signs, too."""
    fresh = [normalize(written).script for _, written, _ in rows("fresh.tsv")]
    texts = list(dict.fromkeys([*FIRST, *SECOND, *SHORT[::3], *fresh]))[:280]
    wrong = wrong_of(ears, engine, texts)
    spelled = {text for text in texts if SPELLED.search(text)}
    print(f"{len(wrong)} of {len(texts)}, {len(spelled)} of them strings of signs: {wrong}")
    assert len(texts) - len(spelled) >= 200
    assert wrong == {}


@pytest.mark.soak
def test_memory_stays_as_it_is(ears: ListeningVerifier, recognizer: HostedRecognizer, engine: Engine) -> None:
    """Of this process and of the recogniser's."""

    def resident_kb() -> int:
        fields = Path(f"/proc/{recognizer.pid}/statm").read_text().split()
        theirs = int(fields[1]) * resource.getpagesize() // 1024
        return theirs + int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024

    said = [(text, speech(engine, text)) for text in (*FIRST, *SHORT[:24:3])]

    def hear_all(times: int) -> None:
        for _ in range(times):
            for future in [begun(ears, text, each) for text, each in said]:
                failed(future)

    hear_all(3)
    before = resident_kb()
    hear_all(20)
    grown = resident_kb() - before
    print(f"grown by {grown} kB over {20 * len(said)} takes")
    assert grown < 30_000
