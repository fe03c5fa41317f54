"""A process of `synth` that takes too long is ended, so that whoever waits for it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import JobFailed
from lib.jobs.synth_process import run_synth


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="Waiting for jobs ended with signal SIGKILL"):
        run_synth(["work", "--spool", str(tmp_path)], doing="Waiting for jobs", within_s=0.1)
