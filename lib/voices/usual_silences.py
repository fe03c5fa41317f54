"""How long a voice is silent: for whoever speaks, and for whoever guesses lengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds of silence at clauses, sentences and paragraphs, at the usual speed."""

    clause: float = 0.2
    sentence: float = 0.45
    paragraph: float = 0.9

    @classmethod
    def read(cls, text: str) -> Pauses:
        """The three as the setting VOICE_PAUSES has them, "0.2,0.45,0.9", which checks them."""
        return cls(*map(float, text.split(",")))

    def at_speed(self, speed: float) -> Pauses:
        """Who speaks twice as fast pauses half as long."""
        if speed == 1.0:
            return self
        return Pauses(self.clause / speed, self.sentence / speed, self.paragraph / speed)


USUAL_PAUSES: Final = Pauses()
