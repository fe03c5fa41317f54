"""The help page of a program, made from its list of commands alone; what all pages have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Protocol, TextIO

from lib.cli.colour import BOLD, CYAN, styled, takes_colour

WIDEST = 100  # longer lines are hard to read, however wide the terminal is
_OPTIONS = (
    ("-h, --help", "Show this page, or a command's: COMMAND --help."),
    ("--version", "Show the version."),
    ("--install-completion", "Let this shell complete commands and options."),
)
_OPTION_WIDTH = max(len(option) for option, _ in _OPTIONS)


class Listed(Protocol):
    """What the help page needs to know of a command."""

    @property
    def name(self) -> str:
        """What people type."""
        ...

    @property
    def help(self) -> str:
        """One line."""
        ...

    @property
    def section(self) -> str:
        """The heading it stands under."""
        ...


def terminal_width() -> int:
    """Columns to write help in: the terminal's, `COLUMNS`, or 80."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return min(int(columns), WIDEST)
    try:
        return min(os.get_terminal_size(sys.stdout.fileno()).columns or 80, WIDEST)
    except (OSError, ValueError):
        return 80


def help_page(
    path: str,
    help: str,
    commands: Sequence[Listed],
    width: int | None = None,
    *,
    examples: Sequence[str] = (),
) -> str:
    """The whole page: usage, purpose, each section's commands, options, command lines to begin with."""
    columns = width or terminal_width()
    name_width = max((len(command.name) for command in commands), default=0)
    lines = [f"Usage: {path} [OPTIONS] COMMAND [ARGS]...", ""]
    lines += _wrapped(help, "  ", "  ", columns)
    for section in dict.fromkeys(command.section for command in commands):
        lines += ["", f"{section}:"]
        for command in commands:
            if command.section == section:
                first = f"  {command.name.ljust(name_width)}  "
                lines += _wrapped(command.help, first, " " * len(first), columns)
    lines += ["", "Options:"]
    for option, about in _OPTIONS if " " not in path else _OPTIONS[:1]:  # a group's page has only help
        first = f"  {option.ljust(_OPTION_WIDTH)}  "
        lines += _wrapped(about, first, " " * len(first), columns)
    return "\n".join([*lines, *example_lines(examples, columns)]) + "\n"


def example_lines(examples: Sequence[str], columns: int) -> list[str]:
    """The end of a page: command lines as people type them; long ones go on below, as a shell reads them."""
    if not examples:
        return []
    lines = ["", "Example:" if len(examples) == 1 else "Examples:"]
    for example in examples:
        lines += _command_line(example, columns)
    return lines


def _command_line(example: str, columns: int) -> list[str]:
    if len(example) + 2 <= columns:
        return [f"  {example}"]
    import shlex  # only for a narrow terminal

    lines = _wrapped(example, "  ", "      ", columns - 2, shlex.split(example, posix=False))
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def for_terminal(page: str, stream: TextIO) -> str:
    """The page as `stream` shows it: where it takes colour, headings are bold and names stand out."""
    if not takes_colour(stream):
        return page
    return "\n".join(_painted(line) for line in page.split("\n"))


def _painted(line: str) -> str:
    """Headings begin at the edge; names stand two columns in, a gap before what is said of them."""
    heading, colon, rest = line.partition(":")
    if colon and line[:1].isalpha() and (not rest or heading == "Usage"):
        return styled(heading + colon, BOLD) + rest
    if line.startswith("  -") or (line.startswith("  ") and line[2:3].strip() and "  " in line[2:].strip()):
        name, gap, about = line[2:].partition("  ")
        return f"  {styled(name, CYAN)}{gap}{about}"
    return line


def _wrapped(text: str, first: str, rest: str, columns: int, words: Iterable[str] | None = None) -> list[str]:
    lines = []
    line = first
    begun = False
    for word in text.split() if words is None else words:
        if begun and len(line) + 1 + len(word) > columns:
            lines.append(line)
            line, begun = rest, False
        line += f" {word}" if begun else word
        begun = True
    return [*lines, line.rstrip()]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when none is near."""
    from difflib import get_close_matches

    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None
