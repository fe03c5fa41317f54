"""A real `job-watcher run` tells its service manager how it is, and none of its children does (W17, W18)."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.watcher.conftest import DEADLINE, Deployment, beats

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: what NotifyAccess=main looks at


class Manager:
    """systemd's end of the socket: what was said, and by which process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(str(path))
        self.said: list[tuple[int, list[str]]] = []

    def wait_for(self, line: str) -> None:
        """Return when somebody has said it."""
        give_up = time.monotonic() + DEADLINE
        while not any(line in lines for _, lines in self.said):
            ready, _, _ = select.select([self.socket], [], [], max(0.0, give_up - time.monotonic()))
            assert ready, f"{line} was never said, but {self.said}"
            data, rest, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
            (pid, _, _) = _CREDENTIALS.unpack(rest[0][2])
            self.said.append((pid, data.decode().splitlines()))


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.socket.close()


def test_a_whole_life_is_told_by_the_watcher_alone(deployment: Deployment, manager: Manager) -> None:
    """Ready, alive, at work by the address in a credential, draining, ended."""
    credentials = deployment.data.parent / "credentials"
    credentials.mkdir()
    (credentials / "redis_url").write_text(f"{deployment.url}\n", encoding="utf-8")
    watcher = deployment.start_watcher(
        REDIS_URL="",
        CREDENTIALS_DIRECTORY=str(credentials),
        NOTIFY_SOCKET=str(manager.path),
        WATCHDOG_USEC="1000000",
    )
    specs = beats(1)
    deployment.enqueue(specs)

    manager.wait_for("READY=1")
    manager.wait_for("WATCHDOG=1")
    deployment.wait_until_done(specs)
    watcher.send_signal(signal.SIGTERM)
    manager.wait_for("STOPPING=1")

    assert watcher.wait(DEADLINE) == 0
    assert {pid for pid, _ in manager.said} == {watcher.pid}
    (end,) = (lines for _, lines in manager.said if "STOPPING=1" in lines)
    (limit,) = (int(line.partition("=")[2]) for line in end if line.startswith("EXTEND_TIMEOUT_USEC="))
    assert limit >= 600_000_000, "systemd must wait for as long as the drain may take"


def test_a_watcher_that_stands_still_does_not_feed_the_watchdog(
    deployment: Deployment, manager: Manager
) -> None:
    watcher = deployment.start_watcher(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC="1000000")
    manager.wait_for("WATCHDOG=1")

    os.kill(watcher.pid, signal.SIGSTOP)
    deployment.wait_for("it stands still", lambda: set(states_of(watcher.pid)) == {"T"})
    while select.select([manager.socket], [], [], 0)[0]:
        manager.socket.recv(4096)
    silent = not select.select([manager.socket], [], [], 1.0)[0]
    os.kill(watcher.pid, signal.SIGCONT)

    assert silent
    manager.said.clear()
    manager.wait_for("WATCHDOG=1")


def states_of(pid: int) -> list[str]:
    """What each thread of a process is doing; one that was stopped may be at the end of saying something."""
    found = list[str]()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found.append((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return found


def test_a_wrong_credential_ends_with_78_and_does_not_show_it(
    deployment: Deployment, manager: Manager
) -> None:
    """78 is what RestartPreventExitStatus names."""
    credentials = deployment.data.parent / "credentials"
    credentials.mkdir()
    (credentials / "webhook_secret").write_bytes(b"hush\x01hush\n")
    watcher = deployment.start_watcher(
        CREDENTIALS_DIRECTORY=str(credentials), NOTIFY_SOCKET=str(manager.path)
    )

    assert watcher.wait(DEADLINE) == 78
    log = (deployment.data / "watcher.log").read_text(encoding="utf-8")
    assert "WEBHOOK_SECRET is a hidden value" in log
    assert "hush" not in log
