"""eSpeak NG, a robotic voice for languages that no other engine here speaks; used by name only.

`ENGINE` is what the table of engines looks for.
"""

from __future__ import annotations

from typing import Final

from synth.engines.espeak.engine import EspeakEngine

ENGINE: Final = EspeakEngine

__all__ = ["ENGINE", "EspeakEngine"]
