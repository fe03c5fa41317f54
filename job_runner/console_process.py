"""The console that `up --console` runs beside itself, as a process of its own."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lib.child import ChildProcess, exit_sentence
from lib.cli import output
from lib.errors import BadConfiguration, Unavailable
from lib.foreign import parse_json

_BEGINS_WITHIN_S: Final = 60.0
_LOOK_S: Final = 0.05
_LAST_ANSWERS_S: Final = 15.0
_LISTENS: Final = re.compile(r'\{"event": ?"listening".*\}')


class ConsoleProcess:
    """`job-console serve`. It ends with us, however we end.

    Threads: one.
    """

    def __init__(self, *, log: Path, environ: Mapping[str, str], listen: str | None) -> None:
        """Start it, and say where it listens and which file its token lies in.

        Raises:
            BadConfiguration: it says that it cannot run here.
            Unavailable: it does not begin; what it said is in its log.
        """
        self._log, self._told = log, False
        # -P: a file of the user's folder must not stand in for a module of ours
        argv = [sys.executable, "-P", "-m", "job_console.main", "serve", "--exit-with-parent", "--json"]
        argv += [] if listen is None else ["--listen", listen]
        self._child = ChildProcess(argv, log=log, environ=environ)
        try:
            listening = self._begun()
        except BaseException:
            self.stop()
            raise
        output.note(f"the console is at {listening['url']}/; its token is in {listening['token']}")

    def check(self) -> None:
        """Say once that it ended: the queue is worked on all the same."""
        status = self._child.poll()
        if status is not None and not self._told:
            self._told = True
            output.warn(f"the console ended with {exit_sentence(status)}; its log is {self._log}")

    def stop(self) -> None:
        """Let it answer what was asked, for some seconds, and end it."""
        self._child.stop(_LAST_ANSWERS_S)

    def _begun(self) -> Any:
        until = time.monotonic() + _BEGINS_WITHIN_S
        while time.monotonic() < until:
            status = self._child.poll()
            lines = self._child.log_tail()
            for line in lines:
                if _LISTENS.match(line):
                    return parse_json(line)
            if status is not None:
                said = (
                    " ".join(lines[-1:]).removeprefix("error: ") or f"it ended with {exit_sentence(status)}"
                )
                raise BadConfiguration(f"The console cannot run here: {said}")
            time.sleep(_LOOK_S)
        raise Unavailable(
            f"The console did not begin within {_BEGINS_WITHIN_S:.0f} s; its log is {self._log}"
        )
