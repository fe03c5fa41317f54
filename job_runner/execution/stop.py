"""Handles Ctrl-C and SIGTERM while an execution runs: the first asks it to end, the second ends it."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Self

from lib.errors import ExitStatus, JobRunnerError, TryAgain


class Interrupted(JobRunnerError):
    """The user pressed Ctrl-C."""

    exit_status = ExitStatus.INTERRUPTED


class Stopped(TryAgain):
    """Somebody sent SIGTERM."""


class LeaveNow(BaseException):
    """The second signal: leave without waiting. Workers end by themselves after the piece at hand."""


class StopRequest:
    """Catches both signals within a `with` block and remembers the first."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._former[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def asked(self) -> bool:
        """Whether one of them came."""
        return self._signal is not None

    def error(self, message: str) -> JobRunnerError:
        """What the program ends with: exit status 130 after Ctrl-C, 75 after SIGTERM."""
        return Stopped(message) if self._signal == signal.SIGTERM else Interrupted(message)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            raise LeaveNow
        self._signal = number
