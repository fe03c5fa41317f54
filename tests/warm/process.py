"""A warm program that goes on beside the test: what `subprocess.Popen` is for programs that start cold."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.warm import send, server


class WarmProcess:
    """One program with its streams, which are text; signals go to the process itself.

    `out`: a file descriptor for what it says on both streams; without one, each is a pipe that is read here.
    `holds_stdin`: its standard input is a pipe that stays open until it is closed here; else there is none.
    """

    def __init__(
        self,
        argv: Sequence[str],
        call: str,
        *,
        cwd: Path,
        environ: Mapping[str, str],
        out: int | None = None,
        holds_stdin: bool = False,
    ) -> None:
        self.args = list(argv)
        self.returncode: int | None = None
        asked = server(environ)
        self._caller = socket.socket(socket.AF_UNIX)
        self._caller.connect(asked.place_of(argv[0], call))
        self.stdin: IO[bytes] | None
        self.stdout: IO[str] | None
        self.stderr: IO[str] | None
        self.stdin, its_input = _held() if holds_stdin else (None, os.open(os.devnull, os.O_RDONLY))
        self.stdout, its_output = _read() if out is None else (None, os.dup(out))
        self.stderr, its_errors = _read() if out is None else (None, os.dup(out))
        streams = [its_input, its_output, its_errors]
        send(self._caller, asked.request(argv, call, cwd=cwd, environ=environ), streams)
        for each in streams:
            os.close(each)
        self._answers = self._caller.makefile()
        self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        """How it ended, None while it runs."""
        if self.returncode is None and select.select([self._caller], [], [], 0)[0]:
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._caller.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends; returns how.

        Raises:
            subprocess.TimeoutExpired: it goes on.
        """
        if self.returncode is None and not select.select([self._caller], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        status = self.poll()
        assert status is not None
        return status

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read both streams to their ends, and wait for its own."""
        said = ["", ""]

        def read(index: int, stream: IO[str] | None) -> None:
            if stream is not None:
                with stream:
                    said[index] = stream.read()

        give_up = None if timeout is None else time.monotonic() + timeout
        readers = [
            threading.Thread(target=read, args=(index, stream), daemon=True)
            for index, stream in enumerate((self.stdout, self.stderr))
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(None if give_up is None else max(0.0, give_up - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        self.wait(None if give_up is None else max(0.0, give_up - time.monotonic()))
        return said[0], said[1]

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # its end is about to be told
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _read() -> tuple[IO[str], int]:
    """What we read from, and the end for the program."""
    reading, writing = os.pipe()
    return open(reading, encoding="utf-8"), writing


def _held() -> tuple[IO[bytes], int]:
    """What we hold, and the end for the program."""
    reading, writing = os.pipe()
    return open(writing, "wb"), reading
