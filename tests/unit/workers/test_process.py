"""WorkerProcess: keeps the resident worker alive and tells how it died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.child import ChildProcess, parent_has_exited
from lib.clock import ManualClock
from lib.workers import WorkerDeath, WorkerProcess


def wait_for_death(worker: WorkerProcess, deadline: float = 50.0) -> WorkerDeath:
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if death := worker.tend():
            return death
        time.sleep(0.005)
    raise AssertionError("the worker did not die")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make(tmp_path: Path, clock: ManualClock) -> Iterator[list[WorkerProcess]]:
    workers: list[WorkerProcess] = []
    yield workers
    for worker in workers:
        worker.stop(grace=0.0)


def worker_of(code: str, tmp_path: Path, clock: ManualClock, kept: list[WorkerProcess]) -> WorkerProcess:
    worker = WorkerProcess([sys.executable, "-c", code], log=tmp_path / "worker.log", clock=clock)
    kept.append(worker)
    return worker


def test_a_death_is_told_once_with_the_last_words(
    tmp_path: Path, clock: ManualClock, make: list[WorkerProcess]
) -> None:
    worker = worker_of("print('no model'); raise SystemExit(3)", tmp_path, clock, make)
    worker.tend()

    death = wait_for_death(worker)

    assert (death.status, death.sentence, death.log_tail) == (3, "exit status 3", ("no model",))
    assert worker.tend() is None


def test_a_killed_worker_blames_the_job_and_a_busy_spool_does_not(
    tmp_path: Path, clock: ManualClock, make: list[WorkerProcess]
) -> None:
    worker = worker_of("import time; time.sleep(60)", tmp_path, clock, make)
    worker.tend()
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)

    assert wait_for_death(worker).blames_the_job
    assert not WorkerDeath(75, "exit status 75", ()).blames_the_job


def test_a_worker_that_keeps_dying_is_restarted_with_growing_pauses(
    tmp_path: Path, clock: ManualClock, make: list[WorkerProcess]
) -> None:
    worker = worker_of("raise SystemExit(1)", tmp_path, clock, make)
    pauses = []
    for _ in range(4):
        worker.tend()
        wait_for_death(worker)
        waited = 0.0
        while worker.pid is None:
            clock.advance(0.05)
            waited += 0.05
            worker.tend()
        pauses.append(round(waited, 2))
        worker.restart()

    assert pauses == sorted(pauses)
    assert pauses[0] >= 0.25
    assert pauses[-1] >= 4 * pauses[0]


def test_a_file_of_the_users_folder_does_not_stand_in_for_a_module(
    tmp_path: Path, clock: ManualClock, make: list[WorkerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m` alone looks into the current folder first."""
    for name in ("queue", "typer", "synth", "lib"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    spool, log = tmp_path / "spool", tmp_path / "worker.log"
    worker = WorkerProcess.of_spool(
        spool, voices_dir=tmp_path, engine="no-such-engine", log=log, clock=clock, grace=1.0
    )
    make.append(worker)
    worker.tend()

    death = wait_for_death(worker)

    assert death.status in (65, 78)
    assert "no-such-engine" in " ".join(death.log_tail)


def test_a_log_is_cut_while_the_child_runs_and_goes_on_behind_the_cut(
    tmp_path: Path,
) -> None:
    """No gap of zero bytes as long as what was cut: the child appends."""
    log = tmp_path / "worker.log"
    go = tmp_path / "go"
    code = (
        "import pathlib, sys, time\nsys.stdout.write('x' * 500 + '\\n')\nsys.stdout.flush()\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.005)\nprint('after')\n"
    )
    child = ChildProcess([sys.executable, "-c", code], log=log, log_bytes=100)
    deadline = time.monotonic() + 20
    while not log.with_name("worker.log.1").exists():
        assert time.monotonic() < deadline
        child.poll()
        time.sleep(0.005)

    go.touch()
    child.wait(20)

    assert log.read_bytes() == b"after\n"
    assert log.with_name("worker.log.1").read_bytes() == b"x" * 500 + b"\n"
    assert child.log_tail() == ["after"]
    child.stop(grace=0.0)


def test_a_parent_has_exited_when_its_pipe_has_ended_and_not_when_something_came_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as lifeline:
        monkeypatch.setattr(sys, "stdin", lifeline)
        assert not parent_has_exited()
        os.write(writing, b"a key that somebody pressed\n")
        assert not parent_has_exited()
        os.close(writing)
        assert parent_has_exited()


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """The lifeline holds for SIGKILL, where no handler runs."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from lib.child import ChildProcess\n"
        "inner = 'import os, time\\n'"
        "'from lib.child import when_parent_exits\\n'"
        "'when_parent_exits(lambda: os._exit(0))\\n'"
        "'print(os.getpid(), flush=True)\\n'"
        "'time.sleep(60)\\n'\n"
        f"ChildProcess([sys.executable, '-c', inner], log=Path({str(tmp_path / 'child.log')!r}))\n"
        "time.sleep(60)\n"
    )

    with subprocess.Popen(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": os.getcwd()}
    ) as parent:
        pid = _read_pid(tmp_path / "child.log")
        parent.kill()
        parent.wait()

    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(pid)


def _read_pid(log: Path) -> int:
    deadline = time.monotonic() + 50
    while time.monotonic() < deadline:
        if log.exists() and (text := log.read_text().strip()):
            return int(text)
        time.sleep(0.01)
    raise AssertionError("the child wrote no pid")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a zombie that nobody reaps yet has ended all the same
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # collected before it was opened, or before it was read
        return False


def _environment(pid: int) -> list[str]:
    """What a process was started with. The kernel shows nothing while it lays out the new program."""
    deadline = time.monotonic() + 10
    while not (told := Path(f"/proc/{pid}/environ").read_bytes()):
        assert time.monotonic() < deadline, f"process {pid} shows no environment"
        time.sleep(0.001)
    return told.decode().split("\0")


def test_a_worker_of_this_computer_reads_a_token_from_wherever_the_settings_have_it(
    tmp_path: Path, clock: ManualClock, make: list[WorkerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I7: a file that is named, or a credential of systemd; and of other secrets it knows nothing."""
    told = {
        "REPLICATE_API_TOKEN_FILE": str(tmp_path / "token"),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    for name, value in {**told, "VAST_API_KEY": "secret", "REDIS_URL": "redis://:secret@host"}.items():
        monkeypatch.setenv(name, value)
    log = tmp_path / "worker.log"
    worker = WorkerProcess.of_spool(
        tmp_path / "spool", voices_dir=tmp_path, engine="hibari", log=log, clock=clock, grace=0.0
    )
    make.append(worker)
    worker.tend()
    assert worker.pid is not None
    environ = _environment(worker.pid)

    assert {f"{name}={value}" for name, value in told.items()} <= set(environ)
    assert "secret" not in "\0".join(environ)
