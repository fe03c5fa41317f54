"""A simulated day in lines of text, for a terminal of 80 columns or more."""

from __future__ import annotations

from collections.abc import Iterator

from job_watcher.simulation.estimate import Estimate
from job_watcher.simulation.machine_history import Life
from lib.units import MICROS, seconds_text

_MARKS = {"asked for": "?", "starting": "~", "working": "#", "finishing": "=", "leaving": "x"}
LEGEND = "~ starting   # working or held ready   = finishing   x being given back   ? outcome unknown"
_WIDTH = 56


def timeline(estimate: Estimate) -> list[str]:
    """One bar for each machine over the day's length, then why each came and went."""
    span = max([60.0, *(life.end for life in estimate.lives)])
    bars = [f"{life.name:11} {life.gpu:9} |{_bar(life, span)}|" for life in estimate.lives]
    left, right = "0", seconds_text(span)
    scale = " " * 23 + left + right.rjust(_WIDTH - len(left))
    return [*bars, scale, LEGEND, "", *(line for life in estimate.lives for line in _reasons(life))]


def _bar(life: Life, span: float) -> str:
    cells = [" "] * _WIDTH
    for part in life.stretches:
        first = min(_WIDTH - 1, int(part.begin / span * _WIDTH))
        last = min(_WIDTH - 1, max(first, int(part.end / span * _WIDTH)))
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
        f" + ${life.fee_micros / MICROS:.4f} for downloads = ${life.cost_micros / MICROS:.4f}"
    )
    yield f"  rented because: {life.came}"
    yield f"  given back because: {life.went}"
