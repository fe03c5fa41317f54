"""Pieces of a long text are kept: a crash goes on from the last one, and takes none of another (V8)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.clock import ManualClock
from lib.voices import Reference
from lib.voices.usual_silences import Pauses
from synth.engines import EngineFailed, Utterance
from synth.speech.kept_pieces import KeptPieces, piece_key
from synth.speech.speak import speak
from tests.unit.synth.fakes import HummingEngine, request
from tests.unit.synth.kept_desk import MODEL, TEXT, Desk, chapter


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class TestACrash:
    def test_goes_on_from_the_last_piece_to_the_same_bytes(self, desk: Desk) -> None:
        whole = desk.speak(chapter())
        assert desk.spoken == 5
        desk.crash(chapter(), 3)
        assert desk.spoken == 3

        again = desk.speak(chapter())

        assert (desk.spoken, again == whole) == (2, True)
        assert desk.said == ["3 of 5 pieces were already spoken"]

    def test_after_the_last_piece_nothing_is_spoken_again(self, desk: Desk) -> None:
        whole = desk.speak(chapter())
        desk.crash(chapter(), 5)
        assert desk.spoken == 10

        assert (desk.speak(chapter()) == whole, desk.spoken) == (True, 0)

    def test_each_take_goes_on(self, desk: Desk) -> None:
        whole = desk.speak(chapter(variants=2))
        desk.crash(chapter(variants=2), 7)
        desk.engine.calls.clear()

        assert (desk.speak(chapter(variants=2)) == whole, desk.spoken) == (True, 3)

    def test_nothing_stays_of_what_was_delivered(self, desk: Desk) -> None:
        desk.speak(chapter())

        assert [path.name for path in desk.folder.parent.iterdir()] == ["out.wav"]

    def test_a_piece_said_with_another_seed_is_found_with_what_was_said_of_it(self, desk: Desk) -> None:
        class Failing(HummingEngine):
            def speak(self, utterances: Any) -> Any:
                spoken = super().speak(utterances)
                return [
                    EngineFailed("It stuck.") if u.seed in self.bad else each
                    for u, each in zip(utterances, spoken, strict=True)
                ]

            bad: frozenset[int] = frozenset()

        engine = desk.engine = Failing(seed_varies=True)
        desk.crash(chapter(seed=3), 1)
        engine.bad = frozenset({engine.spoken[0].seed})
        desk.speak(chapter(seed=3))  # the first is there already
        engine.calls.clear()
        desk.crash(chapter(seed=3), 1)  # it is said twice now
        assert desk.spoken == 2

        with KeptPieces(desk.folder, desk.said.append) as kept:
            record = speak(chapter(seed=3), engine, ManualClock(), desk.out, lambda *_: None, kept=kept)

        assert desk.spoken == 4
        assert any("It stuck" in warning for warning in record.warnings)

    def test_a_text_of_one_piece_is_kept_nowhere(self, desk: Desk) -> None:
        seen: list[int] = []

        desk.speak(request("One.", chunk=True), lambda *_: seen.append(len(list(desk.folder.iterdir()))))

        assert seen == [0]

    def test_a_second_one_at_the_same_place_has_its_own(self, desk: Desk) -> None:
        with KeptPieces(desk.folder, desk.said.append) as first, KeptPieces(desk.folder, print) as second:
            second.discard()
            assert first.folder.is_dir()
            assert first.folder != second.folder


class TestAStalePieceIsNeverTaken:
    @pytest.mark.parametrize(
        "other",
        [
            {"seed": 7},
            {"speed": 1.1},
            {"profile": "quality"},
            {"voice": replace(chapter().voice, preset="other")},
            {"voice": replace(chapter().voice, language="German")},
            {"pronounce": {"first": "last"}},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_of_another_job(self, desk: Desk, other: dict[str, Any]) -> None:
        desk.crash(chapter(seed=1), 3)
        desk.engine.calls.clear()

        with KeptPieces(desk.folder, desk.said.append) as kept:
            changed = speak(
                replace(chapter(seed=1), **other),
                desk.engine,
                ManualClock(),
                desk.out,
                lambda *_: None,
                kept=kept,
            )

        kept_of_first = 2 if "pronounce" in other else 0  # its other sentences are what they were
        assert desk.spoken == 5 - kept_of_first
        assert changed.pieces == 5

    def test_of_a_text_whose_sentence_changed(self, desk: Desk) -> None:
        desk.crash(chapter(seed=1), 5)
        desk.engine.calls.clear()

        desk.speak(replace(chapter(seed=1), text=TEXT.replace("Two was", "Two is")))

        assert [u.text for u in desk.engine.spoken] == ["Two is there too."]

    def test_what_is_made_of_the_pieces_later_is_no_part_of_them(self, desk: Desk) -> None:
        desk.crash(chapter(seed=1), 5)
        desk.engine.calls.clear()

        desk.speak(chapter(seed=1, loudness_lufs=-16.0, pauses=Pauses(0.3, 0.6, 1.2), file_format="wav"))

        assert desk.spoken == 0

    def test_each_thing_that_decides_the_sound_is_in_its_key(self) -> None:
        plain = Utterance("One.", "English", "heart", 1)
        recording = Reference(Path("/any.wav"), "Words.", "ab" * 32)
        cloned = replace(plain, preset=None, reference=recording)
        different = [
            piece_key("hibari", MODEL, plain),
            piece_key("qwen3", MODEL, plain),
            *(
                piece_key("hibari", replace(MODEL, **change), plain)
                for change in ({"name": "other"}, {"revision": "2"}, {"sample_rate": 48_000})
            ),
            *(
                piece_key("hibari", MODEL, replace(plain, **change))
                for change in (
                    {"text": "Two."},
                    {"language": "German"},
                    {"preset": "other"},
                    {"seed": 2},
                    {"speed": 1.1},
                    {"intonation": 1.1},
                    {"profile": "fast"},
                    {"design": "A calm voice."},
                )
            ),
            piece_key("hibari", MODEL, cloned),
            piece_key("hibari", MODEL, replace(cloned, reference=replace(recording, sha256="cd" * 32))),
            piece_key("hibari", MODEL, replace(cloned, reference=replace(recording, text="Others."))),
        ]

        assert len(set(different)) == len(different)
        fields = set(Utterance.__dataclass_fields__)
        assert fields == {
            "text",
            "language",
            "preset",
            "seed",
            "speed",
            "intonation",
            "profile",
            "reference",
            "design",
        }, "a new field decides the sound, too: put it into piece_key"
