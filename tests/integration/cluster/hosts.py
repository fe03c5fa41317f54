"""Computers that share a queue and a store: network namespaces where that is possible, else only processes.

Each has a data folder and a HOME of its own, so that nothing passes between them but by queue and store.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_GONE_WITHIN_S = 20.0


def has_namespaces() -> bool:
    """Whether this user may make network namespaces here."""
    if os.geteuid() or shutil.which("ip") is None:
        return False
    name = f"jr{os.getpid()}x"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode == 0:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made.returncode == 0


@dataclass
class Host:
    """One computer. `gate` is the address of this computer as seen from it; `space` its network namespace."""

    name: str
    folder: Path
    gate: str = "127.0.0.1"
    space: str = ""
    link: str = ""
    watcher: subprocess.Popen[bytes] | None = None
    disk: int = 0

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / f"data-{self.disk}"

    @property
    def log(self) -> str:
        """What its watchers said."""
        return (self.folder / "watcher.log").read_text(encoding="utf-8")

    def start(self, settings: Mapping[str, str]) -> None:
        """`job-watcher run` on it, with these settings and nothing else of ours."""
        assert self.watcher is None
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "HOME": str(home),
            "JOBS_DATA_DIR": str(self.data),
            **settings,
        }
        words = [sys.executable, "-m", "job_watcher.main", "run"]
        if self.space:
            words = ["ip", "netns", "exec", self.space, *words]
        with (self.folder / "watcher.log").open("ab") as log:
            self.watcher = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ, cwd=home
            )

    def dies(self) -> None:
        """SIGKILL to the watcher and all it started, as when the power fails."""
        assert self.watcher is not None
        for pid in [self.watcher.pid, *_below(self.watcher.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.watcher.wait(_GONE_WITHIN_S)
        self.watcher = None

    def is_replaced(self) -> None:
        """Another computer takes its place, whose disk is empty."""
        assert self.watcher is None
        self.disk += 1

    def off(self) -> None:
        """Nothing of it runs any more."""
        if self.watcher is not None:
            self.dies()

    def drains(self) -> int:
        """SIGTERM, and wait; the exit status."""
        assert self.watcher is not None
        self.watcher.terminate()
        status = self.watcher.wait(_GONE_WITHIN_S)
        self.watcher = None
        return status

    def cut(self) -> None:
        """Pull the cable: nothing gets in or out, and nobody is told."""
        _ip("link", "set", self.link, "down")

    def mend(self) -> None:
        """Put the cable back."""
        _ip("link", "set", self.link, "up")


class Relay:
    """Passes connections to an address of `computers` on to the same port of this computer's loopback.

    Threads: its own, one for each direction of each connection.
    """

    def __init__(self, gate: str, port: int) -> None:
        self._port = port
        self._open: list[tuple[socket.socket, threading.Thread]] = []
        self._listening = socket.create_server((gate, port))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                outer, _ = self._listening.accept()
                thread = threading.Thread(target=self._serve, args=(outer,), daemon=True)
                self._open.append((outer, thread))
                thread.start()

    def _serve(self, outer: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            outer,
            socket.create_connection(("127.0.0.1", self._port)) as inner,
        ):
            back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
            back.start()
            _pump(outer, inner)
            back.join(5)

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listening.close()
        for outer, thread in self._open:
            with contextlib.suppress(OSError):
                outer.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    # one side ended: the other shall, too
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _below(pid: int) -> Iterator[int]:
    """All processes that this one started, and theirs."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from _below(int(child))


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def computers(folder: Path, count: int, *, apart: bool) -> Iterator[list[Host]]:
    """That many computers, without a watcher; `apart`: each in a network namespace of its own."""
    hosts = []
    with contextlib.ExitStack() as stack:
        for number in range(count):
            host = Host(f"host-{number}", folder / f"host-{number}")
            host.folder.mkdir(parents=True)
            if apart:
                stack.enter_context(_wired(host, number))
            stack.callback(host.off)
            hosts.append(host)
        yield hosts


@contextlib.contextmanager
def _wired(host: Host, number: int) -> Iterator[None]:
    """A namespace, and a cable from it to this computer. The numbers of two test runs differ."""
    own = os.getpid()
    net = f"10.{200 + own % 50}.{own // 50 % 250}"
    host.space, host.link = f"jr{own}-{number}", f"jr{own}-{number}"
    host.gate = f"{net}.{number * 4 + 1}"
    _ip("netns", "add", host.space)
    try:
        _ip("link", "add", host.link, "type", "veth", "peer", "name", "up0", "netns", host.space)
        _ip("address", "add", f"{host.gate}/30", "dev", host.link)
        _ip("link", "set", host.link, "up")
        inside = ("-netns", host.space)
        _ip(*inside, "address", "add", f"{net}.{number * 4 + 2}/30", "dev", "up0")
        _ip(*inside, "link", "set", "up0", "up")
        _ip(*inside, "link", "set", "lo", "up")
        yield
    finally:
        # the cable by itself, and first: a namespace takes its time to go, and would keep it meanwhile
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", host.link)
        _ip("netns", "del", host.space)
