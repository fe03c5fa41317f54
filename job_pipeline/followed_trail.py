"""The trail as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lib.clock import Clock
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import EventKind, TrailEvent
from lib.pipeline.trail import events_after

_EVERY_S: Final = 0.5
#: After these a run does nothing any more, unless somebody lets it go on.
_LAST: Final = frozenset({EventKind.JOB_COMPLETED, EventKind.JOB_FAILED, EventKind.JOB_CANCELED})


def follow(ledger: PipelineLedger, position: int, *, run: str | None, clock: Clock) -> Iterator[TrailEvent]:
    """Every event behind a position as it comes; of one run until that has ended, else without an end."""
    ended = False
    while True:
        page = events_after(ledger, position, run=run)
        for event in page:
            yield event
            position = event.position
            ended = event.kind in _LAST
        if not page:
            if ended and run is not None:
                return
            clock.sleep(_EVERY_S)
