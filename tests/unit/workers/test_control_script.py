"""The session that a watcher keeps open on a machine: what it answers, and that it leaves nothing behind."""

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


def test_an_end_that_was_rung_for_is_told_though_the_supervisor_is_still_ending(tmp_path: Path) -> None:
    """Whoever hears the ring asks at once; told that it runs, they would not ask again for seconds."""
    spool, run, late = str(tmp_path / "spool"), str(tmp_path / "run"), f"{SUPERVISE}\nexec sleep 600\n"
    with subprocess.Popen(
        ["sh", "-c", CONTROL, "sh", spool, run, "1", late, "sh", "-c", "exit 7"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        heard = b""
        for order, until in ((b"s", b"x"), (b"p", b"= ended "), (b"k", b"= none\n")):
            session.stdin.write(order + b"\n")
            session.stdin.flush()
            while until not in heard:
                said = os.read(session.stdout.fileno(), 4096)
                heard += said
                assert b"= running" not in heard.rpartition(b"x")[2], heard
                assert said, heard
        session.stdin.close()

    assert (tmp_path / "run/status").read_text() == "7\n"
