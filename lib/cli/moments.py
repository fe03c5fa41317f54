"""Reads times as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from lib.clock import parse_rfc3339
from lib.errors import UsageError

_AGO: Final = re.compile(r"(\d{1,9})([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def moment(text: str, now: float, *, option: str = "--since") -> float:
    """Seconds since the epoch of `2026-11-22T09:00:00Z`, of a day in UTC, or of a span such as `36h` ago.

    Raises:
        UsageError: it is none of these.
    """
    ago = _AGO.fullmatch(text)
    if ago:
        return now - int(ago[1]) * _SECONDS[ago[2]]
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {text!r} is no time; write 2026-11-22T09:00:00Z, or a day in UTC as 2026-11-22, "
            "or how long ago: 90m, 36h, 7d"
        ) from None
