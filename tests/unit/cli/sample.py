"""Commands for the tests of the command line: one for each way a command can end."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Annotated

import typer

from lib.cli import output
from lib.cli.entries import CommandEntry
from lib.cli.options import JobFileArgument, JsonOption
from lib.errors import BadInput, ExitStatus

HERE = "tests.unit.cli.sample"
EXAMPLES = ("sample greet", "sample greet --name 'ann and bob'")


def command(name: Annotated[str, typer.Option("--name", help="Whom.")] = "world") -> None:
    """Greet someone."""
    output.say(f"hello {name}")


def read(file: JobFileArgument, json_: JsonOption = False) -> int:
    """Read a file."""
    output.emit_json({"file": str(file), "json": json_})
    return ExitStatus.JOB_FAILED


class TwoProblems(BadInput):
    """An error with a list."""

    def __init__(self) -> None:
        super().__init__("two problems:\n  one\n  two")
        self.problems = ("one", "two")


def bad(json_: JsonOption = False) -> None:
    """End with a list of problems."""
    raise TwoProblems


def said(json_: JsonOption = False) -> None:
    """Fail after the result was printed."""
    output.emit_json({"jobs": []})
    raise BadInput("too late")


def crash() -> None:
    """Divide by nothing."""
    raise ZeroDivisionError("secret operand")


def full() -> None:
    """Write to a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device", str(Path("/data/x.wav")))


def refused() -> None:
    """Be refused by the system."""
    raise PermissionError(errno.EACCES, "Permission denied", "/data/x.wav")


def lost() -> None:
    """Lose a connection, which is not about files."""
    raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def broken() -> None:
    """Lose a connection in the middle of a request."""
    raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def long() -> None:
    """Say a lot."""
    for number in range(20_000):
        output.say(f"line {number}")


def interrupt() -> None:
    """Be interrupted."""
    raise KeyboardInterrupt


def extra() -> None:
    """Need an optional package."""
    raise ModuleNotFoundError("No module named 'boto3'", name="boto3.session")


def foreign() -> None:
    """Need a package that nobody offers as an extra."""
    raise ModuleNotFoundError("No module named 'redis'", name="redis")


def ours() -> None:
    """Need a module of our own that is not there."""
    raise ModuleNotFoundError("No module named 'lib.gone'", name="lib.gone")


def stop() -> None:
    """End with a status of its own."""
    raise typer.Exit(3)


def leave() -> None:
    """End the process."""
    raise SystemExit(4)


COMMANDS = (
    CommandEntry("hello", f"{HERE}:command", "Greet someone."),
    CommandEntry("stop", f"{HERE}:stop", "End with a status of its own."),
)
