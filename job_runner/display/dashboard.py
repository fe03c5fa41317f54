"""The dashboard in lines: the verdict, a bar, what runs, the numbers, what ended last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job_runner.display.ended import ended_table
from lib.cli import output
from lib.cli.colour import CYAN, GREEN, styled
from lib.cli.layout import painted, paragraph
from lib.jobqueue import JobRecord
from lib.jobs.dashboard import Dashboard, Pace
from lib.units import seconds_text

_BAR: Final = 30  # columns, and less where there is no room
_FULL, _EMPTY = "━", "─"


def screen_lines(
    look: Dashboard,
    width: int | None,
    *,
    colour: bool,
    numbers: Mapping[str, object] | None = None,
    rows: int | None = None,
) -> list[str]:
    """All lines in `width` columns; None is for pipes, where nothing is folded.

    Without `numbers` these are one line. What ended last has what is left of `rows`.
    """
    verdict = look.view.verdict.value
    head = _folded(f"{verdict}: {output.clean(look.view.sentence)}", width)
    if colour:
        head[0] = painted(verdict) + head[0][len(verdict) :]
    lines = [*head, ""]
    if look.pace is not None:
        lines += [*pace_lines(look.pace, width, colour=colour), ""]
    if look.running:
        lines += [*_table_lines(_running_table(look), width, colour=colour), ""]
    if numbers is not None:
        lines += [*output.field_lines(numbers, width), ""]
    else:
        lines += [*_folded(_counts(look), width), ""]
    lines += _table_lines(
        ended_table(look.jobs, "ended", lambda job: ago_text(look.now - job.finished_at)),
        width,
        colour=colour,
    )
    return lines if rows is None else lines[:rows]


def _folded(text: str, width: int | None) -> list[str]:
    return [text] if width is None else paragraph(text, width).split("\n")


def _table_lines(table: output.Table, width: int | None, *, colour: bool) -> list[str]:
    return table.plain().splitlines() if width is None else table.lines(width, colour=colour)


def pace_lines(pace: Pace, width: int | None, *, colour: bool) -> list[str]:
    """The bar with what it means: `31 of 43 ended (72%)`, the rate, the time that is left."""
    share = pace.ended / pace.total if pace.total else 1.0
    words = [f"{pace.ended} of {pace.total} ended ({share:.0%})"]
    if pace.rate is not None:
        words.append(rate_text(pace.rate))
    if pace.left_s is not None:
        words.append(f"{seconds_text(pace.left_s)} left")
    text = ", ".join(words)
    room = _BAR if width is None else min(_BAR, width - len(text) - 2)
    beside = room >= _BAR // 2
    room = room if beside else min(_BAR, width or _BAR)
    full = int(share * room)
    bar = _FULL * full + _EMPTY * (room - full)
    bar = (styled(bar[:full], GREEN if share == 1 else CYAN) if colour and full else bar[:full]) + bar[full:]
    return [f"{bar}  {text}"] if beside else [bar, *_folded(text, width)]


def rate_text(rate: float) -> str:
    """Jobs a second in the unit in which a person counts them."""
    if rate >= 1:
        return f"{rate:.1f} jobs a second"
    return f"{rate * 60:.1f} jobs a minute" if rate * 60 >= 1 else f"{rate * 3600:.1f} jobs an hour"


def _running_table(look: Dashboard) -> output.Table:
    hidden = look.view.snapshot.pending - len(look.running)
    more = f", and {hidden} more" if hidden > 0 else ""
    table = output.Table(
        [output.Column(f"running now{more}", wrap=True), output.Column("for", "right"), output.Column("")]
    )
    for job in look.running:
        table.row(job.request_id, seconds_text(max(0.0, look.now - job.since)), _progress(job))
    return table


def _progress(job: JobRecord) -> str:
    """How far its pieces are; a job of one piece tells nothing before its end."""
    progress = job.progress or {}
    done, pieces = progress.get("pieces_done"), progress.get("pieces")
    if isinstance(done, int) and isinstance(pieces, int) and pieces:
        return f"{done} of {pieces} pieces"
    return ""


def _counts(look: Dashboard) -> str:
    shot = look.view.snapshot
    stale = f", {shot.stale_pel} stale leases" if shot.stale_pel else ""
    return (
        f"{shot.outstanding} outstanding (waiting {shot.waiting}, running {shot.pending}, "
        f"delayed {shot.delayed}){stale}; {shot.done} done, {shot.failed} failed, {shot.canceled} canceled"
    )


def ago_text(seconds: float) -> str:
    """How long ago something was, in one unit: 4 s ago, 3 min ago, 2 h ago, 5 d ago."""
    whole = max(0, int(seconds))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if whole >= length:
            return f"{whole // length} {unit} ago"
    return f"{whole} s ago"
