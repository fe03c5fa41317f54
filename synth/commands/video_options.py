"""What the commands of `video-synth` have in common."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import ExitStack

from lib.cli.progress import ProgressBar
from lib.errors import MissingExtra


def need_video() -> None:
    """See that the packages are there. Raises MissingExtra."""
    if any(importlib.util.find_spec(name) is None for name in ("av", "PIL", "cv2")):
        raise MissingExtra("Making and checking videos", "video")


def frames_bar(screen: ExitStack, ask: Callable[[], None]) -> Callable[[int, int], None]:
    """What is told of frames that are done, of how many; `ask` is called each time."""
    bars: list[ProgressBar] = []

    def on_frames(done: int, total: int) -> None:
        ask()
        if total and not bars:
            bars.append(screen.enter_context(ProgressBar(total, "frames")))
        if bars:
            bars[0].reach(done)

    return on_frames
