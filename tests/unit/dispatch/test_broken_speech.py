"""Broken speech at the watcher: counted by machine, told to who counts, its best take kept (V6, V7)."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.dispatch import Dispatcher, RejectedTakes
from lib.events import transition_of
from lib.jobqueue import JobState
from lib.records import FileRef, RejectedRecord, Verification
from lib.spool import ResultError, ResultErrorClass, SpoolResult
from tests.doubles.records import file_ref
from tests.unit.dispatch.bench import Bench, spec

AUDIO = b"RIFF" + bytes(range(256)) * 40


def finish(bench: Bench, verification: Verification) -> Dispatcher:
    """A dispatcher on whose host a job lies that was spoken, with that in its record."""
    dispatcher = bench.holding(spec("beat-001"))
    (taken,) = bench.host.take()
    bench.host.script = lambda: None
    bench.host.speak(taken, verification=(verification,))
    return dispatcher


class TestBrokenSpeech:
    @staticmethod
    def verification(rejected: int) -> Verification:
        each = RejectedRecord(5, 1.0, 1.0, None, "It is silent for 1.5 s in the middle.", 1, ("gap",))
        return Verification(1, None, None, None, (each,) * rejected)

    def test_is_told_with_who_spoke_it(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        dispatcher = finish(bench, self.verification(2))

        dispatcher.step()

        told = map(transition_of, caplog.records)
        (done,) = [line for line in told if line.get("event") == "done"]
        assert (done["engine"], done["pieces_spoken"], done["pieces_broken"]) == ("scripted", 3, 2)

    @pytest.mark.parametrize(("peers", "suspect"), [(0, False), (500, True)])
    def test_makes_a_host_suspect_where_its_peers_break_less(
        self, bench: Bench, peers: int, suspect: bool
    ) -> None:
        dispatcher = finish(bench, self.verification(9))
        dispatcher.add(bench.another_host("there"), lambda: 1)
        there = dispatcher._roster.get("there")
        assert there is not None
        there.takes = there.takes.plus(peers, 1)

        dispatcher.step()

        view, other = dispatcher.view(bench.host.name), dispatcher.view("there")
        assert view is not None
        assert other is not None
        assert (view.suspect, other.suspect) == (suspect, False)

    def test_is_not_counted_of_more_pieces_than_the_text_can_have(self, bench: Bench) -> None:
        """A machine that claims a million sound ones would make its peers suspect."""
        job = spec("beat-001")
        dispatcher = bench.holding(job)
        (taken,) = bench.host.take()
        bench.host.script = lambda: None
        bench.host.speak(taken, pieces=1_000_000)

        dispatcher.step()

        assert bench.job(job).state is JobState.DELAYED


@pytest.mark.parametrize(("select_best", "state"), [(True, JobState.DONE), (False, JobState.DELAYED)])
def test_fewer_takes_than_asked_are_taken_where_the_best_was_to_be_chosen(
    bench: Bench, select_best: bool, state: JobState
) -> None:
    """A take that could be no better ends them (V6)."""
    job = spec("beat-001", variants=3, select_best=select_best)
    dispatcher = bench.holding(job)
    (taken,) = bench.host.take()
    bench.host.script = lambda: None
    bench.host.speak(taken, takes=2)

    for _ in range(2):
        dispatcher.step()

    assert bench.job(job).state is state


class TestARejectedTake:
    @staticmethod
    def fail(bench: Bench, rejected: FileRef | None) -> Mapping[str, Any]:
        """The evidence of a job whose worker keeps AUDIO and tells of `rejected`."""
        job = spec("beat-001", max_attempts=1)
        parts = replace(bench.parts(), rejected=RejectedTakes(bench.root / "rejected"))
        dispatcher = Dispatcher(parts)
        dispatcher.add(bench.host, lambda: 1)
        bench.enqueue(job)
        dispatcher.claim()
        bench.host.script = lambda: None
        (taken,) = bench.host.take()
        assert taken.job is not None
        (bench.host.spool.scratch(taken.entry) / "audio.rejected.wav").write_bytes(AUDIO)
        error = ResultError(ResultErrorClass.ENGINE, "No take is good enough.", (), rejected)
        result = SpoolResult(
            taken.entry, job.request_id, 1.0, 2.0, error=error, fingerprint=taken.job.fingerprint
        )
        bench.host.spool.publish(taken.entry, result)
        dispatcher.step()
        finished = bench.queue.result(job.request_id)
        assert finished is not None
        failure = finished.failure()
        assert failure is not None
        assert failure.message == "No take is good enough."
        return failure.evidence

    def test_is_kept_here_and_named_in_the_evidence(self, bench: Bench) -> None:
        evidence = self.fail(bench, file_ref("audio.rejected.wav", AUDIO))

        assert Path(evidence["rejected"]).read_bytes() == AUDIO

    @pytest.mark.parametrize(
        "rejected",
        [
            None,
            file_ref("audio.rejected.wav", b"something else"),
            file_ref("../../result.json", AUDIO),
            replace(file_ref("audio.rejected.wav", AUDIO), bytes=10**9),
        ],
    )
    def test_that_is_not_as_it_is_told_is_not_kept_and_the_job_fails_all_the_same(
        self, bench: Bench, rejected: FileRef | None
    ) -> None:
        assert "rejected" not in self.fail(bench, rejected)
        assert not list((bench.root / "rejected").glob("*"))

    def test_gives_way_to_newer_ones(self, tmp_path: Path) -> None:
        for number in range(4):
            path = tmp_path / f"{number}.wav"
            path.write_bytes(b"x")
            os.utime(path, (number, number))

        RejectedTakes(tmp_path, most=2).sweep()

        assert sorted(path.name for path in tmp_path.iterdir()) == ["2.wav", "3.wav"]
