"""`voice-synth work` as a process (V11)."""

from __future__ import annotations

import json
import time
from pathlib import Path

import soundfile

from lib.records import SpokenRecord
from lib.spool import LocalFiles, Phase, ResultErrorClass, SpoolClient, WorkerState
from tests.integration.synth.conftest import ResidentWorker, VoiceSynth


def test_a_job_put_into_the_inbox_comes_out_as_finished_audio(worker: ResidentWorker, tmp_path: Path) -> None:
    entry = worker.submit("topic:beat-001", voice="newsroom", speaker=None)

    result = worker.result(entry)

    record = result.record
    assert isinstance(record, SpokenRecord)
    worker.client.fetch(entry, record.chosen.main, tmp_path / "got.wav")
    samples, rate = soundfile.read(str(tmp_path / "got.wav"))
    assert rate == 24_000
    assert 0.8 < len(samples) / rate < 3.0
    assert (record.voice, record.engine) == ("newsroom", "hibari")
    loudness, peak = record.chosen.loudness_lufs, record.chosen.true_peak_dbtp
    assert loudness is not None
    assert abs(loudness + 19.0) < 0.2
    assert peak is not None
    assert peak <= -1.5


def test_with_json_each_job_is_a_line_at_once(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    root = tmp_path / "spool"
    process = voice_synth.start("work", "--spool", root, "--json")
    worker = ResidentWorker(voice_synth, root, SpoolClient(LocalFiles(root)), process)
    assert worker.process.stdout is not None
    for number in range(2):
        entry = worker.submit(f"job-{number}")

        line = json.loads(worker.process.stdout.readline())  # while the worker goes on

        assert (line["entry"], line["request_id"], line["state"]) == (entry, f"job-{number}", "done")
        assert worker.result(entry).state == "done"
    assert worker.stop() == 0
    assert worker.process.stdout.read() == ""


def test_a_ready_worker_begins_at_once(worker: ResidentWorker) -> None:
    """Counted to where it begins: on a busy machine a sentence may take as long to speak and to write."""
    worker.result(worker.submit("warm-up"))

    late = []
    for number in range(12):
        entry = worker.submit(f"job-{number}", text="Yes.")
        there = time.time()
        late.append(worker.result(entry).started_at - there)

    assert len([seconds for seconds in late if seconds < 0.5]) >= 9, late  # the machine may be busy


def test_a_second_worker_on_the_spool_is_refused_with_a_sentence(worker: ResidentWorker) -> None:
    worker.until(lambda: worker.client.heartbeat() is not None)

    second = worker.program.run("work", "--spool", worker.root)

    assert second.returncode == 75
    assert f"(process {worker.process.pid}) already serves the spool" in second.stderr
    assert "Traceback" not in second.stderr
    assert worker.result(worker.submit("still-served")).state == "done"


def test_sigterm_finishes_the_job_at_hand_and_leaves_the_rest_in_the_inbox(worker: ResidentWorker) -> None:
    texts = "This sentence keeps the engine busy for a little while, and that is all it is for. " * 8
    entries = [worker.submit(f"job-{number}", text=texts) for number in range(12)]
    worker.until(lambda: Phase.OUTBOX in worker.client.entries().values())

    assert worker.stop() == 0

    phases = worker.client.entries()
    assert set(phases) == set(entries)
    assert Phase.WORK not in phases.values()
    assert Phase.INBOX in phases.values()
    assert all(worker.client.result(e) for e, phase in phases.items() if phase is Phase.OUTBOX)
    beat = worker.client.heartbeat()
    assert beat is not None
    assert beat.state is WorkerState.STOPPED


def test_a_killed_workers_jobs_are_taken_up_by_the_next(worker: ResidentWorker) -> None:
    text = "This sentence keeps the engine busy for a little while, and that is all it is for. " * 15
    entries = [worker.submit(f"job-{number}", text=text) for number in range(3)]
    worker.until(lambda: Phase.WORK in worker.client.entries().values())
    worker.process.kill()
    worker.process.wait()

    worker.restart()

    assert all(worker.result(entry).state == "done" for entry in entries)


def test_a_canceled_job_ends_as_canceled(worker: ResidentWorker) -> None:
    long = worker.submit("long", text="One more sentence of many. " * 150)
    worker.until(lambda: worker.client.entries().get(long) is Phase.WORK)
    worker.client.cancel(long)

    error = worker.result(long).error

    assert error is not None
    assert error.error_class is ResultErrorClass.CANCELED


def test_the_heartbeat_names_job_and_progress(worker: ResidentWorker) -> None:
    entry = worker.submit("long", text="One more sentence of many. " * 150)

    def busy() -> bool:
        beat = worker.client.heartbeat()
        return beat is not None and beat.entries == (entry,) and 0 < beat.pieces_done < beat.pieces

    worker.until(busy)


def test_a_job_that_is_wrong_fails_alone(worker: ResidentWorker) -> None:
    bad, good = worker.submit("bad", text="🎉"), worker.submit("good")

    error = worker.result(bad).error

    assert error is not None
    assert error.error_class is ResultErrorClass.BAD_INPUT
    assert worker.result(good).state == "done"


def test_it_ends_with_its_parent_only_when_asked_to(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    process = voice_synth.start("work", "--spool", tmp_path / "spool", "--exit-with-parent")
    assert process.stdin is not None
    process.stdin.close()

    assert process.wait(30) == 0


def test_standard_input_that_ends_is_nothing_to_a_worker_of_its_own(worker: ResidentWorker) -> None:
    assert worker.process.stdin is not None
    worker.process.stdin.close()

    assert worker.result(worker.submit("after")).state == "done"


def test_an_unknown_engine_is_a_sentence(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    failed = voice_synth.run("work", "--spool", tmp_path / "spool", "--engine", "kokoro")

    assert failed.returncode == 78
    assert "'kokoro' is not installed here" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_spool_that_cannot_be_made_is_a_sentence(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    failed = voice_synth.run("work", "--spool", tmp_path / "file" / "spool")

    assert failed.returncode == 78
    assert "cannot be used: Not a directory" in failed.stderr
