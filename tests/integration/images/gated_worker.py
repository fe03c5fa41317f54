"""`image-synth worker` with a backend that draws when a file is there: python -m ... FOLDER.

`FOLDER/drawing` says that it has begun; it ends when `FOLDER/go` is there.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from lib.clock import SystemClock
from lib.picture_backends.names import PictureSettings
from synth.commands.image_worker import note_report
from synth.imagen.wiring import run_worker
from synth.pictures.backend import Picture, PictureOrder
from synth.pictures.mock import MockBackend
from synth.worker.stop import StopSignal


class GatedBackend(MockBackend):
    """Waits within `draw`."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._folder = folder

    def draw(self, order: PictureOrder) -> Picture:
        (self._folder / "drawing").touch()
        while not (self._folder / "go").exists():
            time.sleep(0.005)
        return super().draw(order)


def main() -> None:
    folder = Path(sys.argv[1])
    stop = StopSignal(SystemClock())
    stop.on_signals(signal.SIGTERM)

    def opens(name: str, settings: PictureSettings) -> GatedBackend:
        return GatedBackend(name, folder)

    run_worker(stop, note_report, opens=opens)


if __name__ == "__main__":
    main()
