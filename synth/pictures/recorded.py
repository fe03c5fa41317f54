"""Draws, and records what it took and cost, whatever came of it."""

from __future__ import annotations

from collections.abc import Callable

from lib.clock import Clock, SystemClock, rfc3339
from lib.errors import BadConfiguration, JobRunnerError
from synth.pictures.backend import BackendUnavailable, Picture, PictureBackend, PictureOrder
from synth.pictures.checked import draw_checked
from synth.pictures.usage import PictureUse, UsageLog


class RecordedDrawing:
    """Draws with any backend; each order that one got is a line of `log`.

    `warned` is told when a line could not be written.

    Threads: one at a time.
    """

    def __init__(self, log: UsageLog, warned: Callable[[str], None], clock: Clock | None = None) -> None:
        self._log, self._warned, self._clock = log, warned, clock or SystemClock()

    def draw(self, backend: PictureBackend, order: PictureOrder) -> Picture:
        """Draw one picture. Raises as `draw_checked`."""
        began = self._clock.monotonic()
        try:
            picture = draw_checked(backend, order)
        except BadConfiguration:  # nobody drew
            raise
        except KeyboardInterrupt:
            self._record(backend, order, self._clock.monotonic() - began, None, None, "Interrupted.")
            raise
        except JobRunnerError as error:
            spent = error.spent_usd if isinstance(error, BackendUnavailable) else None
            self._record(backend, order, self._clock.monotonic() - began, None, spent, error.message)
            raise
        self._record(backend, order, picture.seconds, picture, picture.cost_usd, "")
        return picture

    def _record(
        self,
        backend: PictureBackend,
        order: PictureOrder,
        seconds: float,
        picture: Picture | None,
        cost: float | None,
        error: str,
    ) -> None:
        use = PictureUse(
            at=rfc3339(self._clock.now()),
            backend=backend.name,
            model="" if picture is None else picture.model,
            width=order.width,
            height=order.height,
            seed=order.seed,
            characters=len(order.prompt),
            seconds=round(seconds, 6),
            cost_usd=cost,
            outcome="failed" if picture is None else "done",
            error=error,
        )
        try:
            self._log.add(use)
        except OSError as trouble:  # the picture is worth more than its line
            why = trouble.strerror
            self._warned(f"The usage of this picture is not recorded in {self._log.path}: {why}.")
