"""A piece whose signal has a fault is said again alone, then in parts; what is left is told (V7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from lib.clock import ManualClock, SystemClock
from lib.spool.layout import MAX_RECORD_BYTES
from synth.engines import EngineFailed, Speech, Utterance
from synth.speech.attempts import evidence
from synth.speech.kept_pieces import KeptPieces
from synth.speech.performance import Performing, perform
from synth.speech.rejected_audio import NotVerified
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak
from synth.speech.takes import Performance, PieceFault
from synth.speech.verdicts import verification
from synth.verify import CARE, SignalFault, Verdict
from tests.unit.synth.fakes import GAPPED, RATE, GappyEngine, HummingEngine, request
from tests.unit.synth.worker_bench import Bench

LONG = "The keeper of the lighthouse had gone home, and nobody had counted the boxes in the cellar."


class Faulty(HummingEngine):
    """Says a text with a gap where `wrong` says so of the utterance and how often it was asked before."""

    def __init__(self, wrong: Callable[[Utterance, int], bool], *, seed_varies: bool = True) -> None:
        super().__init__(seed_varies=seed_varies)
        self._wrong, self._asked = wrong, dict[str, int]()

    def _hum(self, utterance: Utterance) -> Speech:
        before = self._asked.get(utterance.text, 0)
        self._asked[utterance.text] = before + 1
        made = super()._hum(utterance)
        if not self._wrong(utterance, before):
            return made
        middle = len(made.samples) // 2
        gap = np.zeros(round(1.5 * RATE), np.float32)
        return replace(made, samples=np.concatenate([made.samples[:middle], gap, made.samples[middle:]]))


def nothing(done: int, total: int) -> None:
    pass


def spoken(engine: HummingEngine, asked: SpeakRequest, kept: KeptPieces | None = None) -> Performance:
    return perform(asked, engine, ManualClock(), nothing, kept=kept)


class TestAPieceWithAFault:
    def test_is_said_again_alone_with_another_seed(self) -> None:
        """Of a chapter one piece in a hundred is broken; the others stay as they are."""
        engine = Faulty(lambda utterance, before: utterance.text == "Two." and before == 0)

        take = spoken(engine, request("One. Two. Three.")).takes[0]

        assert [u.text for u in engine.spoken] == ["One.", "Two.", "Two.", "Three."]
        assert engine.spoken[1].seed != engine.spoken[2].seed
        assert (take.faults, take.failed) == ((), False)
        (rejected,) = take.rejected
        assert (rejected.piece, rejected.checks) == (2, ("gap",))
        assert rejected.style.seed == engine.spoken[1].seed
        assert rejected.why == "It is silent for 1.5 s in the middle."

    @pytest.mark.parametrize("profile", ["fast", "balanced"])
    def test_is_said_as_often_as_the_profile_says_then_in_parts(self, profile: str) -> None:
        engine = Faulty(lambda utterance, before: utterance.text == LONG)

        take = spoken(engine, request(LONG, profile=profile)).takes[0]

        texts = [u.text for u in engine.spoken]
        whole = 1 + CARE[profile].retakes
        assert texts[:whole] == [LONG] * whole
        assert len(texts) > whole + 1
        assert " ".join(texts[whole:]) == LONG
        assert take.faults == ()
        assert len({u.seed for u in engine.spoken}) == len(texts)

    def test_is_said_in_parts_at_once_where_another_seed_changes_nothing(self) -> None:
        engine = Faulty(lambda utterance, before: utterance.text == LONG, seed_varies=False)

        take = spoken(engine, request(LONG)).takes[0]

        assert [u.text for u in engine.spoken].count(LONG) == 1
        assert take.faults == ()
        assert [each.checks for each in take.rejected] == [("gap",)]

    def test_that_parts_do_not_mend_is_kept_as_it_was_best_and_told(self) -> None:
        engine = Faulty(lambda utterance, before: True)

        take = spoken(engine, request(LONG)).takes[0]

        assert take.flags == ("gap",)
        assert take.failed
        assert len(take.rejected) == 1 + CARE["balanced"].retakes  # the tries and the parts, but for one

    @pytest.mark.parametrize("batch", [1, 4])
    @pytest.mark.parametrize("seed_varies", [True, False])
    def test_whose_parts_the_engine_fails_at_is_settled_once(self, batch: int, *, seed_varies: bool) -> None:
        engine = Faulty(lambda utterance, before: utterance.text == LONG, seed_varies=seed_varies)
        performing = Performing(request(f"One. {LONG}"), engine.load(), engine.limits())
        while performing.pending:
            given = performing.give(batch)
            performing.hear(
                [
                    each if utterance.text in (LONG, "One.") else EngineFailed("It stumbled.")
                    for utterance, each in zip(given, engine.speak(given), strict=True)
                ]
            )
        (take,) = performing.performance().takes

        assert performing.done == performing.total
        assert take.flags == ("gap",)
        assert all(each.piece == 2 for each in take.rejected)  # no take was made beside this one

    def test_keeps_its_pause_and_length_when_it_is_said_in_parts(self) -> None:
        broken = Faulty(lambda utterance, before: utterance.text == LONG, seed_varies=False)

        mended = spoken(broken, request(f"One. {LONG} Three.")).takes[0]
        sound = spoken(HummingEngine(), request(f"One. {LONG} Three.")).takes[0]

        assert len(mended.sounding) == len(sound.sounding) == 3
        assert len(mended.samples) == pytest.approx(len(sound.samples), rel=0.1)

    @pytest.mark.parametrize("times", [np.nan, 1e30])
    def test_values_that_are_no_sound_are_said_again(self, times: float) -> None:
        class Mad(HummingEngine):
            def _hum(self, utterance: Utterance) -> Speech:
                made = super()._hum(utterance)
                return (
                    replace(made, samples=made.samples * np.float32(times)) if len(self.calls) == 1 else made
                )

        engine = Mad(seed_varies=True)
        performance = spoken(engine, request("One."))

        assert len(engine.calls) == 2
        assert np.isfinite(performance.takes[0].samples).all()
        assert performance.warnings == (
            "Said again with another seed: The engine made values that are no sound.",
        )

    def test_is_mended_on_the_disk_as_well_and_found_there_mended(self, tmp_path: Path) -> None:
        engine = Faulty(lambda utterance, before: utterance.text == "Two." and before == 0)
        asked = request("One. Two. Three.", chunk=True)

        with KeptPieces(tmp_path / "kept", print) as kept:
            first = spoken(engine, asked, kept).takes[0]
            again = spoken(engine, asked, kept).takes[0]
            assert len(engine.spoken) == 4
            assert np.array_equal(first.samples, again.samples)
        assert again.faults == ()


class TestWhenNothingMendsIt:
    def test_a_careful_profile_fails_the_job_with_the_evidence(self) -> None:
        with pytest.raises(
            NotVerified, match=r"take 1: made 6 times \(It is silent for 1\.5 s in the middle"
        ):
            spoken(GappyEngine(seed_varies=True), request(GAPPED, profile="quality"))

    def test_another_passes_with_a_warning_and_is_never_called_passed(self, tmp_path: Path) -> None:
        engine = GappyEngine(seed_varies=True)

        made = speak(request(GAPPED), engine, SystemClock(), tmp_path / "a", nothing).to_json()

        assert made["verdict"] == "FAILED"
        (told,) = made["verification"]
        assert told["faults"] == [
            {"check": "gap", "piece": 1, "why": "It is silent for 1.5 s in the middle."}
        ]
        assert told["ok"] is None
        assert {each["piece"] for each in told["rejected"]} == {None}
        assert len({each["seed"] for each in told["rejected"]}) == len(told["rejected"])

    def test_some_of_it_is_told_of_a_long_text(self) -> None:
        """A worker's record has 64 KiB; one over that is refused, and the machine blamed for it."""
        take = spoken(Faulty(lambda utterance, before: True), request(LONG)).takes[0]
        faults = tuple(
            PieceFault(at, SignalFault("gap", f"It is silent for {at} s. " + "x" * 300))
            for at in range(1, 500)
        )
        rejected = tuple(replace(take.rejected[0], why=each.why, piece=each.piece) for each in faults)
        long = replace(take, faults=faults, rejected=rejected)

        told = [each.to_json() for each in verification([long] * 16)]

        assert len(json.dumps(told)) < MAX_RECORD_BYTES / 2
        assert all(each["faults"] and each["rejected"] for each in told)
        assert evidence(long).startswith("made once (It is silent for 1 s. xx")
        assert "496 more" in evidence(long)
        assert len(evidence(long)) < 1000


class Hears:
    """A verifier with a score for each take, in the order in which they are made."""

    name = "hears"

    def __init__(self, *scores: float) -> None:
        self._scores, self.heard = scores, 0

    def verify(self, *_: object) -> Verdict:
        self.heard += 1
        score = self._scores[self.heard - 1]
        return Verdict(score < 0.12, score, f"{score:.0%} of the sounds differ")


class TestVariants:
    @staticmethod
    def made(tmp_path: Path, verifier: Hears | None, **asked: object) -> dict[str, Any]:
        wanted = request("One.", variants=4, **asked)
        return speak(wanted, HummingEngine(), SystemClock(), tmp_path / "a", nothing, verifier).to_json()

    def test_end_at_a_take_that_could_be_no_better(self, tmp_path: Path) -> None:
        verifier = Hears(0.05, 0.01)

        made = self.made(tmp_path, verifier, select_best=True)

        assert (verifier.heard, made["variants"]) == (2, 4)
        assert len(list(tmp_path.glob("*.wav"))) == 2
        assert made["chosen"] == {
            "take": 1,
            "made": 2,
            "why": "Take 2 of up to 4 could be no better, so no more were made: 1% of the sounds differ.",
        }

    def test_are_all_made_where_none_is_that_good(self, tmp_path: Path) -> None:
        made = self.made(tmp_path, Hears(0.05, 0.03, 0.04, 0.06), select_best=True)

        assert made["chosen"]["made"] == 2
        assert "Of 4 takes it has the fewest faults (0), was heard best" in made["chosen"]["why"]

    @pytest.mark.parametrize(("verifier", "select_best"), [(None, True), (Hears(0.0, 0.0, 0.0, 0.0), False)])
    def test_are_all_made_where_nobody_hears_or_nobody_chooses(
        self, tmp_path: Path, verifier: Hears | None, select_best: bool
    ) -> None:
        self.made(tmp_path, verifier, select_best=select_best)

        assert len(list(tmp_path.glob("*.wav"))) == 4


class TestTheRejectedTake:
    def test_lies_beside_where_the_audio_would_be(self, tmp_path: Path) -> None:
        engine = GappyEngine(seed_varies=True)

        with pytest.raises(NotVerified, match=r"kept in .*a\.rejected\.wav"):
            speak(request(GAPPED, profile="quality"), engine, SystemClock(), tmp_path / "a", nothing)

        assert [path.name for path in tmp_path.iterdir()] == ["a.rejected.wav"]
        assert soundfile.info(tmp_path / "a.rejected.wav").duration > 3

    def test_of_a_workers_job_is_a_file_of_its_result(self, bench: Bench) -> None:
        bench.engine = GappyEngine(seed_varies=True)
        wrong = bench.submit("wrong", text=GAPPED, profile="quality")

        bench.work()

        result = bench.client.result(wrong)
        assert result is not None
        assert result.error is not None
        assert result.error.rejected is not None
        bench.client.fetch(wrong, result.error.rejected, bench.root / "fetched.wav")
        assert soundfile.info(bench.root / "fetched.wav").duration > 3
