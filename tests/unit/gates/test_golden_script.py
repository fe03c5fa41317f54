"""The script that has a worker speak the golden sentence keeps its limit, however long its turns are."""

from __future__ import annotations

import os
import subprocess
from importlib.resources import files
from pathlib import Path


def test_turns_that_take_long_are_fewer(tmp_path: Path) -> None:
    slow = tmp_path / "bin/sleep"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho turn >>{tmp_path}/turns\nexec /bin/sleep 0.6\n")
    slow.chmod(0o755)
    script = files("job_watcher.providers.over_ssh").joinpath("golden.sh").read_bytes()
    path = f"{slow.parent}:{os.environ['PATH']}"

    done = subprocess.run(
        ["sh", "-s", str(tmp_path / "worker"), "Say this.", "0" * 16, "2"],
        input=script,
        env={**os.environ, "PATH": path},
        check=False,
    )

    assert done.returncode == 75
    assert 1 <= len((tmp_path / "turns").read_text().splitlines()) <= 5  # by turns alone it is twenty
    assert list((tmp_path / "worker/spool/sample").iterdir()) == []
