"""hibari, the engine that is always there. `ENGINE` is what the table of engines looks for."""

from __future__ import annotations

from typing import Final

from synth.engines.hibari.engine import HibariEngine

ENGINE: Final = HibariEngine

__all__ = ["ENGINE", "HibariEngine"]
