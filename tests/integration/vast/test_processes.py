"""Processes are found by what they were started with, whatever they do at that moment."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from job_watcher.rehearsal.vast.processes import carrying, environment_of
from tests.integration.vast.switches import wait_for

#: Becomes another program for ever, itself; and one that starts the next of its kind and ends.
ANOTHER = 'exec "$0"'
THE_NEXT = '"$0" & :'

#: For how long one that shows nothing is looked at here: far longer than a busy machine needs.
PATIENCE_S = 20.0

Restless = Callable[[str], bytes]


@pytest.fixture
def restless(tmp_path: Path) -> Iterator[Restless]:
    """Starts a script over and over, each time by itself; the line in its environment."""
    over, script, mark = tmp_path / "over", tmp_path / "script", secrets.token_hex(8)
    started = list[subprocess.Popen[bytes]]()

    def start(what: str) -> bytes:
        script.write_text(f"#!/bin/sh\n[ ! -e {over} ] || exit 0\n{what}\n")
        script.chmod(0o700)
        started.append(subprocess.Popen([script], env={"PATH": "/usr/bin:/bin", "MARK": mark}))
        return f"MARK={mark}".encode()

    yield start
    over.touch()
    for each in started:
        each.wait(30)
    assert wait_for(lambda: carrying(f"MARK={mark}".encode()) == [])


@pytest.mark.parametrize(
    ("what", "looks"), [(ANOTHER, 60), (THE_NEXT, 10)], ids=["becomes another", "starts another and ends"]
)
def test_one_that_is_never_the_same_is_found_at_every_look(restless: Restless, what: str, looks: int) -> None:
    line = restless(what)
    assert wait_for(lambda: bool(carrying(line)))

    missed = [look for look in range(looks) if not carrying(line)]

    assert missed == []


def test_one_that_was_given_nothing_is_not_waited_for() -> None:
    bare = subprocess.Popen(["sleep", "600"], env={})
    begun = time.monotonic()

    assert environment_of(bare.pid, PATIENCE_S) == b""

    assert time.monotonic() - begun < PATIENCE_S / 2
    bare.kill()
    bare.wait()


def test_one_that_has_ended_carries_nothing_though_nobody_collected_it() -> None:
    ended = subprocess.Popen(["true"], env={"A": "b"})
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)

    assert environment_of(ended.pid) == b""

    ended.wait()
