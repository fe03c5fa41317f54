"""Log lines of pipelines: each says to people and to programs what it is about.

The tag is `orchestrator`, `stage` or `gate`; run, task and attempt follow where there are any.
"""

from __future__ import annotations

import logging
from typing import Any

from lib.events import TRANSITION


def tell(
    log: logging.Logger,
    tag: str,
    event: str,
    sentence: str,
    *,
    run: str | None = None,
    task: str | None = None,
    attempt: int | None = None,
    level: int = logging.INFO,
    **more: Any,
) -> None:
    """Write one line: `[stage] beat-7 audio 2: sentence`, and for programs each field by its name.

    `more` are fields of the event beside those; what is None is left out. The record does not say from which
    line of the code it comes: nobody shows that, and to find it costs as much as the rest.
    """
    if not log.isEnabledFor(level):
        return
    about = {"run": run, "task": task, "attempt": attempt}
    place = " ".join(str(value) for value in about.values() if value is not None)
    fields = {"event": event, "tag": tag, **about, **more}
    told = {key: value for key, value in fields.items() if value is not None}
    words = (tag, f"{place}: " if place else "", sentence)
    log.handle(log.makeRecord(log.name, level, "", 0, "[%s] %s%s", words, None, extra={TRANSITION: told}))
