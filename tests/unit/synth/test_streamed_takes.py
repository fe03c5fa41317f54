"""A take that is kept on the disk takes no memory; what is left of it goes; a worker dies with it (V8)."""

from __future__ import annotations

import errno
import itertools
import os
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from lib.clock import ManualClock
from lib.files import take_folder_lock
from lib.spool import MAX_STARTS, ResultErrorClass, SpoolFull, job_digest
from lib.spool.layout import PIECES
from lib.spool.pieces import piece_name
from synth.engines import Speech, Utterance
from synth.speech import kept_pieces
from synth.speech.kept_pieces import KeptPieces, PiecesUnkept, sweep
from synth.speech.speak import speak
from synth.speech.takes import Performance
from tests.unit.synth.fakes import RATE, HummingEngine, hum, request
from tests.unit.synth.kept_desk import TEXT, Desk, chapter
from tests.unit.synth.worker_bench import Bench, Death


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class TestWhatIsLeft:
    def test_is_swept_by_age_and_not_while_it_is_used(self, tmp_path: Path) -> None:
        old, used, young, other = (
            tmp_path / name for name in (".pieces-a", ".pieces-b", ".pieces-c", "mine")
        )
        for folder in (old, used, young, other):
            folder.mkdir()
        now = young.stat().st_mtime + 1
        for folder in (old, used, other):
            os.utime(folder, (now - 100, now - 100))

        with KeptPieces(used, print):
            os.utime(used, (now - 100, now - 100))
            sweep(tmp_path, now, keep_s=50, prefix=".pieces-")

        assert {path.name for path in tmp_path.iterdir()} == {used.name, young.name, other.name}

    def test_a_folder_that_goes_while_it_is_entered_is_made_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever was done with it removed it, between our opening and our locking it."""
        real, late = take_folder_lock, [True]

        def take(folder: Path) -> int | None:
            lock = real(folder)
            if late:
                late.pop()
                folder.rmdir()
            return lock

        monkeypatch.setattr(kept_pieces, "take_folder_lock", take)
        with KeptPieces(tmp_path / "kept", print) as kept:
            assert kept.keep("ab" * 32, Speech(hum(0.1, 150), RATE, 1), ()) is not None

    def test_a_full_disk_is_a_sentence_whose_cause_may_pass(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(kept_pieces, "write_whole", full)

        with pytest.raises(PiecesUnkept, match=r"cannot be kept in .*: No space left on device"):
            desk.speak(chapter())


class TestNoTakeIsHeldInMemory:
    def test_three_times_the_text_takes_no_more_of_it(self, tmp_path: Path) -> None:
        """Of what a minute more takes as samples, 5.8 MB, less than a tenth."""
        peaks = []
        for times in (20, 60):  # 56 s each
            desk = Desk(tmp_path)
            text = " ".join(f"Number {n} is said in this chapter." for n in range(times))
            asked = request(text, chunk=True, file_format="flac", peaks=True)
            desk.speak(request("One.", chunk=True))  # what is loaded when first needed
            tracemalloc.start()
            desk.speak(asked)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            desk.engine.calls.clear()
            seconds = soundfile.info(str(tmp_path / "out.flac")).duration

        assert seconds > 60
        assert peaks[1] - peaks[0] < 0.1 * 4 * RATE * seconds * 2 / 3

    def test_its_samples_are_a_file_until_it_is_delivered(self, desk: Desk) -> None:
        made: list[Performance] = []
        with KeptPieces(desk.folder, print) as kept:
            from synth.speech.performance import perform
            from synth.speech.speak import finish

            made.append(perform(chapter(), desk.engine, ManualClock(), lambda *_: None, kept=kept))
            assert isinstance(made[0].takes[0].samples, np.memmap)
            record = finish(made[0], ManualClock(), desk.out)
        plain = speak(replace(chapter(), chunk=True), desk.engine, ManualClock(), desk.out, lambda *_: None)

        assert record.takes[0].audio_seconds == plain.takes[0].audio_seconds
        loud, usual = record.takes[0].loudness_lufs, plain.takes[0].loudness_lufs
        assert loud is not None
        assert usual is not None
        assert abs(loud - usual) < 0.05

    def test_joints_of_a_file_are_as_silent_as_those_in_memory(self, desk: Desk) -> None:
        abrupt = hum(0.5, 150.5, level=0.9)[40:]  # at its highest both where it begins and where it ends

        class Abrupt(HummingEngine):
            def _hum(self, utterance: Utterance) -> Speech:
                return Speech(abrupt, RATE, 9)

        desk.engine = Abrupt()
        desk.speak(chapter(loudness_lufs=None))
        samples, _ = soundfile.read(str(desk.out.with_name("out.wav")))

        assert np.abs(np.diff(samples)).max() <= 1.05 * np.abs(np.diff(abrupt)).max()


class TestAWorker:
    def test_that_dies_leaves_its_pieces_to_the_next(self, bench: Bench) -> None:
        counted = itertools.count(1)

        def die_at_the_fourth(utterance: Utterance) -> None:
            if next(counted) == 4:
                raise Death

        bench.before_each_piece(die_at_the_fourth)
        entry = bench.submit(text=TEXT, chunk=True)
        with pytest.raises(Death):
            bench.work()
        bench.engine = HummingEngine()

        bench.work()

        assert bench.result(entry).state == "done"
        assert len(bench.engine.spoken) == 2
        assert "a: 3 of 5 pieces were already spoken" in bench.said
        assert list((bench.root / PIECES).iterdir()) == []

    def test_any_number_of_deaths_is_no_poison_as_long_as_pieces_come(self, bench: Bench) -> None:
        text = " ".join(f"Number {n} is said." for n in range(12))
        entry = bench.submit(text=text, chunk=True)
        for _ in range(10):
            counted = itertools.count(1)

            def die(utterance: Utterance, counted: Any = counted) -> None:
                if next(counted) == 2:
                    raise Death

            bench.before_each_piece(die)
            with pytest.raises(Death):
                bench.work()

        bench.engine = HummingEngine()
        bench.work()

        assert bench.result(entry).state == "done"
        assert len(bench.engine.spoken) == 2

    @pytest.mark.parametrize("text", ["All of it is one piece.", TEXT])
    def test_a_piece_that_is_not_kept_does_not_make_deaths_forgotten(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        if text == TEXT:  # each is too long to be kept
            monkeypatch.setattr(KeptPieces, "keep", lambda *_: None)
        entry = bench.submit(text=text, chunk=True, variants=2)
        for _ in range(MAX_STARTS):
            counted = itertools.count(1)

            def die(utterance: Utterance, counted: Any = counted) -> None:
                if next(counted) == 2:
                    raise Death

            bench.before_each_piece(die)
            with pytest.raises(Death):
                bench.work()
        bench.work()

        assert bench.error(entry)[0] is ResultErrorClass.POISON

    def test_another_lease_of_the_job_goes_on_with_them(self, bench: Bench) -> None:
        def late(utterance: Utterance) -> None:
            bench.clock.sleep(1.0)

        bench.before_each_piece(late)
        entry = bench.submit(text=TEXT, chunk=True, timeout_s=2)
        bench.work()
        assert bench.error(entry)[0] is ResultErrorClass.TIMEOUT
        bench.client.acknowledge(entry)
        bench.before_each_piece(lambda utterance: None)

        bench.submit(text=TEXT, chunk=True)
        bench.work()

        assert len(bench.engine.spoken) == 2

    def test_sweeps_what_nobody_went_on_with_while_it_serves(self, bench: Bench) -> None:
        left = bench.root / PIECES / job_digest("gone")

        def much_later(utterance: Utterance) -> None:
            if not left.exists():
                left.mkdir(parents=True)
            os.utime(left, (bench.clock.now(),) * 2)
            bench.clock.sleep(8 * 24 * 3600.0)

        bench.before_each_piece(much_later)
        bench.submit(text="One.")
        bench.work()

        assert not left.exists()

    def test_that_is_canceled_leaves_none(self, bench: Bench) -> None:
        entries: list[str] = []

        bench.before_each_piece(lambda utterance: bench.client.cancel(entries[0]))
        entries.append(bench.submit(text=TEXT, chunk=True))
        bench.work()

        assert bench.error(entries[0])[0] is ResultErrorClass.CANCELED
        assert not (bench.root / PIECES / job_digest("a")).exists()

    def test_that_is_canceled_before_it_is_taken_up_again_leaves_none(self, bench: Bench) -> None:
        counted = itertools.count(1)

        def die_at_the_third(utterance: Utterance) -> None:
            if next(counted) == 3:
                raise Death

        bench.before_each_piece(die_at_the_third)
        entry = bench.submit(text=TEXT, chunk=True)
        with pytest.raises(Death):
            bench.work()
        bench.client.cancel(entry)
        bench.work()

        assert bench.error(entry)[0] is ResultErrorClass.CANCELED
        assert not (bench.root / PIECES / job_digest("a")).exists()

    def test_whose_disk_is_full_ends_and_blames_no_job(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(kept_pieces, "write_whole", full)
        entry = bench.submit(text=TEXT, chunk=True)
        with pytest.raises(SpoolFull):
            bench.work()
        monkeypatch.undo()

        bench.work()
        assert bench.result(entry).state == "done"


def test_the_name_of_a_piece_is_its_key() -> None:
    assert piece_name("ab" * 32) == f"{'ab' * 32}.piece"
