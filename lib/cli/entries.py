"""The list of a program's commands, by name: all that help, completion and typing errors need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lib.cli.help import nearest
from lib.errors import UsageError


class CommandEntry(NamedTuple):
    """One command as the list of a program names it.

    `module` is imported when the command is called. It holds a function `command` with options
    typed for typer (`module:function` names another), or a list `COMMANDS` of further entries,
    which makes it a group such as `voices list`. The function may return an exit status (an int);
    none means 0. Its `EXAMPLES` are command lines for the end of the help page.
    """

    name: str
    module: str
    help: str
    section: str = "Commands"


def completion_variable(program: str) -> str:
    """The environment variable by which a shell asks the program for completions."""
    return f"_{program}_COMPLETE".replace("-", "_").upper()


def require_known(
    path: str, name: str, entries: Sequence[CommandEntry], elsewhere: Mapping[str, str] | None = None
) -> None:
    """Raise UsageError, with the nearest name, unless `name` is one of the entries of `path`.

    `elsewhere` are words that people look for here, and the command that does it.
    """
    names = [entry.name for entry in entries]
    if name in names:
        return
    other = (elsewhere or {}).get(name)
    if other is not None:
        raise UsageError(f"{path} has no command {name!r}; that is: {other}")
    guess = nearest(name, names)
    hint = f"did you mean '{guess}'?" if guess else f"see '{path} --help'"
    raise UsageError(f"{path} has no command {name!r}; {hint}")
