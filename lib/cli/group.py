"""The bridge to typer: a group whose commands are imported when they are called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lib.cli import output
from lib.cli.entries import CommandEntry, completion_variable, require_known
from lib.cli.help import example_lines, for_terminal, help_page, terminal_width

_HELP_NAMES = ["-h", "--help"]
_WIDEST, _LEAST = 80, 52  # columns of help; below the least the library would overflow the line


class _Command(TyperCommand):
    """A command whose help page ends with command lines to begin with."""

    examples: Sequence[str] = ()

    def get_help(self, ctx: Any) -> str:
        """The library's page, the examples, and colour where the terminal takes it."""
        columns = min(terminal_width(), _WIDEST)
        lines = [super().get_help(ctx), *example_lines(self.examples, columns)]
        return for_terminal("\n".join(lines), sys.stdout)


class LazyGroup(TyperGroup):
    """A group over `CommandEntry` values. Listing, help and completion of names import nothing."""

    def __init__(
        self, path: str, help: str, entries: Sequence[CommandEntry], examples: Sequence[str] = ()
    ) -> None:
        super().__init__(name=path.rpartition(" ")[2], help=help, context_settings=_context_settings())
        self._examples = tuple(examples)
        self._path = path
        self._entries = {entry.name: entry for entry in entries}
        self._only_names = False

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the program's list."""
        return list(self._entries)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | LazyGroup | None:
        """The command of that name, importing its module; None when there is none."""
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        if self._only_names:
            return TyperCommand(entry.name, help=entry.help)
        return load_command(entry, self._path)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that `args` begin with. Raises UsageError with the nearest name."""
        if not ctx.resilient_parsing and not args[0].startswith("-"):
            require_known(self._path, args[0], tuple(self._entries.values()))
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: Any) -> str:
        """The same page that `Program` prints without loading anything."""
        entries = tuple(self._entries.values())
        page = help_page(self._path, self.help or "", entries, examples=self._examples)
        return for_terminal(page, sys.stdout).rstrip("\n")

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Names that begin with `incomplete`."""
        self._only_names = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._only_names = False


def _context_settings() -> dict[str, Any]:
    """What every command's context starts with: the names of help, and a phone's width if it is one."""
    columns = min(terminal_width(), _WIDEST)
    narrow = {"terminal_width": columns - 1} if columns < _LEAST else {}
    return {"help_option_names": _HELP_NAMES, **narrow}


def load_command(entry: CommandEntry, parent: str) -> TyperCommand | LazyGroup:
    """Import a command's module and make a typer command of its function, or a group of its list.

    Raises:
        TypeError: the module holds neither `command` nor `COMMANDS`.
    """
    place, _, attribute = entry.module.partition(":")
    module = importlib.import_module(place)
    nested, examples = getattr(module, "COMMANDS", None), getattr(module, "EXAMPLES", ())
    if nested is not None and not attribute:
        return LazyGroup(f"{parent} {entry.name}", entry.help, nested, examples)
    function = getattr(module, attribute or "command", None)
    if not callable(function):
        raise TypeError(f"{entry.module} holds neither a function `command` nor a list `COMMANDS`")
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    settings = _context_settings()
    app.command(name=entry.name, short_help=entry.help, context_settings=settings, cls=_Command)(function)
    made = typer.main.get_command(app)
    if not isinstance(made, _Command):
        raise TypeError(f"typer made a {type(made).__name__} of {entry.module}")
    made.examples = tuple(examples)
    names = {parameter.name for parameter in made.params}
    if "redis_url" in names and "verbose" not in names:
        after = max(at for at, parameter in enumerate(made.params) if parameter.name != "help")
        made.params.insert(after, _verbose_option())
    return made


def _say_more(value: bool) -> None:
    if value:
        output.verbosity.set()


_VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Say more on stderr: which server, each job.",
        callback=_say_more,
        expose_value=False,
    ),
]


def _verbose_option() -> Any:
    """The option that every command over a queue has, without each of them naming it."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.command()
    def holder(verbose: _VerboseOption = False) -> None: ...

    return next(option for option in typer.main.get_command(app).params if option.name == "verbose")


def run_group(
    name: str, help: str, entries: Sequence[CommandEntry], args: list[str], *, examples: Sequence[str] = ()
) -> int:
    """Parse `args`, run the command they name and return its exit status.

    Raises whatever the command raises; typer's own errors too.
    """
    group = LazyGroup(name, help, entries, examples)
    variable = completion_variable(name)
    if variable in os.environ or any(arg.endswith("-completion") for arg in args[:1]):
        group.params.extend(typer.main.get_install_completion_arguments())
    if variable in os.environ:  # a shell asks for completions; typer answers and ends the process
        group.main(args, prog_name=name, complete_var=variable)
    with group.make_context(name, args) as context:
        outcome = group.invoke(context)
    return outcome if isinstance(outcome, int) else 0
