"""A user's machine in a temporary folder: the program, an engine that counts, a place for jobs."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.integration.execution.counting_engine import install
from tests.warm.process import WarmProcess

ROOT = Path(__file__).parents[3]
_DEADLINE = 60.0
_CALL = "tests.integration.execution.program:PROGRAM.main"


class Machine:
    """Runs the program as a user would, in `home`, with everything it keeps below it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data" / "job-runner"
        install(home / "engines")
        self.environ = {
            **warm.usual(),
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{home / 'engines'}",
            "VOICE_ENGINE": "counting",
            "LOCAL_WORKERS": "1",  # each loads an engine, which takes longer than all that these tests speak
        }
        (home / "data").mkdir()
        self._running: list[WarmProcess] = []

    def start(self, *args: str | Path) -> WarmProcess:
        """Start the program and return at once."""
        argv = ["job-runner", *map(str, args)]
        process = WarmProcess(argv, _CALL, cwd=self.home, environ=self.environ)
        self._running.append(process)
        return process

    def run(self, *args: str | Path, status: int = 0) -> Ran:
        """Run the program to its end, which must be `status`."""
        argv = ["job-runner", *map(str, args)]
        done = warm.run(argv, _CALL, cwd=self.home, environ=self.environ, timeout_s=_DEADLINE)
        return _ran(done.returncode, done.stdout, done.stderr, status)

    def end(self, process: WarmProcess, *, status: int) -> Ran:
        """Wait for a started program."""
        out, err = process.communicate(timeout=_DEADLINE)
        return _ran(process.wait(), out, err, status)

    def close(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def spoken(self) -> Counter[str]:
        """How often each text was spoken."""
        log = self.home / "data" / "spoken.log"
        return Counter(log.read_text().splitlines()) if log.exists() else Counter()

    def until_spoken(self, count: int) -> None:
        """Wait until `count` texts were begun."""
        until(lambda: self.spoken().total() >= count, f"speaking {count} texts")

    def jobs(self, *jobs: dict[str, Any], name: str = "jobs.yaml") -> Path:
        """Write a job file; the speaker is Ryan unless a job names a voice."""
        path = self.home / name
        path.write_text(json.dumps([{"speaker": "Ryan", **job} for job in jobs]))  # JSON is YAML
        return path


def _ran(found: int, out: str, err: str, status: int) -> Ran:
    assert found == status, f"status {found}: {err}\n{out}"
    return Ran(out, err)


class Ran:
    """What an ended program left."""

    def __init__(self, out: str, err: str) -> None:
        self.out, self.err = out, err

    @property
    def json(self) -> Any:
        """The one value on stdout."""
        return json.loads(self.out)

    def states(self) -> dict[str, str]:
        """Each job's state, of the value on stdout."""
        return {job["request_id"]: job["state"] for job in self.json["jobs"]}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.close()


def audio(folder: Path) -> dict[str, str]:
    """Every audio file below `folder`, and its sha256."""
    suffixes = {".wav", ".flac", ".mp3", ".opus"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.suffix in suffixes and ".job-runner" not in path.parts
    }


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for `condition`, which some other process brings about."""
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {_DEADLINE} s"
        time.sleep(0.005)
