"""Programs of the project, run as processes that start warm: forks of one that has imported what others wrote.

Half of the time of a short command is the import of other projects. What a test sees is the same: a process of
its own with its own arguments, environment, folder, streams and end. Tests of the start itself, and those that
send signals, start programs as users do.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_READY_WITHIN_S: Final = 30.0
#: Read by the interpreter before any line of a program: who sets one of these anew needs a fresh interpreter.
_AT_START: Final = ("PYTHON", "LC_", "LANG", "MALLOC", "LD_")
_ANYTIME: Final = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")

CALLS: Final = {
    "job-runner": "job_runner.main:main",
    "job-watcher": "job_watcher.main:main",
    "voice-synth": "synth.main:main",
}


class WarmServer:
    """One server of this test process, started when it is first wanted."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._settings: dict[str, str] = {}

    @property
    def place(self) -> Path:
        """Its socket, on which it listens now."""
        if self._folder is None:
            self._start()
        assert self._folder is not None
        return self._folder / "s"

    def suits(self, environ: Mapping[str, str]) -> bool:
        """Whether a process with that environment may be a fork: its interpreter would be the same."""
        return bool(self.place) and _at_start(environ) == self._settings

    def stop(self) -> None:
        """End it, and what is left of its programs."""
        if self._process is not None:
            self._process.communicate(timeout=_READY_WITHIN_S)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = self._process = None

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="jr-warm-"))
        self._settings = _at_start(os.environ)
        command = [sys.executable, "-m", "tests.warm.server", str(self._folder / "s")]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        give_up = time.monotonic() + _READY_WITHIN_S
        while True:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self._folder / "s"))
                return
            assert self._process.poll() is None, "the warm server ended at once"
            assert time.monotonic() < give_up, "the warm server did not listen in time"
            time.sleep(0.01)


SERVER: Final = WarmServer()


def run(
    argv: Sequence[str], call: str, *, cwd: Path, environ: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; `call` is "module:function" of what its script calls."""
    request = json.dumps({"argv": list(argv), "call": call, "cwd": str(cwd), "environ": dict(environ)}).encode()
    with contextlib.ExitStack() as stack:
        caller = stack.enter_context(socket.socket(socket.AF_UNIX))
        caller.connect(str(SERVER.place))
        given = [os.open(os.devnull, os.O_RDONLY)]
        ours = []
        for _ in range(2):
            reading, writing = os.pipe()
            ours.append(stack.enter_context(open(reading, "rb", buffering=0)))
            given.append(writing)
        socket.send_fds(caller, [len(request).to_bytes(4, "big")], given)
        for each in given:
            os.close(each)
        caller.sendall(request)
        out, err = _read_all(ours[0].fileno(), ours[1].fileno(), time.monotonic() + timeout_s)
        caller.settimeout(timeout_s)
        _, status = caller.makefile().read().split()
    return subprocess.CompletedProcess(list(argv), int(status), _text(out), _text(err))


def _read_all(out: int, err: int, give_up: float) -> tuple[bytes, bytes]:
    found = {out: b"", err: b""}
    with selectors.DefaultSelector() as selector:
        for each in found:
            selector.register(each, selectors.EVENT_READ)
        while selector.get_map():
            left = give_up - time.monotonic()
            if left < 0:
                raise subprocess.TimeoutExpired("a warm program", left, found[out], found[err])
            for key, _ in selector.select(left):
                data = os.read(key.fd, 65536)
                found[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
    return found[out], found[err]


def _text(data: bytes) -> str:
    """As `subprocess` reads text."""
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


def _at_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(_AT_START) and name not in _ANYTIME
    }
