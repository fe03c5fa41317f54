"""What the commands of `video-synth` have in common."""

from __future__ import annotations

import importlib.util

from lib.errors import MissingExtra


def need_video() -> None:
    """See that the packages are there. Raises MissingExtra."""
    if any(importlib.util.find_spec(name) is None for name in ("av", "PIL")):
        raise MissingExtra("Making and checking videos", "video")
