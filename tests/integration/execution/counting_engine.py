"""A speech engine that a third party might bring: hibari, which notes every text it is asked to speak.

Found by its entry points (`install` writes them), noted in `spoken.log` of the XDG data folder. A text that
holds the word "crash" ends the process, one with "refuse" makes the engine fail.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lib.voices.engines import HIBARI
from synth.engines.hibari import HibariEngine
from synth.engines.port import EngineFailed, Speech, Utterance

FACTS = replace(HIBARI, name="counting", title="counting: hibari, noted")
_PLACE = "tests.integration.execution.counting_engine"


class CountingEngine(HibariEngine):
    """hibari under another name."""

    name = "counting"

    def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
        """Note, then speak."""
        for utterance in utterances:
            _note(utterance.text)
            if "crash" in utterance.text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "refuse" in utterance.text:
                raise EngineFailed("The engine refuses this text.")
        return super().speak(utterances)


def _note(text: str) -> None:
    log = Path(os.environ["XDG_DATA_HOME"]) / "spoken.log"
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, (" ".join(text.split()) + "\n").encode())
    os.close(fd)


def install(folder: Path) -> None:
    """Make `folder` a place on PYTHONPATH from which the engine is found."""
    info = folder / "counting_engine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counting-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[job_runner.engines]\ncounting = {_PLACE}:CountingEngine\n"
        f"[job_runner.engine_facts]\ncounting = {_PLACE}:FACTS\n"
    )
