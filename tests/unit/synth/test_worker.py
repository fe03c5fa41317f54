"""The resident worker's loop (V11), with an engine that hums and a spool in a temporary folder."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lib.spool import (
    Phase,
    ResultErrorClass,
    SpoolResult,
    WorkerSpool,
)
from lib.voices import VoiceRegistry
from synth.commands.work import line_of
from synth.engines import Utterance
from synth.worker import resident as worker_module
from synth.worker.jobs import EngineShelf, JobSpeaker
from synth.worker.resident import Worker, WorkerOptions
from synth.worker.stop import StopSignal
from tests.unit.synth.fakes import HummingEngine
from tests.unit.synth.worker_bench import Bench

WORK_SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/reference/json/voice-synth-work.json").read_text(encoding="utf-8")
)


def test_jobs_become_audio_with_their_records(bench: Bench, tmp_path: Path) -> None:
    entry = bench.submit(format="flac", variants=2)

    bench.work()

    result = bench.result(entry)
    assert (result.state, result.request_id) == ("done", "a")
    assert result.record is not None
    files = [take.main for take in result.record.takes]
    assert [file.file for file in files] == ["audio.flac", "audio.take-02.flac"]
    for file in files:
        bench.client.fetch(entry, file, tmp_path / file.file)


def test_each_job_that_ended_is_told_when_it_lies_in_the_outbox(bench: Bench) -> None:
    good, bad, odd = bench.submit("good", variants=2), bench.submit("bad", text="\U0001f389"), "0" * 32
    odd += ".1-marknone"
    (bench.root / "inbox" / f"{odd}.json").write_bytes(b"{")
    told: list[SpoolResult] = []

    def tell(result: SpoolResult) -> None:
        assert bench.client.result(result.entry) == result
        told.append(result)

    with WorkerSpool(bench.root) as spool:
        shelf = EngineShelf(lambda name: bench.engine)
        speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", bench.clock)
        options = WorkerOptions("hibari", once=True)
        Worker(spool, speaker, shelf, bench.stop, bench.clock, options, bench.said.append, tell).run()

    lines = {line["entry"]: line for line in map(line_of, told)}
    assert len(told) == len(lines) == 3
    for line in lines.values():
        jsonschema.validate(line, WORK_SCHEMA)
    assert [lines[entry]["request_id"] for entry in (good, bad, odd)] == ["good", "bad", None]
    assert [lines[entry]["takes"] for entry in (good, bad, odd)] == [2, 0, 0]
    assert lines[good]["error"] is None
    assert lines[good]["audio_seconds"] > 0
    assert lines[bad]["error"]["class"] == lines[odd]["error"]["class"] == "bad_input"


def test_the_model_is_loaded_once_for_all_jobs(bench: Bench) -> None:
    loads: list[str] = []
    entries = [bench.submit(name) for name in "abcde"]

    def create(name: str) -> HummingEngine:
        loads.append(name)
        return bench.engine

    shelf = EngineShelf(create)
    with WorkerSpool(bench.root) as spool:
        speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", bench.clock)
        options = WorkerOptions("hibari", once=True)
        Worker(spool, speaker, shelf, bench.stop, bench.clock, options, bench.said.append).run()

    assert loads == ["hibari"]
    assert all(bench.result(entry).state == "done" for entry in entries)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"text": "你好"}, "no letter or digit"),
        ({"speaker": "Nobody"}, "has no speaker 'Nobody'"),
        ({"speaker": None, "voice": "nowhere"}, "no voice 'nowhere'"),
        ({"language": "German"}, "does not speak German"),
        ({"text": "x" * 9000}, "Set chunk: true"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_job_that_is_wrong_is_bad_input_and_the_next_is_spoken(
    bench: Bench, fields: dict[str, Any], sentence: str
) -> None:
    """V13."""
    bad, good = bench.submit("bad", **fields), bench.submit("good")

    bench.work()

    error_class, message = bench.error(bad)
    assert error_class is ResultErrorClass.BAD_INPUT
    assert sentence in message
    assert bench.result(good).state == "done"


def test_a_job_file_that_cannot_be_read_is_bad_input(bench: Bench) -> None:
    entry = bench.submit()
    (bench.root / "inbox" / f"{entry}.json").write_bytes(b"{")

    bench.work()

    assert bench.error(entry) == (ResultErrorClass.BAD_INPUT, "The job file is no valid JSON.")


def test_an_engine_that_breaks_fails_the_job_with_its_traceback_and_goes_on(bench: Bench) -> None:
    def break_on_one(utterance: Utterance) -> None:
        if "One" in utterance.text:
            raise ZeroDivisionError("by nothing")

    bench.before_each_piece(break_on_one)
    bad, good = bench.submit("bad"), bench.submit("good", text="Fine.")

    bench.work()

    assert bench.error(bad) == (ResultErrorClass.ENGINE, "The worker failed: ZeroDivisionError: by nothing.")
    error = bench.result(bad).error
    assert error is not None
    assert any("break_on_one" in line for line in error.log)
    assert bench.result(good).state == "done"


def test_a_job_over_its_time_is_a_timeout(bench: Bench) -> None:
    bench.before_each_piece(lambda utterance: bench.clock.advance(40))
    entry = bench.submit(text="One. Two. Three. Four.", timeout_s=60)

    bench.work()

    assert bench.error(entry) == (
        ResultErrorClass.TIMEOUT,
        "The job ran over its timeout_s of 60 s (2 of 4 pieces done).",
    )


def test_a_job_that_ends_just_over_its_time_is_kept(bench: Bench) -> None:
    bench.before_each_piece(lambda utterance: bench.clock.advance(40))
    entry = bench.submit(text="One. Two.", timeout_s=60)

    bench.work()

    assert bench.result(entry).state == "done"


def test_a_job_canceled_in_the_inbox_is_not_spoken(bench: Bench) -> None:
    entry = bench.submit()
    bench.client.cancel(entry)

    bench.work()

    assert bench.error(entry)[0] is ResultErrorClass.CANCELED
    assert bench.engine.spoken == []


def test_a_job_canceled_while_it_is_spoken_ends_after_the_piece(bench: Bench) -> None:
    bench.before_each_piece(lambda utterance: bench.client.cancel(entry))
    entry = bench.submit(text="One. Two. Three.")

    bench.work()

    assert bench.error(entry) == (ResultErrorClass.CANCELED, "The job was canceled after 1 of 3 pieces.")


class TestStopping:
    def test_the_job_at_hand_is_finished_and_the_rest_stays_in_the_inbox(self, bench: Bench) -> None:
        bench.before_each_piece(lambda utterance: bench.stop.ask())
        first, second = bench.submit("a"), bench.submit("b")

        bench.work(once=False)

        done, left = sorted([first, second], key=lambda entry: bench.client.entries()[entry] is Phase.INBOX)
        assert bench.result(done).state == "done"
        assert bench.client.entries()[left] is Phase.INBOX

    def test_a_job_that_would_take_too_long_goes_back_after_the_piece(self, bench: Bench) -> None:
        def stop_and_wait(utterance: Utterance) -> None:
            bench.stop.ask()
            bench.clock.advance(3)

        bench.before_each_piece(stop_and_wait)
        entry = bench.submit(text="One. Two. Three. Four.")

        bench.work(once=False, grace_s=5.0)

        assert bench.client.entries() == {entry: Phase.INBOX}
        assert len(bench.engine.spoken) == 2

    def test_a_job_that_went_back_is_no_poison(self, bench: Bench) -> None:
        for _ in range(4):
            bench.before_each_piece(lambda utterance: bench.stop.ask())
            bench.stop = StopSignal(bench.clock)
            entry = bench.submit(text="One. Two. Three.")
            bench.work(once=False, grace_s=-1.0)
            assert bench.client.entries() == {entry: Phase.INBOX}

        bench.engine, bench.stop = HummingEngine(), StopSignal(bench.clock)
        bench.work()
        assert bench.result(entry).state == "done"

    def test_an_idle_worker_stops_at_once(self, bench: Bench) -> None:
        thread = threading.Thread(target=bench.work, kwargs={"once": False})
        thread.start()
        while bench.client.heartbeat() is None:
            bench.client.wait(0.01)

        bench.stop.ask()

        thread.join(10)
        assert not thread.is_alive()


def test_the_engine_does_not_wait_for_the_encoder(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first job's files are held up until the engine has begun the second job."""
    begun = threading.Event()
    bench.before_each_piece(lambda utterance: begun.set() if "Second" in utterance.text else None)
    real = JobSpeaker.finish

    def slow_finish(speaker: JobSpeaker, *args: Any) -> SpoolResult:
        assert begun.wait(30)
        return real(speaker, *args)

    monkeypatch.setattr(JobSpeaker, "finish", slow_finish)
    first = bench.submit("a", text="First.")
    os.utime(bench.root / "inbox" / f"{first}.json", (1, 1))
    bench.submit("b", text="Second.")

    bench.work()

    assert worker_module._MOST_BEHIND >= 2
    assert len(bench.client.finished()) == 2
