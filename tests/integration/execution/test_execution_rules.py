"""The loop's rules with a scripted worker on a real spool: what no real worker does on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from job_runner.execution.execution import Execution, Look, Setup
from job_runner.execution.task_tracking import point_latest
from lib.clock import Clock, ManualClock, SystemClock
from lib.errors import BadConfiguration, ExitStatus, Unavailable
from lib.jobspec import normalize_job_spec
from lib.manifest import OutFolder, check_inputs, compile_manifest, load_manifest
from lib.manifest.folder import WORKROOM
from lib.spool import LocalFiles, ResultError, ResultErrorClass, SpoolResult, TakenJob, WorkerSpool
from lib.voices import VoiceRegistry
from lib.workers import SpoolRoom, WorkerDeath
from tests.unit.dispatch.bench import a_take, spoken


class ScriptedHost:
    """Does what its script says each time it is tended; holds the spool like a real worker."""

    def __init__(self, root: Path, script: Callable[[ScriptedHost], WorkerDeath | None]) -> None:
        self.name, self.machine = root.name, "here"
        self.spool, self._script = WorkerSpool(root), script
        self.restarts = self.stops = 0
        self.remote = False
        self._entered = False
        self._files = LocalFiles(root)

    def files(self) -> LocalFiles:
        return self._files

    def tend(self) -> WorkerDeath | None:
        if not self._entered:
            self.spool.__enter__()
            self._entered = True
        return self._script(self)

    def restart(self) -> None:
        self.restarts += 1
        self.end()

    def stop(self, grace: float) -> None:
        self.stops += 1
        self.end()

    def close(self) -> None:
        self.end()
        self._files.close()

    def end(self) -> None:
        if self._entered:
            self.spool.__exit__(None, None, None)
            self.spool = WorkerSpool(self.spool.root)
            self._entered = False


def speak(worker: ScriptedHost, taken: TakenJob, **changes: Any) -> None:
    """Publish a good result, or one that differs."""
    assert taken.job is not None
    data = json.dumps(taken.job.spec["text"]).encode()
    (worker.spool.scratch(taken.entry) / "audio.wav").write_bytes(data)
    result = SpoolResult(
        entry=taken.entry,
        request_id=taken.job.request_id,
        started_at=1.0,
        finished_at=1.5,
        record=spoken([a_take(1, data, "audio.wav")]),
        fingerprint=taken.job.fingerprint,
    )
    worker.spool.publish(taken.entry, replace(result, **changes))


def speak_all(worker: ScriptedHost) -> None:
    for taken in worker.spool.take(8):
        speak(worker, taken)


class Stage:
    """A compiled folder and the execution of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.looks: list[Look] = []
        self.workers: list[ScriptedHost] = []

    def execution(
        self,
        script: Callable[[ScriptedHost], WorkerDeath | None],
        *,
        clock: Clock | None = None,
        jobs: int = 3,
        stop: Callable[[], bool] = lambda: False,
        workers: int = 1,
        **fields: Any,
    ) -> Execution:
        specs = [
            normalize_job_spec({"output_name": f"n{i}", "text": f"Number {i}.", "speaker": "Ryan", **fields})
            for i in range(jobs)
        ]
        manifest = load_manifest(compile_manifest(specs, self.root).path)

        def make(room: SpoolRoom, count: int) -> list[ScriptedHost]:
            made = [
                ScriptedHost(self.root / WORKROOM / f"spool-{number}", script)
                for number in room.free_numbers(count)
            ]
            self.workers += made
            return made

        return Execution(
            Setup(
                folder=OutFolder(self.root),
                manifest=manifest,
                inputs=check_inputs(manifest.orders, VoiceRegistry(), "hibari"),
                engine="hibari",
                room=SpoolRoom(self.root / WORKROOM, name="local", machine="here"),
                make_hosts=make,
                ahead=lambda workers: 4,
                clock=clock or SystemClock(),
                workers=workers,
                on_look=self.looks.append,
                stop_requested=stop,
            )
        )


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "out")
    yield stage
    for worker in stage.workers:
        worker.close()


def test_every_job_is_told_of_and_the_worker_is_stopped(stage: Stage) -> None:
    ended = stage.execution(speak_all, jobs=9).run()

    assert ended.state == "done"
    assert (stage.looks[-1].todo, stage.looks[-1].settled, stage.looks[-1].running) == (9, 9, ())
    assert stage.workers[0].stops == 1


def test_no_more_workers_are_made_than_there_are_jobs(stage: Stage) -> None:
    stage.execution(speak_all, jobs=2, workers=8).run()

    assert len(stage.workers) == 2


def test_no_worker_is_made_when_all_is_done(stage: Stage) -> None:
    stage.execution(speak_all).run()
    ended = stage.execution(speak_all).run()

    assert ended.totals["skipped"] == 3
    assert len(stage.workers) == 1


@pytest.mark.parametrize("error_class", [ResultErrorClass.ENGINE, ResultErrorClass.TIMEOUT])
def test_a_passing_failure_is_tried_again_up_to_max_attempts(
    stage: Stage, error_class: ResultErrorClass
) -> None:
    def fail(worker: ScriptedHost) -> None:
        for taken in worker.spool.take(8):
            speak(worker, taken, error=ResultError(error_class, "No.", ("a line",)), record=None)

    ended = stage.execution(fail, jobs=1, max_attempts=4).run()

    job = ended.jobs[0]
    assert (job.state, job.attempts, job.error_class) == ("failed", 4, error_class.value)
    assert (job.error, job.log) == ("No.", ("a line",))


@pytest.mark.parametrize(
    ("error_class", "most"), [(ResultErrorClass.BAD_INPUT, 1), (ResultErrorClass.POISON, 2)]
)
def test_a_final_failure_is_not_tried_again(stage: Stage, error_class: ResultErrorClass, most: int) -> None:
    """What a worker calls poison is believed the second time, as with every queue."""
    tries = 0

    def fail(worker: ScriptedHost) -> None:
        nonlocal tries
        for taken in worker.spool.take(8):
            tries += 1
            speak(worker, taken, error=ResultError(error_class, "No."), record=None)

    assert stage.execution(fail, jobs=1).run().state == "failed"
    assert tries == most


def test_a_failure_that_passes_leaves_no_error_behind(stage: Stage) -> None:
    tries = 0

    def fail_once(worker: ScriptedHost) -> None:
        nonlocal tries
        for taken in worker.spool.take(8):
            tries += 1
            bad = {"error": ResultError(ResultErrorClass.ENGINE, "No."), "record": None}
            speak(worker, taken, **(bad if tries == 1 else {}))

    job = stage.execution(fail_once, jobs=1).run().jobs[0]

    assert (job.state, job.attempts, job.error) == ("done", 2, None)


def test_a_result_that_breaks_the_format_is_a_failed_attempt(stage: Stage) -> None:
    def lie(worker: ScriptedHost) -> None:
        for taken in worker.spool.take(8):
            speak(worker, taken, record=spoken([a_take(1, b"other bytes", "audio.wav")]))

    job = stage.execution(lie, jobs=1, max_attempts=2).run().jobs[0]

    assert (job.state, job.attempts) == ("failed", 2)
    assert "another sha256" in str(job.error)
    assert not (stage.root / "n0.wav").exists()


def test_a_worker_that_hangs_over_a_timeout_is_restarted(stage: Stage) -> None:
    clock = ManualClock()

    def hang(worker: ScriptedHost) -> None:
        for taken in worker.spool.take(1):
            if worker.spool.canceled(taken.entry):
                speak(worker, taken, error=ResultError(ResultErrorClass.CANCELED, "Canceled."), record=None)
        clock.advance(4.0)

    job = stage.execution(hang, clock=clock, jobs=1, timeout_s=5, max_attempts=1).run().jobs[0]

    assert stage.workers[0].restarts == 1
    assert (job.state, job.error_class) == ("failed", "timeout")
    assert "timeout_s" in str(job.error)


def test_a_worker_with_wrong_settings_ends_the_execution_with_its_words(stage: Stage) -> None:
    death = WorkerDeath(ExitStatus.BAD_CONFIGURATION, "exit status 78", ("loading", "error: no engine"))

    with pytest.raises(BadConfiguration, match="error: no engine"):
        stage.execution(lambda worker: death).run()

    assert json.loads((stage.root / "execution.json").read_text())["state"] == "interrupted"
    assert stage.workers[0].stops == 1


def test_a_worker_that_never_gets_to_a_job_is_given_up(stage: Stage) -> None:
    with pytest.raises(Unavailable, match="5 times in a row"):
        stage.execution(lambda worker: WorkerDeath(1, "exit status 1", ("ImportError",))).run()


def test_a_stop_leaves_what_is_done_and_takes_back_the_rest(stage: Stage) -> None:
    def speak_one(worker: ScriptedHost) -> None:
        for taken in worker.spool.take(1):
            speak(worker, taken)

    execution = stage.execution(speak_one, jobs=9, stop=lambda: len(list(stage.root.glob("*.wav"))) >= 2)
    ended = execution.run()

    assert ended.state == "interrupted"
    assert ended.totals == {"jobs": 9, "waiting": 7, "running": 0, "done": 2, "skipped": 0, "failed": 0}
    assert not (stage.root / ".job-runner").exists()


def test_latest_points_to_the_newest_record(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
        point_latest(tmp_path / "data", tmp_path / name)

        assert (tmp_path / "data/executions/latest").read_text() == name
    assert [path.name for path in (tmp_path / "data/executions").iterdir()] == ["latest"]


def test_latest_is_for_this_user_alone_and_what_a_killed_run_left_is_gone(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("one")
    folder = tmp_path / "data/executions"
    point_latest(tmp_path / "data", tmp_path / "one")
    (folder / ".latest").symlink_to("nowhere")

    point_latest(tmp_path / "data", tmp_path / "one")

    assert [path.name for path in folder.iterdir()] == ["latest"]
    assert {path.stat().st_mode & 0o777 for path in (folder, folder.parent)} == {0o700}
