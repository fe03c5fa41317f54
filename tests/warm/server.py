"""Starts programs of the project as forks of a process that has imported what they begin with.

    python -m tests.warm.server SOCKET

There is a server for each program, at SOCKET.PROGRAM, which has imported what the program's commands import
at once, and one for all else, at SOCKET itself: a worker is a fork of one that has loaded the engine's model,
and nothing else is. Each but the last prepares itself when it is first asked.

A request comes over a Unix socket: its length in four bytes, with the program's three streams beside them,
then JSON of `call` ("module:function"), `argv`, `cwd` and `environ`, and the `python` that the program is to
take for its own. The answers are lines: the process's id, then how it ended, as `subprocess` tells it. The
servers end when their own standard input does, which is when whoever started them is gone; a program whose
caller hangs up is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.warm import CALLS

# What the programs need of others, half of the time of a short command.
_IMPORTED: Final = (
    "asyncio.events",
    "importlib.metadata",
    "pydantic.json_schema",
    "pydantic.main",
    "pydantic.types",
    "redis.cluster",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    "typer._adapters",
    "typer.core",
    "yaml",
)


# What a watcher has besides: machines over SSH, the database, its metrics.
_OF_WATCHERS: Final = (
    *("alembic.migration", "asyncssh", "botocore.session", "packaging.version", "prometheus_client"),
    *("sqlalchemy.dialects.sqlite.pysqlite", "job_watcher.watcher", "job_watcher.providers.local.wiring"),
)


# What one that rents on Vast has besides: the SDK alone takes half a second.
_OF_RENTING: Final = ("job_watcher.providers.vast.wiring", "lib.providers.vast.sdk")

# What nearly every command imports when it is called.
_OF_COMMANDS: Final = (
    *("lib.cli.failures", "lib.cli.group", "lib.jobqueue.redis.queue", "lib.redislink.embedded"),
    "typer._click.decorators",
)


def load_commands(program: str) -> None:
    """Load the modules of a program's commands, with all that they import at once: the other half.

    They are what a process of its own would begin with. The rules by which texts are read are compiled, which
    takes longer than reading a short text.
    """
    for name in _OF_COMMANDS:
        importlib.import_module(name)
    importlib.import_module("lib.textnorm").normalize("2 words.")
    names, loaded = {program}, set[str]()
    while left := names - loaded:
        for name in sorted(left):
            entries = getattr(importlib.import_module(name), "COMMANDS", ())
            names.update(entry.module.partition(":")[0] for entry in entries)
        loaded |= left


# What speaking imports when it begins.
_OF_ENGINES: Final = ("numpy", "numpy.fft", "numpy.random", "onnxruntime", "soundfile", "soxr")
_OF_SPEAKING: Final = ("synth.engines.hibari", "synth.speech.speak")


def load_engine() -> None:
    """Load what each worker would load for itself: the engine's packages, its model and its dictionary."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a pool of threads would be lost in the forks
    for name in _OF_ENGINES:
        importlib.import_module(name)
    hibari: Any = importlib.import_module("hibari")
    made = functools.cache(hibari.Hibari)  # the same one for who asks for the same
    _ = made(threads=1).g2p.oov
    hibari.Hibari = made
    for name in _OF_SPEAKING:
        importlib.import_module(name)


def load_watcher(besides: Sequence[str] = ()) -> None:
    """Load what a watcher imports of others."""
    for name in (*_OF_WATCHERS, *besides):
        with contextlib.suppress(ModuleNotFoundError):  # an optional part that is not installed
            importlib.import_module(name)


_BESIDES: Final[dict[str, Callable[[], None]]] = {
    "job-watcher": functools.partial(load_watcher, _OF_RENTING),
    "job-pipeline": load_watcher,
    "voice-synth": load_engine,
}


def prepare(name: str) -> None:
    """Load what each process of that program would load for itself."""
    if name in _BESIDES:
        _BESIDES[name]()
    load_commands(CALLS[name].partition(":")[0])


#: The project's own packages.
_OWN: Final = ("job_console", "job_pipeline", "job_runner", "job_watcher", "lib", "synth")


class Server:
    """Waits for requests and for the ends of what it started; one thread, or its forks would be unsound.

    `prepare` is called before it starts its first program.
    """

    def __init__(self, listening: socket.socket, prepare: Callable[[], None] = lambda: None) -> None:
        self._listening = listening
        self._prepare: Callable[[], None] | None = prepare
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake)
        self._selector = selectors.DefaultSelector()
        for each in (self._listening, self._woken, sys.stdin.fileno()):
            self._selector.register(each, selectors.EVENT_READ)
        self._callers: dict[int, socket.socket] = {}

    def serve(self) -> dict[str, Any] | None:
        """Answer requests; returns in a new process with what it is to do, and in the server at its end."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == sys.stdin.fileno():
                    self._end_all()
                    return None
                if key.fileobj is self._listening:
                    if (request := self._accept()) is not None:
                        return request
                elif key.fileobj == self._woken:
                    os.read(self._woken, 4096)
                    self._bury()
                else:
                    self._hung_up(key.data)

    def _accept(self) -> dict[str, Any] | None:
        caller, _ = self._listening.accept()
        head, streams, _, _ = socket.recv_fds(caller, 4, 3)
        if len(streams) < 3:  # somebody who only looked whether anybody listens
            caller.close()
            return None
        data = caller.makefile("rb").read(int.from_bytes(head, "big"))
        if self._prepare is not None:
            self._prepare()
            self._prepare = None
            check_threads()
            gc.freeze()
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            os.closerange(3, max(streams) + 64)  # the server's own, and those of other programs
            return dict(json.loads(data))
        for stream in streams:
            os.close(stream)
        with contextlib.suppress(OSError):
            caller.sendall(f"{pid}\n".encode())
        self._callers[pid] = caller
        self._selector.register(caller, selectors.EVENT_READ, pid)
        return None

    def _bury(self) -> None:
        for pid in list(self._callers):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                caller = self._callers.pop(pid)
                self._selector.unregister(caller)
                with contextlib.suppress(OSError):
                    caller.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                caller.close()

    def _hung_up(self, pid: int) -> None:
        if pid in self._callers:
            os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        for pid in self._callers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def become(request: dict[str, Any]) -> Callable[[], Any]:
    """Make this process what it would be had it just been started; returns the program."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    sys.argv = request["argv"]
    sys.executable = request.get("python", sys.executable)
    places = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    before = [place for place in places if place not in sys.path]
    sys.path[:0] = before
    if any(os.path.isdir(os.path.join(place, name)) for place in before for name in _OWN):
        for name in [name for name in sys.modules if name.partition(".")[0] in _OWN]:
            del sys.modules[name]  # another tree of the project comes first
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    reader = io.BufferedReader(io.FileIO(0, "rb", closefd=False))
    sys.stdin = io.TextIOWrapper(reader, sys.stdin.encoding, sys.stdin.errors)
    sys.stdout = _stream(1, sys.stdout, unbuffered)
    sys.stderr = _stream(2, sys.stderr, unbuffered)
    module, _, names = request["call"].partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    call: Callable[[], Any] = found
    return call


def _stream(number: int, like: Any, unbuffered: bool) -> io.TextIOWrapper:
    lines = number == 2 or os.isatty(number)
    raw = io.FileIO(number, "wb", closefd=False)
    writer: Any = raw if unbuffered else io.BufferedWriter(raw)
    return io.TextIOWrapper(
        writer, like.encoding, like.errors, line_buffering=lines, write_through=unbuffered
    )


def check_threads() -> None:
    """Raise if this process has more than one."""
    tasks = len(os.listdir("/proc/self/task"))
    assert tasks == 1, f"what was imported started {tasks - 1} threads, which a fork would lose"


def listen(place: str) -> socket.socket:
    """A socket there that programs are asked at."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(place)
    listening.listen()
    return listening


def serve_all(place: str) -> dict[str, Any] | None:
    """Answer requests for all programs, each in a process of its own. Returns as `Server.serve` does."""
    others = []
    for name in CALLS:
        listening = listen(f"{place}.{name}")
        others.append(os.fork())
        if not others[-1]:
            return Server(listening, functools.partial(prepare, name)).serve()
        listening.close()
    request = Server(listen(place)).serve()
    if request is None:
        for pid in others:
            os.waitpid(pid, 0)
    return request


def main() -> None:
    """Serve, and in each new process be the program."""
    for name in _IMPORTED:
        with contextlib.suppress(ModuleNotFoundError):  # an optional part that is not installed
            importlib.import_module(name)
    check_threads()
    gc.freeze()
    request = serve_all(sys.argv[1])
    if request is None:
        return
    try:
        sys.exit(become(request)())
    except SystemExit as end:
        if isinstance(end.code, int):
            leave(end.code)
        raise


def leave(status: int) -> None:
    """End as an interpreter does, but for taking down module by module what it shares with the server."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
