"""A user's empty home with the installed programs, and the schemas of what they print."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import referencing
from referencing.jsonschema import DRAFT202012

from lib.errors import Unavailable
from lib.jobqueue import Snapshot, connect
from tests import warm
from tests.warm.process import WarmProcess

PROGRAMS = Path(sys.executable).parent
_WITHIN_S = 60.0
SCHEMAS = Path(__file__).parents[2] / "docs/reference/json"


class Home:
    """Commands run in a folder of their own, with nothing set but what a test sets."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        # One worker: each loads the model, which takes longer than all that most tests have spoken.
        self.environ = {**kept, "LOCAL_WORKERS": "1", "HOME": str(folder), **settings}
        self._started: list[subprocess.Popen[str] | WarmProcess] = []

    def start(self, *words: str | Path, program: str = "job-runner", **settings: str) -> WarmProcess:
        """Start a program, warm, with its output in pipes."""
        argv = [str(PROGRAMS / program), *map(str, words)]
        environ = {**self.environ, **settings}
        process = WarmProcess(argv, warm.CALLS[program], cwd=self.folder, environ=environ)
        self._started.append(process)
        return process

    def start_cold(
        self, *words: str | Path, program: str = "job-runner", **settings: str
    ) -> subprocess.Popen[str]:
        """Start a program as users do, with its output in pipes."""
        process = subprocess.Popen(
            [str(PROGRAMS / program), *map(str, words)],
            cwd=self.folder,
            env={**self.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End what a red test left running, lest the tests after it are told of it."""
        for process in self._started:
            if process.returncode is None:
                process.kill()
                process.communicate()

    def run(
        self, *words: str | Path, program: str = "job-runner", **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; warm, unless its interpreter is asked for something unusual."""
        environ = {**self.environ, **settings}
        if warm.is_usual(environ):
            argv = [str(PROGRAMS / program), *map(str, words)]
            return warm.run(argv, warm.CALLS[program], cwd=self.folder, environ=environ, timeout_s=90)
        process = self.start_cold(*words, program=program, **settings)
        out, err = process.communicate(timeout=90)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def json(self, *words: str | Path) -> Any:
        """What `job-runner ... --json` prints."""
        return json.loads(self.run(*words, "--json").stdout)

    def until(self, condition: Callable[[Snapshot], bool]) -> None:
        """Wait for `condition` of the queue on this home's embedded server, however late that is started.

        The queue is asked, not the program: one started again and again would keep a core from what it
        waits for.
        """
        give_up = time.monotonic() + _WITHIN_S
        seen = None
        while seen is None or not condition(seen):
            assert time.monotonic() < give_up, f"it never came to that: {seen}"
            time.sleep(0.02)
            with (
                contextlib.suppress(OSError, Unavailable),
                contextlib.closing(connect(f"unix://{self._socket.read_text()}")) as queue,
            ):
                seen = queue.snapshot()

    def server_was_started(self) -> bool:
        """Whether this home ever had an embedded server."""
        return self._socket.exists()

    @property
    def _socket(self) -> Path:
        """The file that says where the embedded server's socket is."""
        return self.folder / ".local/share/job-runner/redis/server.socket"

    def jobs(
        self, count: int, *, text: str = "The sea comes back twice a day.", name: str = "jobs.yaml"
    ) -> Path:
        """A file of jobs topic/beat-001 and so on."""
        path = self.folder / name
        lines = ["defaults: {speaker: Ryan}", "jobs:"]
        for number in range(1, count + 1):
            lines.append(f"  - {{output_name: topic/beat-{number:03d}, text: 'Number {number}. {text}'}}")
        path.write_text("\n".join(lines) + "\n")
        return path


@cache
def _schemas() -> referencing.Registry[Any]:
    resources = [
        (path.name, referencing.Resource.from_contents(json.loads(path.read_text()), DRAFT202012))
        for path in SCHEMAS.glob("*.json")
    ]
    return referencing.Registry[Any]().with_resources(resources)


def check_shape(name: str, value: Any) -> None:
    """Raise unless `value` has the documented shape `docs/reference/json/<name>.json`."""
    schema = _schemas().contents(f"{name}.json")
    jsonschema.Draft202012Validator(schema, registry=_schemas()).validate(value)
