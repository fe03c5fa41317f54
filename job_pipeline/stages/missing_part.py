"""Stages whose work another program does: its errors as ours, and placeholders where it is not installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from lib.errors import BadConfiguration, BadInput, ExitStatus, JobFailed, JobRunnerError, TryAgain
from lib.pipeline.context import TaskContext

_KINDS: Final[Mapping[int, type[JobRunnerError]]] = {
    ExitStatus.BAD_INPUT: BadInput,
    ExitStatus.BAD_CONFIGURATION: BadConfiguration,
    ExitStatus.UNAVAILABLE: TryAgain,
    ExitStatus.TRY_AGAIN: TryAgain,
}


class MissingPart(BadConfiguration):
    """What this stage needs is not installed; a retry finds the same."""


def made_by(context: TaskContext, program: str, ended: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    """The JSON of a program that ended, if it ended well.

    Raises:
        MissingPart: its packages are not installed.
        BadInput, BadConfiguration, TryAgain, JobFailed: its error, by its exit status.
    """
    status, answer = ended
    if status == ExitStatus.OK:
        return answer
    error = answer.get("error")
    about: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    why = about.get("message") or f"{program} ended with status {status}"
    if about.get("type") == "MissingExtra":
        raise MissingPart(
            f"{context.task} of {context.run}: {str(why).rstrip('.')}; or start the worker with "
            "--allow-placeholders to go on with a file that says so"
        )
    raise _KINDS.get(status, JobFailed)(f"{context.task} of {context.run}: {why}")


def placeholder(
    context: TaskContext,
    path: str,
    what: str,
    missing: MissingPart,
    measures: Mapping[str, float] | None = None,
) -> None:
    """Write a file that stands where `what` would be, and says so: no player opens it.

    Raises:
        MissingPart: the worker was not told that placeholders will do.
    """
    if not context.allow_placeholders:
        raise missing
    content = {
        "placeholder": True,
        "run": context.run,
        "stage": context.task,
        "file": path,
        "stands_for": what,
        "why": missing.message,
    }
    data = json.dumps(content, indent=2) + "\n"
    context.write(path, data, type="application/json", measures=measures, placeholder=True)
