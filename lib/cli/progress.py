"""Progress for people, on stderr: live on a terminal, a few plain lines anywhere else.

stdout stays free for results. Nothing here starts a thread: the screen changes when the caller has
something to say.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from lib.cli.colour import takes_colour
from lib.cli.layout import Column, row_lines
from lib.cli.output import clean
from lib.cli.streams import tell
from lib.clock import Clock, SystemClock
from lib.units import seconds_text

if TYPE_CHECKING:
    from rich.live import Live

_QUIET_SECONDS = 30.0  # without a terminal: a line at least this often while something moves
_QUIET_SHARE = 0.1  # ... or for each tenth of the work


def is_live(stream: TextIO) -> bool:
    """True when the screen behind `stream` can be redrawn."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


class ProgressBar:
    """How far a known amount of work is, with its rate and the time left.

    Use it as a context manager; `advance` or `reach` from one thread. With `quiet` it says nothing where the
    screen cannot be redrawn.
    """

    def __init__(
        self,
        total: int,
        label: str,
        *,
        quiet: bool = False,
        clock: Clock | None = None,
        stream: TextIO | None = None,
    ) -> None:
        self._quiet = quiet
        self._total = total
        self._label = clean(label)
        self._clock = clock or SystemClock()
        self._stream = stream or sys.stderr
        self._started = self._clock.monotonic()
        self._before: int | None = None  # done when this began to look: no work of the time since
        self._done = 0
        self._note = ""
        self._said_done = -1
        self._said_at = self._started
        self._screen = _Screen(self._stream, transient=True)

    def __enter__(self) -> Self:
        self._screen.open()
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.close()
        if self._said_done != self._done:
            self._say()

    def advance(self, count: int = 1, *, note: str = "") -> None:
        """`count` more units are done; `note` says what about them."""
        self._before = self._before or 0
        self.reach(self._done + count, note=note)

    def reach(self, done: int, *, total: int | None = None, note: str = "") -> None:
        """`done` units are done in all, of `total` if that changed; more than there are is shown as all.

        What the first call finds done was done before, and counts in no rate.
        """
        if self._before is None:
            self._before = done
        self._total = self._total if total is None else total
        self._done = min(max(done, 0), self._total)
        self._note = clean(note)
        self._draw()

    def text(self) -> str:
        """The line as it stands: label, count, share, rate, time left, note."""
        share = self._done / self._total if self._total else 1.0
        parts = [f"{self._label}: {self._done}/{self._total} ({share:.0%})"]
        passed = self._clock.monotonic() - self._started
        worked = self._done - (self._before or 0)
        if worked > 0 and passed > 0:
            rate = worked / passed
            parts.append(f"{rate:.1f}/s")
            if self._done < self._total:
                parts.append(f"{seconds_text((self._total - self._done) / rate)} left")
            else:
                parts.append(f"in {seconds_text(passed)}")
        return ", ".join([*parts, self._note] if self._note else parts)

    def _draw(self) -> None:
        if self._screen.live:
            self._screen.show_bar(self.text(), self._done, self._total)
        elif self._done and self._is_worth_a_line():
            self._say()

    def _is_worth_a_line(self) -> bool:
        moved = self._done - max(self._said_done, 0)
        waited = self._clock.monotonic() - self._said_at
        return moved >= self._total * _QUIET_SHARE or (moved > 0 and waited >= _QUIET_SECONDS)

    def _say(self) -> None:
        if self._quiet:
            return
        self._said_done = self._done
        self._said_at = self._clock.monotonic()
        tell(self._stream, self.text() + "\n")


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A row of a live table: a cell for each column. `state` is what a plain log reports the change of."""

    key: str
    state: str
    cells: tuple[str, ...]


class LiveTable:
    """Draws a table whose rows change while people wait.

    On a terminal the table is redrawn in place, as many rows as fit. Elsewhere one line is written
    for each row that is new or whose state changed. Use it as a context manager; with `keep` the
    last table stays on the screen.
    """

    def __init__(
        self, columns: Sequence[Column], *, keep: bool = False, stream: TextIO | None = None
    ) -> None:
        self._columns = tuple(columns)
        self._stream = stream or sys.stderr
        self._states: dict[str, str] = {}
        self._screen = _Screen(self._stream, transient=not keep)

    def __enter__(self) -> Self:
        self._screen.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.close()

    def update(self, rows: Sequence[LiveRow], summary: str = "") -> None:
        """Show these rows, most interesting first, and a line that sums them up."""
        if self._screen.live:
            self._screen.show_table(self._columns, rows, clean(summary))
            return
        for row in rows:
            if self._states.get(row.key) != row.state:
                self._states[row.key] = row.state
                cells = "  ".join(clean(cell) for cell in row.cells if cell not in ("", row.key, row.state))
                tell(self._stream, f"{clean(row.key)}: {clean(row.state)}{'  ' if cells else ''}{cells}\n")


class _Screen:
    """The terminal through rich, imported only when there is one."""

    def __init__(self, stream: TextIO, *, transient: bool) -> None:
        self.live = is_live(stream)
        self._stream = stream
        self._transient = transient
        self._view: Live | None = None

    def open(self) -> None:
        if not self.live:
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, highlight=False)
        self._view = Live(console=console, auto_refresh=False, transient=self._transient)
        self._view.start()

    def close(self) -> None:
        if self._view is not None:
            self._view.stop()
            self._view = None

    def show_bar(self, text: str, done: int, total: int) -> None:
        if self._view is None:
            return
        from rich.console import Group
        from rich.progress_bar import ProgressBar as RichBar
        from rich.text import Text

        bar = RichBar(total=max(total, 1), completed=done if total else 1, width=40)
        self._view.update(Group(Text(text), bar), refresh=True)

    def show_table(self, columns: Sequence[Column], rows: Sequence[LiveRow], summary: str) -> None:
        if self._view is None:
            return
        from rich.text import Text

        fit = max(self._view.console.size.height - 5, 1)  # headings, rule, summary, cursor
        hidden = len(rows) - fit
        foot = f"{summary}  (and {hidden} more)" if hidden > 0 else summary
        cells = [[clean(cell) for cell in row.cells] for row in rows[:fit]]
        colour = takes_colour(self._stream)
        lines = row_lines(columns, cells, self._view.console.size.width, colour=colour)
        self._view.update(Text.from_ansi("\n".join([*lines, foot])), refresh=True)
