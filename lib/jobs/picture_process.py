"""`image-synth` as a process of ours: what draws needs packages, or a GPU, that this program does without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.jobs.synth_process import run_synth


def draw(orders: Path, folder: Path, options: Sequence[str] = ()) -> tuple[int, dict[str, Any]]:
    """Draw a list of pictures; returns the exit status and the JSON. Raises as `run_synth` does."""
    words = ["draw", str(orders), "--out-dir", str(folder), *options]
    return run_synth(words, doing="Drawing", module="synth.image_main")
