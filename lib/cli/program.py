"""A program of several commands, each imported only when it is called.

`--help`, `--version` and an unknown command are answered here without importing the command
library or any command, so they cost little more than Python itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, TextIO

from lib.cli.entries import CommandEntry, completion_variable, require_known
from lib.cli.help import for_terminal, help_page
from lib.errors import UsageError

__all__ = ["CommandEntry", "Program", "installed_version"]


class Program:
    """A command line: what `main()` of each program is made of."""

    def __init__(
        self,
        name: str,
        help: str,
        version: str | Callable[[], str],
        commands: Sequence[CommandEntry],
        elsewhere: Mapping[str, str] | None = None,
        examples: Sequence[str] = (),
    ) -> None:
        """`elsewhere` names what does what people look for here: {"speak": "voice-synth speak"}."""
        self.name = name
        self.help = help
        self.commands = tuple(commands)
        self.elsewhere = dict(elsewhere or {})
        self.examples = tuple(examples)
        self._version = version

    def main(self, argv: Sequence[str] | None = None) -> NoReturn:
        """Run the command line (`sys.argv` by default) and leave the process with its status."""
        sys.exit(self.run(argv))

    def run(self, argv: Sequence[str] | None = None) -> int:
        """Run the command line and return its exit status. Every error becomes a sentence here."""
        from lib.cli.failures import guarded
        from lib.cli.streams import ready_streams

        ready_streams()
        args = list(sys.argv[1:] if argv is None else argv)
        return guarded(lambda: self._dispatch(args), program=self.name, args=args)

    def version_text(self) -> str:
        """The program's version, worked out only when asked for."""
        return self._version if isinstance(self._version, str) else self._version()

    def _dispatch(self, args: list[str]) -> int:
        if completion_variable(self.name) not in os.environ:
            answer = self._answer_without_commands(args)
            if answer is not None:
                return answer
        from lib.cli.group import run_group

        return run_group(self.name, self.help, self.commands, args, examples=self.examples)

    def _page(self, stream: TextIO) -> str:
        page = help_page(self.name, self.help, self.commands, examples=self.examples)
        return for_terminal(page, stream)

    def _answer_without_commands(self, args: list[str]) -> int | None:
        if not args:
            sys.stderr.write(self._page(sys.stderr))
            return UsageError.exit_status
        if args[0] in ("--help", "-h"):
            sys.stdout.write(self._page(sys.stdout))
            return 0
        if args[0] == "--version":
            sys.stdout.write(f"{self.name} {self.version_text()}\n")
            return 0
        if not args[0].startswith("-"):
            require_known(self.name, args[0], self.commands, self.elsewhere)
        return None


def installed_version() -> str:
    """The version of the installed distribution; 'unknown' when it runs from a bare folder."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("job-runner")
    except PackageNotFoundError:
        return "unknown"
