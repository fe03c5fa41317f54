"""`voice-synth join` as a process of ours: it needs numpy and encoders, which this program does without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.jobs.synth_process import run_synth


def join(playlist: Path, options: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """Join a playlist; returns the exit status and the JSON. Raises as `run_synth` does."""
    return run_synth(["join", str(playlist), *options], doing="Joining")
