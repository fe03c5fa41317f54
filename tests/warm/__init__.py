"""Programs of the project as processes that start warm: forks of one that has imported what they begin with.

Nearly all of the time of a short command is imports, and most of a worker's start the load of its model. What
a test sees is the same: a process of its own with its own arguments, environment, folder, streams, signals
and end; and what such a program starts itself, a watcher or a worker, starts warm too. Tests of the start
itself start programs as users do.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from tests.warm.program import without_own_locale

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = Path(sys.executable).parent
_READY_WITHIN_S: Final = 30.0
#: Read by the interpreter before any line of a program: who sets one of these anew needs a fresh interpreter.
_AT_START: Final = ("PYTHON", "LC_", "LANG", "MALLOC", "LD_")
_ANYTIME: Final = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")

#: The interpreter of what started warm: the project starts its own programs so.
_PYTHON: Final = """\
#!/bin/sh
case "$1 $2 $3" in
"-P -m job_watcher.main") program=job-watcher ;;
"-P -m job_pipeline.main") program=job-pipeline ;;
"-P -m job_console.main") program=job-console ;;
"-P -m synth.main") program=voice-synth ;;
"-P -m synth.image_main") program=image-synth ;;
"-P -m synth.video_main") program=video-synth ;;
*) exec {python} "$@" ;;
esac
shift 3
exec "${{0%/*}}/$program" "$@"
"""

CALLS: Final = {
    "job-runner": "job_runner.main:main",
    "job-watcher": "job_watcher.main:main",
    "job-pipeline": "job_pipeline.main:main",
    "job-console": "job_console.main:main",
    "voice-synth": "synth.main:main",
    "image-synth": "synth.image_main:main",
    "video-synth": "synth.video_main:main",
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

    def place_of(self, program: str, call: str) -> str:
        """Where to ask for what a script calls: one of a program's name begins with what that program has."""
        named = Path(program).name
        name = next((name for name, usual in CALLS.items() if usual == call), named)
        return f"{self.place}.{name}" if name in CALLS else str(self.place)

    def request(
        self, argv: Sequence[str], call: str, *, cwd: Path, environ: Mapping[str, str]
    ) -> dict[str, Any]:
        """What asks for a program, whose own programs start warm, too."""
        asked = {"argv": list(argv), "call": call, "cwd": str(cwd), "environ": dict(environ)}
        return asked | {"python": str(self.programs() / "python")}

    def programs(self) -> Path:
        """A folder for PATH: the programs by their names, each a few lines that ask this server.

        Beside them lies `python`, an interpreter as any other, but for these programs as modules.
        """
        if (folder := self.folder / "bin").exists():
            return folder
        making = self.folder / "making"
        making.mkdir()
        lines = (Path(__file__).parent / "program.py").read_text(encoding="utf-8")
        for name, call in CALLS.items():
            given = {"place": self.place_of(name, call), "program": str(PROGRAMS / name), "call": call}
            given["python"] = str(folder / "python")
            more = {"settings": self.settings, "at_start": _AT_START, "anytime": _ANYTIME}
            (making / f"{name}.json").write_text(json.dumps(given | more), encoding="utf-8")
            _write_program(making / name, f"#!{sys.executable} -IS\n{lines}")
        _write_program(making / "python", _PYTHON.format(python=sys.executable))
        making.rename(folder)
        return folder

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


def usual() -> dict[str, str]:
    """What our interpreter read at its start: a program that is given these starts from the usual server."""
    return _at_start(os.environ)


def is_usual(environ: Mapping[str, str]) -> bool:
    """Whether a program with that environment has an interpreter like this process's own."""
    return _at_start(environ) == _at_start(os.environ)


def stop() -> None:
    """End every server of this process."""
    while _servers:
        _servers.popitem()[1].stop()


def programs() -> Path:
    """The folder of the usual server's programs."""
    return server(os.environ).programs()


def command_of(program: str) -> str:
    """What a shell starts it warm by, from these sources, whatever its environment has of settings."""
    settings = {**usual(), "PYTHONPATH": str(ROOT)}
    return " ".join(
        [
            *(f"{name}={shlex.quote(value)}" for name, value in settings.items()),
            f"exec {programs()}/{program}",
        ]
    )


def _write_program(path: Path, lines: str) -> None:
    path.write_text(lines, encoding="utf-8")
    path.chmod(0o755)


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
    asked = server(environ)
    with contextlib.ExitStack() as stack:
        caller = stack.enter_context(socket.socket(socket.AF_UNIX))
        caller.connect(asked.place_of(argv[0], call))
        stdin = stack.enter_context(_holding(given))
        pipes = [os.pipe(), os.pipe()]
        out, err = (stack.enter_context(open(reading, "rb", buffering=0)) for reading, _ in pipes)
        streams = [stdin.fileno(), *(writing for _, writing in pipes)]
        send(caller, asked.request(argv, call, cwd=cwd, environ=environ), streams)
        for _, writing in pipes:
            os.close(writing)
        stdin.close()
        said = _read_all(out.fileno(), err.fileno(), time.monotonic() + timeout_s)
        caller.settimeout(timeout_s)
        _, status = caller.makefile().read().split()
    return subprocess.CompletedProcess(list(argv), int(status), _text(said[0]), _text(said[1]))


def send(caller: socket.socket, request: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Ask the server at the other end for a program with these three streams."""
    data = json.dumps(request).encode()
    socket.send_fds(caller, [len(data).to_bytes(4, "big")], streams)
    caller.sendall(data)


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
    found = {name: value for name, value in environ.items() if _is_at_start(name)}
    return without_own_locale(found)


def _is_at_start(name: str) -> bool:
    return name.startswith(_AT_START) and name not in _ANYTIME
