"""A folder in which chapters are spoken, and crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lib.clock import ManualClock
from synth.engines import Model
from synth.speech.kept_pieces import KeptPieces, folder_beside
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak
from tests.unit.synth.fakes import RATE, HummingEngine, request
from tests.unit.synth.worker_bench import Death

TEXT = (
    "One came first. Two was there too. Three is the third one. Four goes before five. Five is all there is."
)
MODEL = Model("hum", "1", RATE)


def chapter(**changes: object) -> SpeakRequest:
    return request(TEXT, **{"chunk": True, **changes})


class Desk:
    """A folder in which texts are spoken."""

    def __init__(self, folder: Path) -> None:
        self.out, self.said = folder / "out", list[str]()
        self.folder = folder_beside(self.out)
        self.engine = HummingEngine()

    def speak(self, asked: SpeakRequest, on_piece: Callable[[int, int], None] = lambda *_: None) -> bytes:
        """The audio; raises what the engine or `on_piece` does, as a crash would leave it."""
        with KeptPieces(self.folder, self.said.append) as kept:
            speak(asked, self.engine, ManualClock(), self.out, on_piece, kept=kept)
            kept.discard()
        return self.out.with_name("out.wav").read_bytes()

    def crash(self, asked: SpeakRequest, pieces: int) -> None:
        """Die once so many pieces are there."""

        def die(done: int, total: int) -> None:
            if done >= pieces:
                raise Death

        with pytest.raises(Death):
            self.speak(asked, die)

    @property
    def spoken(self) -> int:
        """Pieces that the engine spoke since it was last asked."""
        count = len(self.engine.spoken)
        self.engine.calls.clear()
        return count
