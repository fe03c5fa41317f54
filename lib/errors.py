"""The one error tree. Each error is a sentence for people and carries its exit status.

The numbers follow sysexits(3), so that scripts and service managers can tell "fix your file"
from "try again later" without reading words.
"""

from __future__ import annotations

import shlex
import sys
from enum import IntEnum
from pathlib import Path
from typing import ClassVar


class ExitStatus(IntEnum):
    """How a command ended. Documented in docs/reference/exit-status.md."""

    OK = 0
    JOB_FAILED = 1  # the command worked; some job did not
    USAGE = 2  # unknown command, flag or value
    BAD_INPUT = 65  # the user's file or id is wrong; nothing was done
    UNAVAILABLE = 69  # Redis or a provider does not answer
    TRY_AGAIN = 75  # not finished, or busy; the same command may work later
    BAD_CONFIGURATION = 78  # settings, folders or missing extras
    INTERRUPTED = 130  # Ctrl-C, as shells report it


class JobRunnerError(Exception):
    """Something a person can understand and act on.

    `message` is a full sentence: what happened, where, what to do. It never holds a secret.
    `main()` prints it as one line on stderr and exits with `exit_status`; nothing else catches it.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.JOB_FAILED

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class JobFailed(JobRunnerError):
    """The command worked, but a job ended badly."""

    exit_status = ExitStatus.JOB_FAILED


class UsageError(JobRunnerError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_status = ExitStatus.USAGE


class BadInput(JobRunnerError):
    """A file, text or id given by the user is wrong. Nothing was written or enqueued."""

    exit_status = ExitStatus.BAD_INPUT


class Unavailable(JobRunnerError):
    """A server we need does not answer, or answered with a refusal we cannot mend."""

    exit_status = ExitStatus.UNAVAILABLE


class TryAgain(JobRunnerError):
    """Not now: busy, not finished, or refused for a passing reason."""

    exit_status = ExitStatus.TRY_AGAIN


class BadConfiguration(JobRunnerError):
    """A setting, a folder or an installation is wrong; a retry will not help."""

    exit_status = ExitStatus.BAD_CONFIGURATION


class MissingExtra(BadConfiguration):
    """A feature was asked for whose optional packages are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed; install them with: {install_command(extra)}"
        )
        self.extra = extra


def install_command(extra: str, prefix: Path | None = None) -> str:
    """Say how the packages of `extra` come into the environment at `prefix` (None: the running one).

    An environment that `./run` made has its stamp. There the name of the distribution would lead to a
    registry instead of to the clone, and the clone's own pinned set, where there is one, is the right one.
    """
    environment = Path(sys.prefix) if prefix is None else prefix
    if not (environment / "requirements-stamp").is_file():
        return f"pip install 'job-runner[{extra}]'"
    root = environment.parent
    if (root / "requirements" / f"{extra}.txt").is_file():
        return f"RUN_REQUIREMENTS={extra} {shlex.quote(str(root / 'run'))} COMMAND"
    return f"{shlex.quote(str(root / 'run'))} pip install --editable {shlex.quote(f'{root}[{extra}]')}"
