"""A simulated day as a picture: machines as bars over time, the queue as steps below. Plain SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from job_watcher.simulation.estimate import Estimate
from job_watcher.simulation.machine_history import Life
from lib.fleet.money import dollars
from lib.units import seconds_text

_LEFT, _WIDTH, _ROW, _TOP, _QUEUE = 210, 760, 30, 70, 110
_TICKS = 5
_COLOURS = {
    "asked for": "#b0a8c9",
    "starting": "#e6b450",
    "working": "#4c9f70",
    "finishing": "#7fbf9a",
    "leaving": "#c76b5e",
}
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.head{font-size:16px;font-weight:600}"
    ".soft{fill:#666}.line{stroke:#ddd}.axis{stroke:#888}"
)


def svg(estimate: Estimate) -> str:
    """The day that is shown."""
    span = max([60.0, *(life.end for life in estimate.lives)])
    height = _TOP + _ROW * len(estimate.lives) + _QUEUE + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {height}" role="img">',
        f"<title>{escape(_headline(estimate))}</title><style>{_STYLE}</style>",
        f'<rect width="1000" height="{height}" fill="#fff"/>',
        f'<text class="head" x="20" y="28">{escape(_headline(estimate))}</text>',
        *_legend(),
        *_grid(span, height),
        *(part for index, life in enumerate(estimate.lives) for part in _bar(life, index, span)),
        *_queue(estimate, span, _TOP + _ROW * len(estimate.lives) + 30),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _headline(estimate: Estimate) -> str:
    shown = estimate.shown
    end = "not finished" if shown.finish_s is None else f"done after {seconds_text(shown.finish_s)}"
    return (
        f"{estimate.jobs} jobs, about {seconds_text(estimate.audio_s)} of audio: "
        f"{dollars(shown.cost_micros)}, {end} (simulated day {shown.seed})"
    )


def _x(seconds: float, span: float) -> float:
    return round(_LEFT + _WIDTH * seconds / span, 1)


def _legend() -> Iterator[str]:
    for index, (what, colour) in enumerate(_COLOURS.items()):
        x = 20 + index * 110
        yield f'<rect x="{x}" y="42" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 18}" y="52">{what}</text>'


def _grid(span: float, height: int) -> Iterator[str]:
    for index in range(_TICKS + 1):
        seconds = span * index / _TICKS
        x = _x(seconds, span)
        yield f'<line class="line" x1="{x}" y1="{_TOP - 6}" x2="{x}" y2="{height - 26}"/>'
        anchor = "end" if index == _TICKS else "middle"  # the last one would leave the picture
        text = f'<text class="soft" x="{x}" y="{height - 10}" text-anchor="{anchor}">'
        yield f"{text}{seconds_text(seconds)}</text>"


def _bar(life: Life, index: int, span: float) -> Iterator[str]:
    y = _TOP + _ROW * index
    kind = " bid" if life.interruptible else ""
    yield (
        f'<text x="20" y="{y + 15}">{escape(life.gpu)}{kind}</text>'
        f'<text class="soft" x="115" y="{y + 15}">{dollars(life.cost_micros)}</text>'
    )
    for part in life.stretches:
        width = max(1.0, _x(part.end, span) - _x(part.begin, span))
        label = f"{life.name}: {part.what}. Rented because: {life.came}. Given back because: {life.went}."
        yield (
            f'<rect x="{_x(part.begin, span)}" y="{y + 3}" width="{width:.1f}" height="18" '
            f'fill="{_COLOURS[part.what]}"><title>{escape(label)}</title></rect>'
        )
    for at in life.finished_at:
        x = _x(at, span)
        yield f'<line x1="{x}" y1="{y + 3}" x2="{x}" y2="{y + 21}" stroke="#14532d" stroke-width="1"/>'


def _queue(estimate: Estimate, span: float, top: float) -> Iterator[str]:
    """How many jobs are not finished, over time."""
    steps = sorted(
        [(at, count) for at, count in estimate.arrivals]
        + [(at, -1) for life in estimate.lives for at in life.finished_at]
    )
    points, waiting, base = [(_x(0, span), top + 70.0)], 0, top + 70.0
    for at, change in steps:
        points.append((_x(at, span), base - 60.0 * waiting / max(1, estimate.jobs)))
        waiting += change
        points.append((_x(at, span), base - 60.0 * waiting / max(1, estimate.jobs)))
    points.append((_x(span, span), base - 60.0 * waiting / max(1, estimate.jobs)))
    yield f'<text x="20" y="{top + 44:.0f}">jobs not finished</text>'
    yield f'<line class="axis" x1="{_LEFT}" y1="{base}" x2="{_LEFT + _WIDTH}" y2="{base}"/>'
    yield f'<polyline fill="none" stroke="#3465a4" stroke-width="2" points="{_points(points)}"/>'


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
