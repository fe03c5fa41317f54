"""A simulated day in lines of text, for a terminal of 80 columns, or of fewer."""

from __future__ import annotations

from collections.abc import Iterator

from job_watcher.simulation.estimate import Estimate
from job_watcher.simulation.machine_history import Life
from lib.units import MICROS, seconds_text

_MARKS = {"asked for": "?", "starting": "~", "working": "#", "finishing": "=", "leaving": "x"}
LEGEND = "~ starting  # working or held  = finishing  x given back  ? outcome unknown"
WIDTH = 80  # columns of a usual terminal
_SHORTEST_BAR = 12


def timeline(estimate: Estimate, width: int = WIDTH) -> list[str]:
    """One bar for each machine over the day's length, then why each came and went.

    The bars are drawn in `width` columns; the words may be longer and stand on lines of their own.
    """
    span = max([60.0, *(life.end for life in estimate.lives)])
    heads = [f"{life.name}  {life.gpu}" for life in estimate.lives]
    names = max(map(len, heads), default=0)
    room = max(_SHORTEST_BAR, width - names - len(" ||"))
    bars = [
        f"{head.ljust(names)} |{_bar(life, span, room)}|"
        for head, life in zip(heads, estimate.lives, strict=True)
    ]
    left, right = "0", seconds_text(span)
    scale = " " * (names + len(" |")) + left + right.rjust(room - len(left))
    return [*bars, scale, LEGEND, "", *(line for life in estimate.lives for line in _reasons(life))]


def _bar(life: Life, span: float, room: int) -> str:
    cells = [" "] * room
    for part in life.stretches:
        first = min(room - 1, int(part.begin / span * room))
        last = min(room - 1, max(first, int(part.end / span * room)))
        for cell in range(first, last + 1):
            cells[cell] = _MARKS[part.what]
    return "".join(cells)


def _reasons(life: Life) -> Iterator[str]:
    kind = "interruptible " if life.interruptible else ""
    yield (
        f"{life.name}: {kind}{life.gpu}, from {seconds_text(life.begin)} to {seconds_text(life.end)}, "
        f"{life.jobs} jobs"
    )
    yield (
        f"  {life.run_s:.0f} s running at ${life.hourly_micros / MICROS:.4f}/h"
        f" + {life.standing_s:.0f} s booting or stopped at ${life.standing_micros / MICROS:.4f}/h"
    )
    yield (f"  + ${life.fee_micros / MICROS:.4f} for downloads = ${life.cost_micros / MICROS:.4f}")
    yield f"  rented because: {life.came}"
    yield f"  given back because: {life.went}"
