"""Measured speeds, as moving averages that follow a change without jumping at one odd job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lib.offer import is_gpu_of_name

#: Weight of the newest measurement: half of what is known is from the last three.
_WEIGHT: Final = 0.2


def blended(known: float | None, measured: float, weight: float = _WEIGHT) -> float:
    """The moving average after one more measurement; the first is taken as it is."""
    return measured if known is None else known + weight * (measured - known)


@dataclass(slots=True)
class Speeds:
    """Seconds of audio made per second by engine and GPU, and cold starts by GPU.

    `benched` was measured before there were jobs, by GPUs' names as their drivers write them: it stands in
    the place of a guess until a job tells. `running` is the part of a cold start for which the whole price is
    paid: until then it is only a disk.
    """

    audio: dict[tuple[str, str], float] = field(default_factory=dict)
    benched: Mapping[tuple[str, str], float] = field(default_factory=dict)
    cold: dict[str, float] = field(default_factory=dict)
    running: dict[str, float] = field(default_factory=dict)

    def measured(self, engine: str, gpu: str, audio_s: float, worked_s: float) -> None:
        """Learn from one finished job. Jobs too short to tell anything are left out."""
        if audio_s > 0 and worked_s > 0.05:
            key = (engine, gpu)
            self.audio[key] = blended(self.audio.get(key), audio_s / worked_s)

    def started(self, gpu: str, seconds: float, running_s: float | None = None) -> None:
        """Learn how long a machine took from being rented to its first job, and how much of it it ran."""
        self.cold[gpu] = blended(self.cold.get(gpu), seconds)
        if running_s is not None:
            self.running[gpu] = blended(self.running.get(gpu), running_s)

    def of(self, engine: str, gpu: str, perf: float, prior: float) -> float:
        """The speed to reckon with: measured there, else the provider's figure times what is usual."""
        return self.known(engine, gpu) or max(0.01, prior * perf)

    def known(self, engine: str, gpu: str) -> float | None:
        """The speed that jobs told, or else a bench; None where it can only be guessed."""
        told = self.audio.get((engine, gpu)) or self.benched.get((engine, gpu))
        if told is not None or not self.benched:
            return told
        alike = (
            speed
            for (name, listed), speed in self.benched.items()
            if name == engine and is_gpu_of_name(gpu, listed)
        )
        return next(alike, None)

    def engines(self) -> frozenset[str]:
        """Those of which any speed is known."""
        return frozenset(engine for engine, _ in (*self.audio, *self.benched))

    def cold_start(self, gpu: str, guess: float) -> float:
        """Seconds from rent to the first job: measured for such a GPU, else the guess for this offer."""
        known = self.cold.get(gpu)
        return guess if known is None else (known + guess) / 2
