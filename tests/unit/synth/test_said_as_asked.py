"""Pronunciation, breaks, speed and loudness on their way through a request (V16); the engine hums."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lib.clock import ManualClock, SystemClock
from lib.jobspec import from_payload, normalize_job_spec, to_payload
from lib.voices import EngineFacts, ResolvedVoice, SayingRefused, SpeedRefused, VoiceRegistry, engines
from lib.voices.usual_silences import Pauses
from synth.speech.performance import perform
from synth.speech.request import SpeakRequest, request_from_spec
from synth.speech.speak import speak
from synth.speech.takes import Performance
from synth.verify import Sent, Verdict
from tests.unit.synth.fakes import RATE, HummingEngine, hum, request

TEXT = "The Ouse froze. Nobody saw the ouse."


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> ResolvedVoice:
    """A voice of an engine that says nothing of phonemes and speeds."""
    facts = EngineFacts("plain", "an engine", frozenset({"English"}), {"one": "one"}, {})
    monkeypatch.setitem(engines._BUILT_IN, "plain", facts)
    return ResolvedVoice("plain", None, "one", "one", "English")


def performed(asked: SpeakRequest, engine: HummingEngine) -> Performance:
    return perform(asked, engine, ManualClock(), lambda done, total: None)


def sent(asked: SpeakRequest) -> list[str]:
    engine = HummingEngine()
    performed(asked, engine)
    return [utterance.text for utterance in engine.spoken]


class TestWords:
    def test_the_record_keeps_how_they_were_said(self, tmp_path: Path) -> None:
        def kept(pronounce: dict[str, str]) -> object:
            asked = request(TEXT, pronounce=pronounce)
            record = speak(asked, HummingEngine(), SystemClock(), tmp_path / "a", lambda *_: None)
            return record.to_json().get("pronounce")

        assert kept({"Ouse": "ooz"}) == {"Ouse": "ooz"}
        assert kept({}) is None
        assert kept({"Ouse": "oo" * 2_000}) is None  # it would weigh more than the rest

    def test_are_said_as_the_job_says(self) -> None:
        assert sent(request(TEXT, pronounce={"Ouse": "ooz"})) == ["The ooz froze.", "Nobody saw the ouse."]
        assert sent(request(TEXT, pronounce={"ouse": "ooz"})) == ["The ooz froze.", "Nobody saw the ooz."]

    def test_go_with_their_phonemes_to_an_engine_that_reads_them(self) -> None:
        text = request("The Ouse. [Cam](/kˈæm/).", pronounce={"Ouse": "/ˈuz/"})

        assert sent(text) == ["The [Ouse](/ˈuz/).", "[Cam](/kˈæm/)."]

    def test_go_alone_to_one_that_does_not_and_the_result_says_so(self, plain: ResolvedVoice) -> None:
        asked = replace(request("The Ouse. [Cam](/kˈæm/).", pronounce={"Ouse": "/ˈuz/"}), voice=plain)
        engine = HummingEngine()

        performance = performed(asked, engine)

        assert [utterance.text for utterance in engine.spoken] == ["The Ouse.", "Cam."]
        assert performance.warnings == (
            "The engine plain reads no phonemes and says as it is written: 'Ouse', 'Cam'.",
        )

    def test_are_compared_by_a_verifier_without_their_phonemes(self) -> None:
        class Listening:
            name = "listening"
            heard: tuple[str, ...] = ()

            def verify(self, sent: Sent, samples: object, sample_rate: int) -> Verdict | None:
                self.heard = (*self.heard, sent.text)
                return None

        verifier = Listening()
        perform(
            request("The [Ouse](/ˈuz/) froze."), HummingEngine(), ManualClock(), lambda *_: None, verifier
        )

        assert verifier.heard == ("The Ouse froze.",)

    def test_with_signs_the_engine_does_not_know_are_refused_before_anything_is_loaded(self) -> None:
        with pytest.raises(SayingRefused):
            request(TEXT, pronounce={"Ouse": "/ʁ/"}).check()


class TestBreaks:
    def test_are_as_long_as_asked_whatever_the_engine(self, plain: ResolvedVoice) -> None:
        asked = replace(request("[pause 1s] aaaa. [pause 2s] bbbb. [pause 3s]"), voice=plain)

        [take] = performed(asked, HummingEngine()).takes

        assert len(take.samples) / RATE == pytest.approx(1 + 0.2 + 2 + 0.2 + 3, abs=0.05)

    def test_of_a_sentence_that_is_left_out_stay(self) -> None:
        with_it = "[pause 1s] 你好。[pause 1s]\n\naaaa. 你好。[pause 2s] bbbb."

        [take] = performed(request(with_it), HummingEngine()).takes

        assert len(take.samples) / RATE == pytest.approx(2 + 0.2 + 2 + 0.2 + 0.12, abs=0.05)


class TestSpeed:
    def test_is_asked_of_the_engine_for_every_take(self) -> None:
        engine = HummingEngine()

        takes = performed(request("Aaaa bbbb.", speed=1.5, variants=4), engine).takes

        assert engine.spoken[0].speed == takes[0].style.speed == 1.5
        assert all(1.5 * 0.94 <= take.style.speed <= 1.5 * 1.06 for take in takes)
        assert len({take.style.speed for take in takes}) == 4

    def test_shortens_the_pauses_too(self) -> None:
        usual, quick = (
            performed(
                request("Aaaa. Bbbb.", speed=speed, pauses=Pauses(0.2, 2.0, 3.0)), HummingEngine()
            ).takes[0]
            for speed in (1.0, 2.0)
        )

        assert (len(usual.samples) - len(quick.samples)) / RATE == pytest.approx(1.0 + 0.2, abs=0.05)

    def test_is_refused_where_the_engine_has_its_own_pace_only(self, plain: ResolvedVoice) -> None:
        replace(request(), voice=plain).check()
        with pytest.raises(SpeedRefused):
            replace(request(), voice=plain, speed=1.1).check()


def test_a_loudness_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    """V9: the peaks stay where they are allowed; the record says how loud it is."""

    class Clicking(HummingEngine):
        def _hum(self, utterance):  # type: ignore[no-untyped-def]  # as the engine's
            speech = super()._hum(utterance)
            clicks = speech.samples * 0.01
            clicks[:: RATE // 4] = hum(0.3, level=0.9).max()
            return replace(speech, samples=clicks)

    asked = request("Aaaaaaaa bbbbbbbb cccccccc.", loudness_lufs=-8.0)
    record = speak(asked, Clicking(), SystemClock(), tmp_path / "o", lambda *_: None)

    assert record.target_lufs == -8.0
    assert record.chosen.loudness_lufs is not None
    assert record.chosen.loudness_lufs < -9.0
    assert record.chosen.true_peak_dbtp is not None
    assert record.chosen.true_peak_dbtp <= -1.5
    assert any("LUFS, not -8.0" in warning for warning in record.warnings)


def test_all_of_it_comes_from_the_job_as_it_travels() -> None:
    raw = {"output_name": "a", "speaker": "Ryan", "text": TEXT}
    asked = {"pronounce": {"Ouse": "ooz"}, "speed": 1.2, "loudness": -16}
    spec = from_payload(to_payload(normalize_job_spec({**raw, **asked})))

    made = request_from_spec(spec, VoiceRegistry(), "hibari", Pauses(0.1, 0.2, 0.3))
    usual = request_from_spec(normalize_job_spec(raw), VoiceRegistry(), "hibari")

    assert (made.pronounce, made.speed, made.loudness_lufs) == ({"Ouse": "ooz"}, 1.2, -16.0)
    assert made.pauses == Pauses(0.1, 0.2, 0.3)
    assert (usual.pronounce, usual.speed, usual.loudness_lufs) == ({}, 1.0, -19.0)
