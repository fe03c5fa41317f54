"""Run `voice-synth` as users do: as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lib.spool import LocalFiles, SpoolClient, SpoolJob, SpoolResult
from tests import warm
from tests.warm.process import WarmProcess

DEADLINE_S = 60.0


@dataclass
class VoiceSynth:
    """Calls of the program with a home of its own."""

    home: Path
    started: list[WarmProcess] = field(default_factory=list)

    def run(self, *args: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
        """Call it and wait."""
        return self._run(args, environ, None)

    def pipe(self, data: bytes, *args: str | Path) -> subprocess.CompletedProcess[str]:
        """Call it with `data` on its standard input, and wait."""
        return self._run(args, {}, data)

    def _run(
        self, args: Sequence[str | Path], more: dict[str, str], given: bytes | None
    ) -> subprocess.CompletedProcess[str]:
        argv, call = ["voice-synth", *map(str, args)], warm.CALLS["voice-synth"]
        environ = self._environ(more)
        return warm.run(argv, call, cwd=self.home, environ=environ, timeout_s=DEADLINE_S, given=given)

    def start(self, *args: str | Path) -> WarmProcess:
        """Call it and go on; it is ended after the test."""
        argv, call = ["voice-synth", *map(str, args)], warm.CALLS["voice-synth"]
        environ = self._environ({})
        process = WarmProcess(argv, call, cwd=self.home, environ=environ, holds_stdin=True)
        self.started.append(process)
        return process

    def end_all(self) -> None:
        """Kill what still runs."""
        for process in self.started:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    def _environ(self, more: dict[str, str]) -> dict[str, str]:
        root = str(Path(__file__).parents[3])
        return {
            **warm.usual(),
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": root,
            **more,
        }


@pytest.fixture
def voice_synth(tmp_path: Path) -> Iterator[VoiceSynth]:
    home = tmp_path / "home"
    home.mkdir()
    program = VoiceSynth(home)
    yield program
    program.end_all()


@dataclass
class ResidentWorker:
    """A worker process, its spool and its client."""

    program: VoiceSynth
    root: Path
    client: SpoolClient
    process: WarmProcess
    deadline_s: float = DEADLINE_S

    def restart(self, *args: str) -> None:
        """Start another worker on the same spool."""
        self.process = self.program.start("work", "--spool", self.root, *args)

    def submit(self, name: str, text: str = "A short sentence.", **fields: object) -> str:
        spec: dict[str, object] = {
            "request_id": name,
            "output_name": name.replace(":", "/"),
            "text": text,
            "speaker": "heart",
        }
        spec |= fields
        spec = {key: value for key, value in spec.items() if value is not None}
        return self.client.submit(SpoolJob(name, 1, "marknone", 1, "v1:any", spec))

    def result(self, entry: str) -> SpoolResult:
        """Wait for it."""
        deadline = time.monotonic() + self.deadline_s
        while (found := self.client.result(entry)) is None:
            assert time.monotonic() < deadline, "no result in time"
            assert self.process.poll() is None, "the worker has ended"
            self.client.wait(0.5)
        return found

    def until(self, reached: object) -> None:
        """Wait until `reached()` is true."""
        assert callable(reached)
        deadline = time.monotonic() + self.deadline_s
        while not reached():
            assert time.monotonic() < deadline, "not reached in time"
            self.client.wait(0.02)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def worker(voice_synth: VoiceSynth, tmp_path: Path) -> Iterator[ResidentWorker]:
    root = tmp_path / "spool"
    files = LocalFiles(root)
    process = voice_synth.start("work", "--spool", root)
    yield ResidentWorker(voice_synth, root, SpoolClient(files), process)
    files.close()
