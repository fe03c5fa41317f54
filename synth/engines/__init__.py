"""Speech engines: one small class each, found by entry point. How to add one: docs/reference/engines.md."""

from __future__ import annotations

from synth.engines.discovery import create_engine, installed_engines
from synth.engines.port import (
    Engine,
    EngineFailed,
    EngineLimits,
    EngineLost,
    LoadStopped,
    Model,
    Speech,
    Utterance,
    WordTiming,
)

__all__ = [
    "Engine",
    "EngineFailed",
    "EngineLimits",
    "EngineLost",
    "LoadStopped",
    "Model",
    "Speech",
    "Utterance",
    "WordTiming",
    "create_engine",
    "installed_engines",
]
