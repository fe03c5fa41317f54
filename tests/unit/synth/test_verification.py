"""Takes are judged before they are published, and made again where they fail (V6, V7)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.clock import ManualClock, SystemClock
from lib.spool import ResultErrorClass
from synth.audio.levels import Samples
from synth.audio.measures import TakeMeasures
from synth.speech.performance import perform
from synth.speech.rejected_audio import NotVerified
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak
from synth.speech.takes import Performance, PieceFault, RawTake, Style, rank
from synth.verify import CARE, Sent, SignalFault, Verdict, Verifier
from tests.unit.synth.fakes import RATE, HummingEngine, hum, request
from tests.unit.synth.worker_bench import Bench

GOOD = Verdict(True, 0.01, "1 of 90 sounds differs")


def bad(score: float = 0.4) -> Verdict:
    return Verdict(False, score, f"{score:.0%} of the sounds differ")


class Scripted:
    """A verifier that says what a test wants, in that order, and then the last again."""

    name = "scripted"

    def __init__(self, *verdicts: Verdict | None) -> None:
        self._verdicts = list(verdicts)
        self.heard: list[tuple[Sent, Samples, int]] = []

    def verify(self, sent: Sent, samples: Samples, sample_rate: int) -> Verdict | None:
        self.heard.append((sent, samples, sample_rate))
        return self._verdicts[min(len(self.heard), len(self._verdicts)) - 1]


def judged(
    verifier: Verifier | None, asked: SpeakRequest | None = None, engine: HummingEngine | None = None
) -> Performance:
    def nothing(done: int, total: int) -> None:
        pass

    return perform(asked or request("One."), engine or HummingEngine(), ManualClock(), nothing, verifier)


def record(folder: Path, verifier: Verifier | None, asked: SpeakRequest | None = None) -> dict[str, Any]:
    engine = HummingEngine()
    made = speak(asked or request("One."), engine, SystemClock(), folder / "a", lambda *_: None, verifier)
    return made.to_json()


class TestATakeThatFails:
    @pytest.mark.parametrize("seed_varies", [True, False])
    def test_is_made_again_differently(self, seed_varies: bool) -> None:
        engine = HummingEngine(seed_varies=seed_varies)

        take = judged(Scripted(bad(), GOOD), engine=engine).takes[0]

        assert len(engine.spoken) == 2
        first, second = ((u.seed, u.speed, u.intonation) for u in engine.spoken)
        assert first[0] != second[0]
        assert (first[1:] != second[1:]) is not seed_varies
        assert take.verdict == GOOD

    def test_is_kept_as_evidence_with_its_style_and_score(self) -> None:
        plain = judged(None).takes[0]

        take = judged(Scripted(bad(0.4), bad(0.3), GOOD)).takes[0]

        assert [rejected.score for rejected in take.rejected] == [0.4, 0.3]
        assert take.rejected[0].style == plain.style
        assert len({take.style, *(rejected.style for rejected in take.rejected)}) == 3
        assert "40% of the sounds" in take.rejected[0].why

    @pytest.mark.parametrize("profile", sorted(CARE))
    def test_is_made_again_as_often_as_its_profile_says_and_no_more(self, profile: str) -> None:
        """V7: up to a limit."""
        engine, limit = HummingEngine(), 1 + CARE[profile].retakes
        verifier = Scripted(*[bad()] * 20)
        try:
            judged(verifier, request("One.", profile=profile), engine)
        except NotVerified:
            assert CARE[profile].refuses

        assert len(verifier.heard) == len(engine.spoken) == limit

    def test_is_made_again_for_itself_only(self) -> None:
        verifier = Scripted(GOOD, bad(), GOOD, GOOD)

        takes = judged(verifier, request("One. Two.", variants=3)).takes

        assert [len(take.rejected) for take in takes] == [0, 1, 0]
        assert len(verifier.heard) == 4

    def test_leaves_a_good_take_as_it_would_be_without_a_verifier(self) -> None:
        asked = request("One. Two.", variants=2)
        alone, heard = judged(None, asked).takes, judged(Scripted(GOOD, bad(), GOOD), asked).takes

        assert np.array_equal(alone[0].samples, heard[0].samples)
        assert alone[0].style == heard[0].style

    def test_that_was_never_right_gives_way_to_the_least_wrong(self) -> None:
        take = judged(Scripted(bad(0.5), bad(0.2), bad(0.4))).takes[0]

        assert take.verdict == bad(0.2)
        assert [rejected.score for rejected in take.rejected] == [0.5, 0.4]


class TestWhenNoTakePasses:
    def test_a_careful_profile_fails_the_job_with_the_evidence(self) -> None:
        """V7."""
        with pytest.raises(
            NotVerified, match=r"take 1: made 5 times \(.*40% of the sounds.*\); take 2: made 5"
        ):
            judged(Scripted(bad()), request("One.", profile="quality", variants=2))

    @pytest.mark.parametrize("profile", ["fast", "balanced"])
    def test_another_passes_with_a_warning(self, tmp_path: Path, profile: str) -> None:
        """V7."""
        made = record(tmp_path, Scripted(bad()), request("One.", profile=profile))

        assert made["verdict"] == "FAILED"
        assert any("Take 1 did not pass" in warning for warning in made["warnings"])
        assert (tmp_path / "a.wav").is_file()

    def test_one_that_passed_is_enough(self) -> None:
        verifier = Scripted(*[bad()] * 2, GOOD, *[bad()] * 10)

        takes = judged(verifier, request("One.", profile="quality", variants=2)).takes

        assert [take.failed for take in takes] == [False, True]  # the first one was made again

    def test_the_job_of_a_worker_fails_and_may_be_tried_again(self, bench: Bench) -> None:
        bench.verifier = Scripted(bad())
        bench.engine = HummingEngine(batch=4)
        wrong = bench.submit("wrong", profile="quality")

        bench.work()

        error_class, message = bench.error(wrong)
        assert error_class is ResultErrorClass.ENGINE
        assert "40% of the sounds differ" in message


class TestWhichTakeIsChosen:
    @staticmethod
    def take(verdict: Verdict | None, *flags: str) -> RawTake:
        measures = TakeMeasures(1.0, 15.0, 0.0, 0.3, 0.1, 0.0, 0.0, -25.0)
        faults = tuple(PieceFault(1, SignalFault(flag, "It has one.")) for flag in flags)
        return RawTake(Style(1), hum(0.1), RATE, measures, verdict=verdict, faults=faults)

    def test_one_that_failed_never_goes_before_one_that_passed(self) -> None:
        takes = [self.take(bad()), self.take(GOOD, "gap"), self.take(GOOD)]

        assert rank(takes, select_best=True) == [2, 0, 1]
        assert rank(takes, select_best=False) == [2, 0, 1]

    def test_of_two_without_faults_the_one_that_was_heard_better(self) -> None:
        takes = [self.take(replace(GOOD, score=0.05)), self.take(replace(GOOD, score=0.01))]

        assert rank(takes, select_best=True) == [1, 0]
        assert rank(takes, select_best=False) == [0, 1]

    def test_one_that_was_heard_goes_before_one_that_nobody_could_judge(self) -> None:
        takes = [self.take(None), self.take(replace(GOOD, score=0.03)), self.take(bad())]

        assert rank(takes, select_best=True) == [1, 0, 2]

    def test_the_record_says_why(self, tmp_path: Path) -> None:
        verdicts = Scripted(*[bad()] * 3, GOOD)  # takes made again come after the second variant

        made = record(tmp_path, verdicts, request("One.", variants=2, profile="fast"))

        assert made["chosen"]["why"] == "It is the first of 2 that did not fail; select_best is off."


class TestWithoutAVerifier:
    def test_every_take_is_unverified_and_nothing_else_is_said(self, tmp_path: Path) -> None:
        """V6."""
        made = record(tmp_path, None)

        assert made["verdict"] == "UNVERIFIED"
        assert "verification" not in made

    def test_it_is_the_same_where_the_verifier_cannot_judge(self, tmp_path: Path) -> None:
        verifier = Scripted(None)

        made = record(tmp_path, verifier)

        assert made["verdict"] == "UNVERIFIED"
        assert len(verifier.heard) == 1


class TestWhatAVerifierIsGiven:
    def test_what_was_sent_and_the_take_as_it_is_kept(self) -> None:
        verifier = Scripted(GOOD)

        take = judged(verifier, request("One. Two.\n\n你好。\n\nThree.")).takes[0]

        sent, samples, rate = verifier.heard[0]
        assert (sent.text, sent.language, rate) == ("One. Two. Three.", "English", RATE)
        assert np.array_equal(samples, take.samples)

    def test_the_record_holds_what_it_said(self, tmp_path: Path) -> None:
        made = record(tmp_path, Scripted(bad(), GOOD))

        assert (made["verdict"], made["verdict_why"]) == ("PASSED", GOOD.why)
        told = made["verification"][0]
        assert (told["take"], told["ok"], told["score"], told["why"]) == (1, True, 0.01, GOOD.why)
        assert told["rejected"][0].keys() == {
            *("seed", "speed", "intonation", "score", "why", "piece", "checks")
        }
        assert made["seed"] != told["rejected"][0]["seed"]


def test_a_take_made_again_shares_calls_with_other_jobs_and_counts_as_progress(bench: Bench) -> None:
    bench.verifier = Scripted(bad(), GOOD)
    bench.engine = HummingEngine(batch=2)
    first, second = bench.submit_in_order(
        {"name": "a", "text": "One."}, {"name": "b", "text": "Two. Three. Four."}
    )

    bench.work()

    calls = [[utterance.text for utterance in call] for call in bench.engine.calls]
    assert calls == [["One.", "Two."], ["One.", "Three."], ["Four."]]
    assert [bench.record(entry).verdict for entry in (first, second)] == ["PASSED", "PASSED"]
