"""A whole screen that is redrawn, for commands that stay."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from lib.cli.progress import is_live
from lib.errors import UsageError

#: Given the columns and rows of the screen, the lines to show.
Draw = Callable[[int, int], Sequence[str]]


@contextmanager
def own_screen() -> Iterator[Callable[[Draw], None]]:
    """A screen of its own on stdout, which gives the old one back at the end; yields what redraws it.

    Ctrl-C is the normal end of the block.

    Raises:
        UsageError: stdout is no terminal that can be redrawn.
    """
    if not is_live(sys.stdout):
        raise UsageError("--watch needs a terminal; without one, run the command again and again")
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with suppress(KeyboardInterrupt), Live(console=console, screen=True, auto_refresh=False) as live:

        def redraw(draw: Draw) -> None:
            lines = draw(console.size.width, console.size.height)
            live.update(Text.from_ansi("\n".join(lines[: console.size.height])), refresh=True)

        yield redraw
