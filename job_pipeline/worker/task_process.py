"""A process that carries out tasks, as its worker sees it: two lines and what it prints."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from job_pipeline.worker.guard import STATUS, descendants
from job_pipeline.worker.messages import Inbox, message_bytes
from job_pipeline.worker.output_lines import OutputLines
from lib.child import exit_sentence

_BLOCK: Final = 1 << 18
#: -P and a start of our own: what lies in the working folder must not stand before our modules.
_START: Final = (
    "import sys; root = sys.argv.pop(1); root in sys.path or sys.path.append(root); "
    "from job_pipeline.worker.guard import main; main(sys.argv[1:])"
)
_ROOT: Final = str(Path(__file__).parents[2])


class TaskProcess:
    """One runner with its guard, in a session of its own; all descriptors are non-blocking.

    Threads: one.
    Raises: OSError from the constructor, where no process can be started; BrokenMessage from `hear`.
    """

    def __init__(self, dags: Sequence[str]) -> None:
        self.talk, its_talk = socket.socketpair()
        self.watch, its_watch = socket.socketpair()
        self.output, its_output = os.pipe()
        self._inbox = Inbox()
        self._unsent = memoryview(b"")
        self.lines = OutputLines()
        try:
            words = [_ROOT, str(its_talk.fileno()), str(its_watch.fileno()), *dags]
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, *words],
                stdin=subprocess.DEVNULL,
                stdout=its_output,
                stderr=its_output,
                pass_fds=(its_talk.fileno(), its_watch.fileno()),
                start_new_session=True,
            )
        except OSError:
            self.close()
            raise
        finally:
            its_talk.close()
            its_watch.close()
            os.close(its_output)
        self.talk.setblocking(False)
        self.watch.setblocking(False)
        os.set_blocking(self.output, False)

    @property
    def pid(self) -> int:
        """The guard's, which leads the session."""
        return self._process.pid

    def say(self, message: Mapping[str, Any]) -> None:
        """Send a message, as far as there is room; `send_rest` goes on with it."""
        self._unsent = memoryview(message_bytes(message))
        self.send_rest()

    def send_rest(self) -> bool:
        """Send what is left of a message; whether more is left. One that is gone hears nothing."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.talk.send(self._unsent) :]
        except BlockingIOError:
            return True
        except OSError:
            self._unsent = memoryview(b"")
        return False

    @property
    def is_unsent(self) -> bool:
        """Whether a message waits for room."""
        return bool(self._unsent)

    def hear(self) -> list[dict[str, Any]] | None:
        """The messages that came; None when the line is closed."""
        try:
            data = self.talk.recv(_BLOCK)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return self._inbox.feed(data) if data else None

    def printed(self) -> list[str] | None:
        """The lines that were printed since the last call; None when nobody can print any more."""
        found: list[str] = []
        while True:
            try:
                data = os.read(self.output, _BLOCK)
            except BlockingIOError:
                return found
            if not data:
                return found or None
            found += self.lines.feed(data)
            if len(data) < _BLOCK:
                return found

    def ask_to_end(self) -> None:
        """Have the guard kill it with all that came from it; also one that was stopped."""
        with contextlib.suppress(OSError):
            self.watch.shutdown(socket.SHUT_WR)
        self._signal(signal.SIGCONT)

    def force_end(self) -> None:
        """Kill the guard, which did not obey, and all that it guards; the kernel ends the runner after it."""
        for pid in descendants(self.pid) if self._process.poll() is None else ():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                os.kill(self._process.pid, number)

    def how_it_ended(self) -> str | None:
        """How the runner ended, once it and all that came from it have; None while they have not."""
        try:
            told = self.watch.recv(STATUS.size)
        except BlockingIOError:
            return None
        except OSError:
            told = b""
        self._process.wait()
        if len(told) < STATUS.size:
            return f"its guard ended by {exit_sentence(self._process.returncode)}"
        return exit_sentence(os.waitstatus_to_exitcode(STATUS.unpack(told)[0]))

    def close(self) -> None:
        """Close its lines, after its end."""
        self.talk.close()
        self.watch.close()
        os.close(self.output)
