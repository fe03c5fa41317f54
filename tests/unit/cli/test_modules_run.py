"""Each program runs as a module too: where nothing is installed, that is how people start it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "program"),
    [
        ("job_runner", "job-runner"),
        ("job_runner.main", "job-runner"),
        ("job_watcher", "job-watcher"),
        ("job_watcher.main", "job-watcher"),
        ("job_pipeline", "job-pipeline"),
        ("job_pipeline.main", "job-pipeline"),
        ("synth", "voice-synth"),
        ("synth.main", "voice-synth"),
        ("synth.image_main", "image-synth"),
        ("synth.video_main", "video-synth"),
    ],
)
def test_a_module_is_its_program(module: str, program: str) -> None:
    ended = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True)
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"{program} ")
