"""Answers: JSON as the commands print it, and errors in one shape with the status that their kind has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from job_console.notes import NoteRefused, UnknownNote
from job_console.waveforms import NoWaveform
from lib.errors import ExitStatus, JobRunnerError, UsageError
from lib.jobqueue import UnknownJob
from lib.jobs.episode import NotAllDone
from lib.jobs.results import NoSuchRevision
from lib.jobs.retry import NotRetriable
from lib.jobs.script_lines import NotSpokenYet
from lib.jobs.scripts import UnknownScript
from lib.jobs.submit import Conflict
from lib.pipeline.edited_texts import UnknownText
from lib.pipeline.failures import (
    AlreadyDecided,
    RunConflict,
    SeenSomethingElse,
    UnknownRun,
    UnknownStage,
    WrongState,
)
from lib.pipeline.ruled_runs import UnknownPipeline
from lib.voices import UnknownVoice

#: What an error's exit status is over HTTP, where its kind says nothing nearer.
BY_EXIT: Final[Mapping[int, int]] = {
    ExitStatus.USAGE: 422,
    ExitStatus.BAD_INPUT: 422,
    ExitStatus.UNAVAILABLE: 503,
    ExitStatus.TRY_AGAIN: 503,
    ExitStatus.BAD_CONFIGURATION: 503,
}
_UNKNOWN: Final = (
    UnknownPipeline,
    UnknownRun,
    UnknownStage,
    UnknownJob,
    UnknownNote,
    UnknownScript,
    UnknownText,
    UnknownVoice,
    NoSuchRevision,
    NoWaveform,
)
_CONFLICTING: Final = (
    AlreadyDecided,
    Conflict,
    NotAllDone,
    NoteRefused,
    NotRetriable,
    NotSpokenYet,
    RunConflict,
    SeenSomethingElse,
    WrongState,
)
#: Seconds after which a client may come again.
_PATIENCE: Final = {"Retry-After": "5"}


class NotFound(JobRunnerError):
    """Nothing of that name is served."""

    exit_status = ExitStatus.BAD_INPUT


class NobodyNamed(UsageError):
    """It is not known who decides."""


class NotWithdrawn(JobRunnerError):
    """The job is done or failed and stays so."""

    exit_status = ExitStatus.BAD_INPUT


class ConsoleJson(Response):
    """A JSON value, in ASCII: what steers a terminal or a browser stands there as an escape."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The value's bytes."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def status_of(error: JobRunnerError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, NobodyNamed):
        return 403
    if isinstance(error, (*_UNKNOWN, NotFound)):
        return 404
    if isinstance(error, (*_CONFLICTING, NotWithdrawn)):
        return 409
    return BY_EXIT.get(error.exit_status, 422)


def error_of(error: JobRunnerError) -> ConsoleJson:
    """An error of ours as an answer: its sentence, and its problems where it has several."""
    status = status_of(error)
    told: dict[str, Any] = {
        "type": type(error).__name__,
        "message": error.message,
        "exit_status": int(error.exit_status),
    }
    if problems := getattr(error, "problems", ()):
        told["problems"] = [problem.to_json() for problem in problems]
    return ConsoleJson({"error": told}, status, headers=_PATIENCE if status == 503 else None)


def refusal(
    status: int,
    kind: str,
    message: str,
    exit_status: ExitStatus = ExitStatus.USAGE,
    headers: Mapping[str, str] | None = None,
) -> ConsoleJson:
    """What HTTP itself refuses, in the same shape."""
    told = {"type": kind, "message": message, "exit_status": int(exit_status)}
    return ConsoleJson({"error": told}, status, headers=headers)
