"""`video-synth` as a process of ours: it needs encoders, which this program does without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lib.jobs.synth_process import run_synth

_MODULE: Final = "synth.video_main"


def animate(clips: Path, folder: Path, options: Sequence[str] = ()) -> tuple[int, dict[str, Any]]:
    """Make a list of clips; returns the exit status and the JSON. Raises as `run_synth` does."""
    words = ["animate", str(clips), "--out-dir", str(folder), *options]
    return run_synth(words, doing="Making clips", module=_MODULE)


def assemble(timeline: Path, target: Path, options: Sequence[str] = ()) -> tuple[int, dict[str, Any]]:
    """Make a video of a timeline; returns as `animate`."""
    words = ["assemble", str(timeline), "--out", str(target), *options]
    return run_synth(words, doing="Assembling", module=_MODULE)


def accept(video: Path, results: Path, options: Sequence[str] = ()) -> tuple[int, dict[str, Any]]:
    """Check a video; returns as `animate`. Status 1 with checks in the JSON: it is not accepted."""
    words = ["accept", str(video), "--out", str(results), *options]
    return run_synth(words, doing="Checking", module=_MODULE)
