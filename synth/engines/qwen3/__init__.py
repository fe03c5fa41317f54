"""qwen3: Qwen3-TTS through its own package. `ENGINE` is what the table of engines looks for."""

from __future__ import annotations

from typing import Final

from synth.engines.qwen3.engine import Qwen3Engine

ENGINE: Final = Qwen3Engine

__all__ = ["ENGINE", "Qwen3Engine"]
