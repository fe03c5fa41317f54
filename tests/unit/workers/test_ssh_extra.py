"""Machines over SSH are there for whoever installed what they need; the others are told how (W2)."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys
sys.modules["asyncssh"] = None  # as where it is not installed
import lib.workers, lib.workers.ssh as ssh
from lib.errors import MissingExtra
print(ssh.SshAddress.read("me@gpu"))
for name in ("SshThread", "SshMachine", "SshHost", "SftpFiles", "KnownHosts"):
    try:
        getattr(ssh, name)
    except MissingExtra as error:
        print(name, error)
"""


def test_without_asyncssh_the_package_is_there_and_says_what_brings_it() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)

    address, *missing = done.stdout.splitlines()
    assert address == "me@gpu:22"
    assert [line.partition(" ")[0] for line in missing] == [
        "SshMachine",
        "SshHost",
        "SftpFiles",
        "KnownHosts",
    ]
    assert all("Using machines over SSH needs packages that are not installed" in line for line in missing)


def test_nothing_else_loads_it() -> None:
    script = "import sys, lib.workers, lib.workers.ssh, job_watcher.wiring; print('asyncssh' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
