"""Real servers for tests: on Unix sockets in temporary folders, started here and stopped by the fixture."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from lib.redislink.embedded import server_binary

_START_WITHIN_S = 10.0
_WRITTEN_WITHIN_S = 5.0


_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody has at this moment, below those that outgoing connections are given.

    No port is given twice, and the processes of one run draw from ranges of their own: what a port was asked
    for may bind it a good while later.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    ranges = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        port = random.randrange(22_000 + int(worker) % ranges, 32_000, ranges)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


class Server:
    """One server on a Unix socket, Valkey unless another `binary` is given.

    `extra` are further command-line words; with `port`, it listens on loopback too.
    `sentinel` is the configuration of one that is a Sentinel.
    """

    def __init__(self, *extra: str, binary: Path | None = None, port: int = 0, sentinel: str = "") -> None:
        # not pytest's tmp_path: a socket's path must be short
        self.folder = Path(tempfile.mkdtemp(prefix="jr-"))
        self.socket_path = self.folder / "s"
        self.url = f"unix://{self.socket_path}"
        self.port = port
        self._binary = binary or server_binary()
        self._extra = extra
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return once it answers."""
        words = {"port": str(self.port), "unixsocket": str(self.socket_path), "dir": str(self.folder)}
        words |= {"bind": "127.0.0.1", "save": ""}
        config: tuple[str, ...] = ()
        if self._sentinel:  # it writes down there what it learns
            (self.folder / "c").write_text(self._sentinel)
            config = (str(self.folder / "c"), "--sentinel")
            del words["save"]
        command = [
            str(self._binary),
            *config,
            *(word for key, value in words.items() for word in (f"--{key}", value)),
        ]
        self._process = subprocess.Popen([*command, *self._extra], stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + _START_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, "the server ended at once"
            assert time.monotonic() < give_up, "the server did not answer in time"
            time.sleep(0.005)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(os.fspath(self.socket_path))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone.

        What it answered is in its append-only file by then: while a busy disk syncs, a server holds back its
        writes for up to two seconds, and no promise of ours covers those.
        """
        give_up = time.monotonic() + _WRITTEN_WITHIN_S
        while self._unwritten() and time.monotonic() < give_up:
            time.sleep(0.005)
        self._end()

    def _unwritten(self) -> bool:
        """Whether it has writes that are not in its file yet; False of one that keeps none or is mute."""
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.settimeout(0.2)
            connection.connect(os.fspath(self.socket_path))
            connection.sendall(b"INFO persistence\r\n")
            told = re.search(rb"aof_buffer_length:(\d+)", connection.recv(65_536))
            return told is not None and told[1] != b"0"
        return False

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Kill it and delete its folder."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)
