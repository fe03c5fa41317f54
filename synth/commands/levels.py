"""Levels on the command line."""

from __future__ import annotations

from lib.errors import UsageError


def read_loudness(word: str) -> float | None:
    """LUFS, None for `off`. Raises UsageError."""
    if word == "off":
        return None
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not -40.0 <= value <= -8.0:
        raise UsageError(f"--loudness must be a level from -40 to -8 LUFS, or off; not {word!r}.")
    return value
