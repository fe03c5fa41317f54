"""Programs of the project as processes that start warm: forks of one that has imported what others wrote.

Half of the time of a short command is the import of other projects. What a test sees is the same: a process
of its own with its own arguments, environment, folder, streams and end. Tests of the start itself, and those
that send signals, start programs as users do.
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
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = Path(sys.executable).parent
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
    """A server whose interpreter started with `settings`; runs until `stop`, or the end of this process."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = dict(settings)
        self.folder = Path(tempfile.mkdtemp(prefix="jr-warm-"))
        self.place = self.folder / "s"
        command = [sys.executable, "-m", "tests.warm.server", str(self.place)]
        environ = {name: value for name, value in os.environ.items() if not _is_at_start(name)}
        environ |= self.settings
        self._process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.PIPE)
        self._wait()

    def listens(self) -> bool:
        """Whether it lives and can be found; a sweep of temporary files may have taken its place."""
        return self._process.poll() is None and self.place.exists()

    def stop(self) -> None:
        """End it, and what is left of its programs."""
        self._process.communicate(timeout=_READY_WITHIN_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        give_up = time.monotonic() + _READY_WITHIN_S
        while True:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self.place))
                return
            assert self._process.poll() is None, "the warm server ended at once"
            assert time.monotonic() < give_up, "the warm server did not listen in time"
            time.sleep(0.01)


_servers: Final[dict[frozenset[tuple[str, str]], WarmServer]] = {}


def server(environ: Mapping[str, str]) -> WarmServer:
    """The one for programs with that environment, started when it is first wanted."""
    settings = _at_start(environ)
    key = frozenset(settings.items())
    if key in _servers and not _servers[key].listens():
        _servers.pop(key).stop()
    if key not in _servers:
        _servers[key] = WarmServer(settings)
    return _servers[key]


def is_usual(environ: Mapping[str, str]) -> bool:
    """Whether a program with that environment has an interpreter like this process's own."""
    return _at_start(environ) == _at_start(os.environ)


def stop() -> None:
    """End every server of this process."""
    while _servers:
        _servers.popitem()[1].stop()


def programs() -> Path:
    """A folder for PATH: the programs by their names, each a few lines that ask the usual server."""
    asked = server(os.environ)
    if not (folder := asked.folder / "bin").exists():
        folder.mkdir()
        lines = (Path(__file__).parent / "program.py").read_text(encoding="utf-8")
        for name, call in CALLS.items():
            given = {"place": str(asked.place), "program": str(PROGRAMS / name), "call": call}
            more = {"settings": asked.settings, "at_start": _AT_START, "anytime": _ANYTIME}
            (folder / f"{name}.json").write_text(json.dumps(given | more), encoding="utf-8")
            (folder / name).write_text(f"#!{sys.executable} -IS\n{lines}", encoding="utf-8")
            (folder / name).chmod(0o755)
    return folder


def run(
    argv: Sequence[str],
    call: str,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    timeout_s: float,
    given: bytes | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with `given` on its standard input; `call` is what its script calls.

    Raises:
        subprocess.TimeoutExpired: it did not end in time, and was killed.
    """
    asked = {"argv": list(argv), "call": call, "cwd": str(cwd), "environ": dict(environ)}
    request = json.dumps(asked).encode()
    with contextlib.ExitStack() as stack:
        caller = stack.enter_context(socket.socket(socket.AF_UNIX))
        caller.connect(str(server(environ).place))
        stdin = stack.enter_context(_holding(given))
        pipes = [os.pipe(), os.pipe()]
        out, err = (stack.enter_context(open(reading, "rb", buffering=0)) for reading, _ in pipes)
        streams = [stdin.fileno(), *(writing for _, writing in pipes)]
        socket.send_fds(caller, [len(request).to_bytes(4, "big")], streams)
        for _, writing in pipes:
            os.close(writing)
        stdin.close()
        caller.sendall(request)
        said = _read_all(out.fileno(), err.fileno(), time.monotonic() + timeout_s)
        caller.settimeout(timeout_s)
        _, status = caller.makefile().read().split()
    return subprocess.CompletedProcess(list(argv), int(status), _text(said[0]), _text(said[1]))


@contextlib.contextmanager
def _holding(data: bytes | None) -> Iterator[IO[bytes]]:
    """What reads as these bytes through a pipe, None as nothing at all."""
    if data is None:
        with open(os.devnull, "rb") as nothing:
            yield nothing
        return
    reading, writing = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), open(writing, "wb") as pipe:
            pipe.write(data)

    thread = threading.Thread(target=write)
    with open(reading, "rb") as pipe:
        thread.start()
        yield pipe
    thread.join()


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
    return {name: value for name, value in environ.items() if _is_at_start(name)}


def _is_at_start(name: str) -> bool:
    return name.startswith(_AT_START) and name not in _ANYTIME
