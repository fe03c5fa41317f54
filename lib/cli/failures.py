"""Turns whatever a command raises into one sentence and one exit status.

docs/reference/exit-status.md lists the numbers.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from lib.cli.streams import point_at_nothing
from lib.errors import BadConfiguration, ExitStatus, JobRunnerError, MissingExtra

BROKEN_PIPE = 141  # what a shell reports for a process that SIGPIPE ended
INTERNAL_ERROR = 70  # sysexits(3): EX_SOFTWARE

_FULL_OR_FORBIDDEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})

# Optional packages: the module that is missing, what it was wanted for, and the extra that brings it.
_EXTRAS = {
    "asyncssh": ("Using machines over SSH", "watcher"),
    "boto3": ("Storing files in S3", "watcher"),
    "botocore": ("Storing files in S3", "watcher"),
    "sqlalchemy": ("Keeping records in SQL", "watcher"),
    "alembic": ("Keeping records in SQL", "watcher"),
    "av": ("Writing m4a or m4b", "join"),
    "cv2": ("Making videos", "video"),
    "vastai": ("Renting machines from Vast.ai", "vast"),
    "psycopg": ("Using Postgres", "postgres"),
    "faster_whisper": ("Checking takes with a recogniser", "verify"),
    "espeakng_loader": ("The speech engine espeak", "espeak"),
    "kokoro_onnx": ("The speech engine kokoro", "kokoro"),
    "qwen_tts": ("The speech engine qwen", "qwen"),
    **dict.fromkeys(("fastapi", "sse_starlette", "starlette", "uvicorn"), ("The console", "console")),
}
# Where one program wants another extra for the same module than the others do.
_EXTRAS_OF = {
    "job-pipeline": {name: ("Keeping runs in SQL", "pipeline") for name in ("sqlalchemy", "alembic")},
    "job-console": {name: ("The console", "console") for name in ("sqlalchemy", "alembic")},
}
_OURS = frozenset({"lib", "job_runner", "job_watcher", "job_pipeline", "job_console", "synth"})


class CommandFailure:
    """How a command ended: what to say, the exit status, and the fields of the JSON error."""

    def __init__(self, message: str, exit_status: int, kind: str, **extra: Any) -> None:
        self.message = message
        self.exit_status = int(exit_status)
        self.kind = kind
        self.extra = extra

    def to_json(self) -> dict[str, Any]:
        """The value of `error` that `--json` prints."""
        return {"type": self.kind, "message": self.message, "exit_status": self.exit_status, **self.extra}


def guarded(action: Callable[[], int], *, program: str, args: Sequence[str]) -> int:
    """Run `action` and return its exit status; print whatever it raises as one sentence.

    With `--json` among `args` the error is also printed on stdout as `{"error": {...}}`, unless the
    command has printed its own value already: stdout holds one JSON value, always.
    """
    _forget_the_last_line()
    _conceal_logins(args)
    try:
        status = action()
        sys.stdout.flush()
        return int(status)
    except SystemExit as stop:
        return _status_of(stop)
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            point_at_nothing(sys.stdout)
            return BROKEN_PIPE
        failure = describe(error, program)
    return _report(failure, as_json=_wants_json(args))


def describe(error: BaseException, program: str) -> CommandFailure:
    """Say what happened. Anything not foreseen is an internal error whose traceback is kept."""
    if isinstance(error, JobRunnerError):
        return _of_ours(error)
    if isinstance(error, KeyboardInterrupt):
        from lib.cli.signals import Terminated

        if isinstance(error, Terminated):
            return CommandFailure("stopped by SIGTERM", ExitStatus.TRY_AGAIN, "Terminated")
        return CommandFailure("interrupted", ExitStatus.INTERRUPTED, "Interrupted")
    if isinstance(error, ModuleNotFoundError) and _is_foreign(error.name):
        return _of_ours(_missing_package(str(error.name), program))
    if isinstance(error, OSError) and error.errno in _FULL_OR_FORBIDDEN:
        return _of_ours(_refused_by_system(error))
    return _of_typer(error) or _internal(error, program)


def _of_ours(error: JobRunnerError) -> CommandFailure:
    problems = getattr(error, "problems", ())
    extra = {"problems": [_problem_json(problem) for problem in problems]} if problems else {}
    return CommandFailure(str(error), error.exit_status, type(error).__name__, **extra)


def _problem_json(problem: Any) -> Any:
    to_json = getattr(problem, "to_json", None)
    if to_json is not None:
        return to_json()
    from dataclasses import asdict, is_dataclass

    return asdict(problem) if is_dataclass(problem) and not isinstance(problem, type) else str(problem)


def _of_typer(error: BaseException) -> CommandFailure | None:
    typer = sys.modules.get("typer")
    if typer is None:
        return None
    if isinstance(error, typer.Exit):
        return CommandFailure("", error.exit_code, "Exit")
    if isinstance(error, typer.Abort):
        return CommandFailure("interrupted", ExitStatus.INTERRUPTED, "Interrupted")
    if isinstance(error, typer.TyperException):
        from lib.cli.usage import usage_sentence

        return CommandFailure(usage_sentence(error), ExitStatus.USAGE, "UsageError")
    return None


def _is_foreign(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] not in _OURS


def _missing_package(module: str, program: str) -> BadConfiguration:
    known = {**_EXTRAS, **_EXTRAS_OF.get(program, {})}.get(module.partition(".")[0])
    if known:
        return MissingExtra(*known)
    return BadConfiguration(
        f"the Python package {module!r} is needed for this and is not installed here; "
        "install job-runner with its dependencies, or use a command that does not need it"
    )


def _refused_by_system(error: OSError) -> BadConfiguration:
    reason = os.strerror(error.errno or 0)
    named = isinstance(error.filename, str | bytes)
    where = os.fsdecode(error.filename) if named else "a write failed"  # open files do not say their name
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "free some space and run the command again"
    else:
        advice = "give this user the right to it, or name another place"
    return BadConfiguration(f"{where}: {reason}; {advice}")


def _internal(error: BaseException, program: str) -> CommandFailure:
    import traceback

    text = "".join(traceback.format_exception(error))
    head = f"internal error: {type(error).__name__}"
    if os.environ.get("JOBS_DEBUG") == "1":
        from lib.cli.output import concealed

        sys.stderr.write(concealed.hide_secrets(text))
        return CommandFailure(head, INTERNAL_ERROR, "InternalError")
    return CommandFailure(f"{head}; {_keep(text, program)}", INTERNAL_ERROR, "InternalError")


def _keep(text: str, program: str) -> str:
    import tempfile

    from lib.cli.output import concealed

    try:
        handle, path = tempfile.mkstemp(prefix=f"{program}-", suffix=".traceback.txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(concealed.hide_secrets(text))
    except OSError:
        return "run it again with JOBS_DEBUG=1 to see where"
    return f"the traceback is in {path}, please report it (JOBS_DEBUG=1 prints it here)"


def _report(failure: CommandFailure, *, as_json: bool) -> int:
    if not failure.message:
        return failure.exit_status
    from lib.cli import output

    failure.message = output.concealed.hide_secrets(failure.message)
    try:
        if as_json and not output.json_printed.is_set():
            output.emit_json({"error": failure.to_json()})
        sys.stdout.flush()
    except OSError:  # stdout is closed or full; the sentence and the status still tell
        point_at_nothing(sys.stdout)
    output.error(failure.message)
    return failure.exit_status


def _status_of(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    return stop.code if isinstance(stop.code, int) else ExitStatus.JOB_FAILED


def _wants_json(args: Sequence[str]) -> bool:
    options = args[: args.index("--")] if "--" in args else args
    return "--json" in options


def _forget_the_last_line() -> None:
    printed = sys.modules.get("lib.cli.output")  # not imported for this alone: --help stays quick
    if printed is not None:
        printed.json_printed.clear()
        printed.verbosity.clear()
        printed.concealed.forget()


def _conceal_logins(args: Sequence[str]) -> None:
    """Keep a password out of what is printed, where its URL was given for something else, such as a file."""
    if any("@" in arg for arg in args):
        from lib.cli import output
        from lib.urls import login_of

        output.concealed.set(login for login in map(login_of, args) if login)


def _nobody_reads() -> bool:
    """True when stdout's reader is gone: a broken connection to a server raises the same error."""
    import select

    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return bool(poll.poll(0))  # nothing was asked for, so any answer is an error or a hang-up
    except (OSError, ValueError):
        return False
