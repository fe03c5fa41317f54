"""The session that a watcher keeps open on a machine takes its listener along, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from pathlib import Path

from lib.workers.ssh.scripts import CONTROL, SUPERVISE


def test_an_answer_that_nobody_reads_any_more_ends_the_listener_too(tmp_path: Path) -> None:
    """A connection that breaks while the machine answers ends the shell by SIGPIPE."""
    there, elsewhere = os.pipe()  # the shell and all it starts hold its end as long as they run
    session = subprocess.Popen(
        ["sh", "-c", CONTROL, "sh", str(tmp_path / "spool"), str(tmp_path / "run"), "1", SUPERVISE, "true"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=elsewhere,
        start_new_session=True,
    )
    os.close(elsewhere)
    assert session.stdin is not None
    assert session.stdout is not None
    assert session.stdout.readline() == b"= hello\n"

    session.stdout.close()
    session.stdin.write(b"p\n")
    session.stdin.close()
    session.wait(timeout=30)
    ended, _, _ = select.select([there], [], [], 10)
    os.close(there)
    if not ended:
        os.killpg(session.pid, signal.SIGKILL)

    assert ended
