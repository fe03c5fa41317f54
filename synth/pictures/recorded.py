"""Draws, and writes down what that took: every picture that somebody may have paid for has its line."""

from __future__ import annotations

from collections.abc import Callable

from lib.clock import SystemClock, rfc3339
from lib.errors import BadConfiguration, JobRunnerError
from synth.pictures.backend import BackendUnavailable, Picture, PictureBackend, PictureOrder
from synth.pictures.checked import draw_checked
from synth.pictures.usage import PictureUse, UsageLog

#: Told a sentence where a line could not be written.
Warned = Callable[[str], None]


def draw_recorded(drawer: PictureBackend, order: PictureOrder, log: UsageLog, warned: Warned) -> Picture:
    """Draw, and record what it took, whatever came of it. Raises what `draw_checked` does."""
    clock = SystemClock()
    began = clock.monotonic()
    try:
        picture = draw_checked(drawer, order)
    except BadConfiguration:  # nobody drew
        raise
    except KeyboardInterrupt:
        _record(log, _failed(drawer, order, clock.monotonic() - began, None, "Interrupted."), warned)
        raise
    except JobRunnerError as error:
        spent = error.spent_usd if isinstance(error, BackendUnavailable) else None
        _record(log, _failed(drawer, order, clock.monotonic() - began, spent, error.message), warned)
        raise
    _record(log, _use(drawer, order, picture.seconds, picture.cost_usd, picture.model, ""), warned)
    return picture


def _failed(
    drawer: PictureBackend, order: PictureOrder, seconds: float, cost: float | None, error: str
) -> PictureUse:
    return _use(drawer, order, seconds, cost, "", error)


def _use(
    drawer: PictureBackend, order: PictureOrder, seconds: float, cost: float | None, model: str, error: str
) -> PictureUse:
    return PictureUse(
        at=rfc3339(SystemClock().now()),
        backend=drawer.name,
        model=model,
        width=order.width,
        height=order.height,
        seed=order.seed,
        characters=len(order.prompt),
        seconds=round(seconds, 6),
        cost_usd=cost,
        outcome="failed" if error else "done",
        error=error,
    )


def _record(log: UsageLog, use: PictureUse, warned: Warned) -> None:
    try:
        log.add(use)
    except OSError as trouble:  # the picture is worth more than its line
        warned(f"The usage of this picture is not recorded in {log.path}: {trouble.strerror}.")
