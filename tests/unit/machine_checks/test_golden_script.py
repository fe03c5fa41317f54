"""The script that has a worker speak the golden sentence ends: at its limit, and with its caller."""

from __future__ import annotations

import os
import select
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


def test_a_caller_that_ends_as_soon_as_it_has_asked_is_not_waited_for(tmp_path: Path) -> None:
    """Who calls is looked up before anybody can know of the ask: later there may be nobody to be found."""
    rename = tmp_path / "bin/mv"
    rename.parent.mkdir()
    rename.write_text(f'#!/bin/sh\n/bin/mv "$@" || exit\nkill -9 $(cat {tmp_path}/caller)\nsleep 0.2\n')
    rename.chmod(0o755)
    (tmp_path / "golden.sh").write_bytes(
        files("job_watcher.providers.over_ssh").joinpath("golden.sh").read_bytes()
    )
    call = f"echo $$ >{tmp_path}/caller; sh {tmp_path}/golden.sh {tmp_path}/worker Say. {'0' * 16} 600; true"
    path = f"{rename.parent}:{os.environ['PATH']}"
    there, elsewhere = os.pipe()  # the script holds its end as long as it runs

    done = subprocess.run(
        ["sh", "-c", call], env={**os.environ, "PATH": path}, stdout=elsewhere, check=False, timeout=60
    )
    os.close(elsewhere)
    ended, _, _ = select.select([there], [], [], 30)
    os.close(there)

    assert done.returncode == -9
    assert ended
    assert list((tmp_path / "worker/spool/sample").iterdir()) == []
