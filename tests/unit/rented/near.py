"""A machine that is this one: commands run here, in a home of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from job_watcher.providers.over_ssh.ports import MachineLink, MachineOut, Stage
from lib.providers.rental import Endpoint
from lib.spool import HostUnreachable
from lib.units import MIB
from lib.workers import WorkerHost
from lib.workers.ssh import CommandResult
from tests.unit.dispatch.bench import ScriptedHost

DIRECT = Endpoint("203.0.113.7", 40022, direct=True)
PROXY = Endpoint("proxy.example", 12345, direct=False)


class NearLink:
    """`MachineLink` of one way. `trouble` is what connecting and commands end with; None: they work."""

    def __init__(self, home: Path, way: Endpoint, worker: ScriptedHost | None = None) -> None:
        self.name, self.home, self.way, self.worker = "token-1", home, way, worker
        self.trouble: Exception | None = None
        self.shims: dict[str, str] = {}
        self.connections = 0

    def connect(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.connections += 1

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, most: int = MIB
    ) -> CommandResult:
        if self.trouble is not None:
            raise self.trouble
        if argv[0] in self.shims:
            return CommandResult(0, self.shims[argv[0]].encode(), b"")
        environ = {**os.environ, "HOME": str(self.home)}
        done = subprocess.run(
            argv, input=stdin, cwd=self.home, env=environ, capture_output=True, timeout=timeout_s, check=False
        )
        return CommandResult(done.returncode, done.stdout[:most], done.stderr)

    def try_files(self, home: str) -> None:
        self.connect()

    def upload(self, local: Path, remote: str) -> None:
        raise AssertionError("nothing is brought here")

    def hosts(self, count: int, program: str, home: str) -> list[WorkerHost]:
        return [] if self.worker is None else [self.worker]

    def begin_workers(self, count: int, program: str, home: str) -> list[str]:
        return []

    def end_surplus(self, count: int, home: str) -> None:
        raise AssertionError("it has one worker")

    def close(self) -> None:
        self.trouble = HostUnreachable("It was closed.")


class Prepared:
    """`Preparation` that says what a test wants it to say."""

    def __init__(self, out: MachineOut | None = None) -> None:
        self.out = out

    def prepare(self, machine: MachineLink, tell: Callable[[Stage], None]) -> Sequence[WorkerHost]:
        if self.out is not None:
            raise self.out
        return machine.hosts(1, "voice-synth", "/home/near")

    def check(self, machine: MachineLink) -> None:
        return
