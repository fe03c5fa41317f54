"""A take is listened to while the engine speaks on; what follows from it is the same as if one had waited."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from lib.clock import ManualClock, SystemClock
from lib.records import WordTiming
from synth.audio.levels import Samples
from synth.engines import Utterance
from synth.speech.performance import perform
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak
from synth.speech.takes import Performance
from synth.verify import Divergence, Sent, Unheard, Verdict
from tests.unit.synth.fakes import HummingEngine, request
from tests.unit.synth.worker_bench import Bench

GOOD = Verdict(True, 0.0, "0 of 9 sounds differ")
BAD = Verdict(False, 0.5, "4 of 9 sounds differ")
SOON = 20.0


class Beside:
    """Answers in a thread of its own, in this order, and then the last again; the first once it is `free`."""

    name = "beside"

    def __init__(self, *answers: Verdict | Unheard) -> None:
        self._answers = list(answers)
        self.heard: list[Sent] = []
        self.free = threading.Event()
        self.free.set()

    def verify(self, sent: Sent, samples: Samples, sample_rate: int) -> Verdict | Unheard | None:
        return self.begin(sent, samples, sample_rate).result(SOON)

    def begin(self, sent: Sent, samples: Samples, sample_rate: int) -> Future[Verdict | Unheard | None]:
        self.heard.append(sent)
        answer = self._answers[min(len(self.heard), len(self._answers)) - 1]
        future: Future[Verdict | Unheard | None] = Future()

        def tell() -> None:
            assert self.free.wait(SOON)
            future.set_result(answer)

        threading.Thread(target=tell, daemon=True).start()
        return future


def made(beside: Beside, asked: SpeakRequest, engine: HummingEngine | None = None) -> Performance:
    return perform(asked, engine or HummingEngine(), ManualClock(), lambda *_: None, beside)


def seeds(performance: Performance) -> list[int]:
    return [
        seed
        for take in performance.takes
        for seed in (*(each.style.seed for each in take.rejected), take.style.seed)
    ]


class TestATake:
    def test_passes(self) -> None:
        (take,) = made(Beside(GOOD), request()).takes
        assert take.verdict == GOOD

    def test_is_made_again_with_the_seeds_it_would_have_had_without_waiting(self) -> None:
        class Waiting:
            name = "waiting"

            def __init__(self, inner: Beside) -> None:
                self._inner = inner

            def verify(self, sent: Sent, samples: Samples, rate: int) -> Verdict | Unheard | None:
                return self._inner.verify(sent, samples, rate)

        asked = request("One.", variants=3)
        answers = (GOOD, BAD, BAD, BAD, GOOD)
        beside = made(Beside(*answers), asked, HummingEngine(seed_varies=True))
        waited = perform(
            asked, HummingEngine(seed_varies=True), ManualClock(), lambda *_: None, Waiting(Beside(*answers))
        )
        assert len(set(seeds(beside))) == 6
        assert seeds(beside) == seeds(waited)

    def test_that_could_not_be_heard_is_unverified_with_the_reason(self, tmp_path: Path) -> None:
        verifier = Beside(Unheard("The recogniser knows no English."))
        record = speak(request(), HummingEngine(), SystemClock(), tmp_path / "a", lambda *_: None, verifier)
        assert (record.verdict, record.verdict_why) == ("UNVERIFIED", "The recogniser knows no English.")

    def test_is_sent_with_its_pieces_and_where_they_sound(self) -> None:
        beside = Beside(GOOD)
        text = "The [Ouse](/ˈuz/) froze at last. " * 12
        (take,) = made(beside, request(text, chunk=True)).takes
        (sent,) = beside.heard
        assert len(sent.stretches) > 1
        assert sent.stretches[0].script.startswith("The [Ouse](/ˈuz/) froze")
        assert "[" not in sent.text
        assert (sent.engine, sent.profile) == ("hibari", "balanced")
        assert not sent.ranked
        made(beside, request(text, chunk=True, select_best=True))
        assert beside.heard[-1].ranked
        assert sent.stretches[-1].end <= len(take.samples) / take.sample_rate
        for one, other in pairwise(sent.stretches):
            assert one.start < one.end <= other.end


class TestOfALongText:
    TEXT = "One sentence that is long enough to stand alone in its piece, as it must. " * 12

    def spoken(self, wrong: tuple[int, ...]) -> tuple[list[Utterance], Performance]:
        engine = HummingEngine(seed_varies=True)
        beside = Beside(replace(BAD, wrong_stretches=wrong), GOOD)
        performance = made(beside, request(self.TEXT, chunk=True), engine)
        return engine.spoken, performance

    def test_only_the_piece_that_was_heard_wrong_is_said_again(self) -> None:
        spoken, performance = self.spoken((1,))
        pieces = performance.pieces
        assert pieces > 2
        assert len(spoken) == pieces + 1
        assert spoken[-1].text == spoken[1].text
        assert spoken[-1].seed != spoken[1].seed
        (take,) = performance.takes
        assert take.verdict == GOOD
        assert [each.why for each in take.rejected] == [BAD.why]

    def test_all_of_it_is_where_all_was_wrong(self) -> None:
        _, performance = self.spoken(())
        spoken, performance = self.spoken(tuple(range(performance.pieces)))
        assert len(spoken) == 2 * performance.pieces


class TestAName:
    WRONG = replace(
        BAD,
        sounds=9,
        stretch_sounds=(9,),
        wrong_stretches=(0,),
        divergences=(Divergence("sɪɑbhən", "ʃəvən", 3.5, 2, "Siobhan", "Shevaun"),),
    )

    def test_that_three_takes_agree_on_ends_the_trying(self) -> None:
        engine = HummingEngine(seed_varies=True)
        (take,) = made(Beside(self.WRONG), request("One.", profile="quality"), engine).takes
        assert len(engine.spoken) == 3
        assert take.verdict is not None
        assert take.verdict.ok
        assert "'Shevaun' for 'Siobhan'" in take.verdict.why


class TestCaptions:
    WORDS = (WordTiming("One", 0.1, 0.3, "asr"), WordTiming("sentence", 0.3, 0.5, "asr"))

    def words(self, verdict: Verdict) -> tuple[WordTiming, ...]:
        (take,) = made(Beside(verdict), request("One sentence.", profile="fast", captions=True)).takes
        return take.words

    def test_have_the_times_at_which_words_were_heard(self) -> None:
        assert self.words(replace(GOOD, words=self.WORDS)) == self.WORDS

    def test_but_not_those_of_a_take_that_says_something_else(self) -> None:
        assert self.words(replace(BAD, words=self.WORDS)) == ()

    def test_of_a_workers_job_have_them_too(self, bench: Bench) -> None:
        """Its record has the cues that files are made of where the audio is stored."""
        beside = bench.verifier = Beside(replace(GOOD, words=self.WORDS))
        entry = bench.submit("a", "One sentence.")
        bench.work()
        assert beside.heard[0].timed
        assert bench.record(entry).chosen.words == self.WORDS


class TestAWorker:
    def test_speaks_the_next_job_while_one_is_listened_to(self, bench: Bench) -> None:
        beside = Beside(GOOD)
        beside.free.clear()

        def second(utterance: Utterance) -> None:
            if utterance.text == "Two.":
                beside.free.set()  # only now the first can be heard

        bench.before_each_piece(second)
        bench.verifier = beside
        first, other = bench.submit_in_order({"name": "a", "text": "One."}, {"name": "b", "text": "Two."})
        bench.work()
        assert [bench.record(entry).verdict for entry in (first, other)] == ["PASSED", "PASSED"]

    def test_waits_for_the_last_one_and_makes_it_again(self, bench: Bench) -> None:
        bench.verifier = Beside(BAD, GOOD)
        entry = bench.submit("a", "One.")
        bench.work()
        assert bench.record(entry).verdict == "PASSED"
        assert len(bench.engine.spoken) == 2

    def test_a_job_that_is_alone_is_listened_to_before_the_next_begins(self, bench: Bench) -> None:
        bench.verifier = Beside(GOOD)
        first = bench.submit("a", "One.", alone=True)
        other = bench.submit("b", "Two.")
        bench.work()
        assert [bench.record(entry).verdict for entry in (first, other)] == ["PASSED", "PASSED"]

    def test_a_job_that_no_take_passed_for_fails_with_the_evidence(self, bench: Bench) -> None:
        bench.verifier = Beside(BAD)
        entry = bench.submit("a", "One.", profile="quality")
        bench.work()
        assert "4 of 9 sounds differ" in bench.error(entry)[1]
