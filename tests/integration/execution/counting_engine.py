"""A speech engine that a third party might bring: a hum, which notes every text it is asked to speak.

Found by its entry points (`install` writes them), noted in `spoken.log` of the XDG data folder. A text that
holds the word "crash" ends the process, one with "refuse" makes the engine fail, and each "slowly" takes it
longer. No model is loaded: that takes longer than all that the tests of executions speak.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from synth.engines.port import EngineFailed, Utterance
from tests.unit.synth.fakes import HummingEngine

_HERE = "tests.integration.execution"
_SLOWLY_S = 0.05


class CountingEngine(HummingEngine):
    """A hum for each letter, under a name of its own."""

    name = "counting"

    def __init__(self) -> None:
        super().__init__(before=_note)


def _note(utterance: Utterance) -> None:
    text = utterance.text
    log = Path(os.environ["XDG_DATA_HOME"]) / "spoken.log"
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, (" ".join(text.split()) + "\n").encode())
    os.close(fd)
    if "crash" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "refuse" in text:
        raise EngineFailed("The engine refuses this text.")
    time.sleep(_SLOWLY_S * text.count("slowly"))


def install(folder: Path) -> None:
    """Make `folder` a place on PYTHONPATH from which the engine is found."""
    info = folder / "counting_engine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counting-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[job_runner.engines]\ncounting = {_HERE}.counting_engine:CountingEngine\n"
        f"[job_runner.engine_facts]\ncounting = {_HERE}.counting_facts:FACTS\n"
    )
