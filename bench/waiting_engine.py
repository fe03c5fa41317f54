"""A speech engine for measuring what stands around it: it waits as long as a GPU would work, and hums.

Found by its entry points (`install` writes them). Nothing that a person would listen to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lib.voices.engines import HIBARI
from synth.engines.port import EngineLimits, Model, Speech, Utterance

FACTS = replace(HIBARI, name="waiting", title="waiting: no voice, for measuring")
SECONDS = "BENCH_ENGINE_SECONDS"  # how long each utterance takes
_RATE = 24_000
_PLACE = "bench.waiting_engine"


class WaitingEngine:
    """Waits, then gives a second of a tone that swells and falls."""

    name = "waiting"

    def load(self) -> Model:
        """Nothing to load."""
        return Model("waiting", "1", _RATE)

    def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
        """As long as a GPU would take, and as little of the CPU."""
        time.sleep(float(os.environ.get(SECONDS, "0.5")) * len(utterances))
        return [Speech(_hum(), _RATE) for _ in utterances]

    def speakers(self) -> Mapping[str, str]:
        """Those of hibari."""
        return dict(FACTS.speakers)

    def languages(self) -> frozenset[str]:
        """English."""
        return frozenset({"English"})

    def limits(self) -> EngineLimits:
        """One at a time."""
        return EngineLimits(400, 1, seed_varies=True, usual_rate=None)


def _hum() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    at = np.arange(_RATE * 2, dtype=np.float32) / _RATE
    swell = 0.1 + 0.1 * np.sin(2 * np.pi * 3 * at)
    return (swell * np.sin(2 * np.pi * 180 * at)).astype(np.float32)


def install(folder: Path) -> None:
    """Make `folder` a place on PYTHONPATH from which the engine is found."""
    info = folder / "waiting_engine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: waiting-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[job_runner.engines]\nwaiting = {_PLACE}:WaitingEngine\n"
        f"[job_runner.engine_facts]\nwaiting = {_PLACE}:FACTS\n"
    )
