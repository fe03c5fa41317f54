"""The processes of a production in a folder of its own: those that stay, and the commands of its operator."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

_SILENT_S: Final = 120.0  # the longest time without an event: a voice is loaded meanwhile, on a busy machine
_END_S: Final = 60.0
_STAYING: Final[Mapping[str, tuple[str, ...]]] = {
    "job-watcher": ("run",),
    "job-pipeline worker": ("worker", "--dag", "video"),
    "job-pipeline orchestrator-loop": ("orchestrator-loop",),
}


class Halted(Exception):
    """The production did not go on; its words say what is known of it."""


class Production:
    """Programs as their users start them, with nothing set but HOME; what they write stays in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.desk = folder / "desk"
        self.desk.mkdir()
        self._logs = folder / "logs"
        self._logs.mkdir()
        kept = {n: os.environ[n] for n in ("PATH", "LANG", "TMPDIR", "PYTHONPATH") if n in os.environ}
        self._environ = {**kept, "HOME": str(folder), "LOCAL_WORKERS": "1"}
        self._staying: dict[str, subprocess.Popen[str]] = {}

    def open(self) -> None:
        """Start what stays: who speaks, who works, who orchestrates."""
        for name, words in _STAYING.items():
            with self._log(name).open("w") as log:
                argv = _argv(name.split()[0], *words)
                self._staying[name] = self._popen(argv, stdout=log, stderr=subprocess.STDOUT)

    def command(self, *words: str, status: int = 0) -> str:
        """What a command of `job-pipeline` prints.

        Raises:
            Halted: it ended with another exit status.
        """
        done = self._popen(_argv("job-pipeline", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = done.communicate(timeout=_SILENT_S)
        if done.returncode != status:
            raise Halted(f"job-pipeline {' '.join(words)} ended with {done.returncode}: {err.strip() or out}")
        return out

    def json(self, *words: str) -> Any:
        """What it prints with `--json`."""
        return json.loads(self.command(*words, "--json"))

    def follow(self, run: str) -> Iterator[dict[str, Any]]:
        """Each event of a run as it happens, to the run's end.

        Raises:
            Halted: a program ended, or nothing happened for a long time.
        """
        argv = _argv("job-pipeline", "events", "--follow", "--run", run, "--json")
        following = self._popen(argv, stdout=subprocess.PIPE)
        assert following.stdout is not None
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_read, args=(following.stdout, lines), daemon=True).start()
        try:
            while (line := self._next(lines, run)) is not None:
                yield json.loads(line)
        finally:
            _end(following)

    def _next(self, lines: queue.Queue[str | None], run: str) -> str | None:
        for _ in range(int(_SILENT_S)):
            try:
                return lines.get(timeout=1.0)
            except queue.Empty:
                for name, process in self._staying.items():
                    if process.poll() is not None:
                        said = self._log(name).read_text().strip().rpartition("\n")[2]
                        raise Halted(f"{name} ended with {process.returncode}: {said}") from None
        raise Halted(f"nothing happened for {_SILENT_S:g} s:\n{self.command('show', run)}")

    def close(self) -> None:
        """End everything, the embedded server too. What is written of the trail is whole then.

        Raises:
            Halted: a program that was asked to end ended badly.
        """
        staying, self._staying = self._staying, {}
        bad = {name: status for name, process in staying.items() if (status := _end(process))}
        done = self._popen(_argv("job-runner", "down"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        done.communicate(timeout=_SILENT_S)
        if bad:
            raise Halted(f"asked to end, these ended badly: {bad}")

    def _log(self, name: str) -> Path:
        return self._logs / f"{name.replace(' ', '-')}.log"

    def _popen(self, argv: list[str], **streams: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            argv, cwd=self.desk, env=self._environ, stdin=subprocess.DEVNULL, text=True, **streams
        )


def _argv(program: str, *words: str) -> list[str]:
    return [sys.executable, "-P", "-m", f"{program.replace('-', '_')}.main", *words]


def _read(stream: TextIO, lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _end(process: subprocess.Popen[str]) -> int:
    """Ask it to end, and wait; its exit status, 0 where it was SIGTERM that ended it."""
    process.terminate()
    try:
        status = process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    return 0 if status == -signal.SIGTERM else status
