"""A stage that is ended takes the program with it that it started, and no half film is left (P22)."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.synth.video.studio import Studio

#: A stage as the worker runs it, in a process of its own; it tells when the program is there.
_STAGE = """
import sys
from pathlib import Path
from lib.jobs import synth_process
from lib.jobs.video_process import assemble

def told(*words, **options):
    process = popen(*words, **options)
    print(process.pid, flush=True)
    return process

popen, synth_process.subprocess.Popen = synth_process.subprocess.Popen, told
assemble(Path("t.json"), Path("out/film.mp4"))
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_whoever_ends_a_stage_ends_what_it_started(tmp_path: Path, how: signal.Signals) -> None:
    studio = Studio(tmp_path, (9.0, 9.0))
    studio.timeline |= {"size": [1920, 1080], "fps": 60}
    (tmp_path / "t.json").write_text(json.dumps(studio.timeline))
    stage = subprocess.Popen(
        [sys.executable, "-c", _STAGE], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert stage.stdout is not None
    child = os.pidfd_open(int(stage.stdout.readline()))
    try:
        _until_it_encodes(tmp_path / "out", child)
        stage.send_signal(how)
        ended, _, _ = select.select([child], [], [], 60)
        assert ended, "the program goes on"
        assert stage.wait(60) != 0
    finally:
        os.close(child)
        stage.kill()
        stage.wait()
        stage.stdout.close()

    assert [path.name for path in (tmp_path / "out").iterdir() if path.is_file()] == []


def _until_it_encodes(out: Path, child: int) -> None:
    """Until frames are being encoded; fails where the program ends before that."""
    while not list(out.glob(".film.mp4.pieces/.*.part")):
        ended, _, _ = select.select([child], [], [], 0.02)
        assert not ended, "it ended before it was asked to"
