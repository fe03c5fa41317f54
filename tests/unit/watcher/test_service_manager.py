"""What systemd hears of the watcher, on a real datagram socket (W18)."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_watcher.liveness import HANGS_AFTER_S, Pulse
from job_watcher.service_manager import ServiceManager, service_manager_of
from lib.clock import ManualClock


class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)

    def heard(self) -> list[list[str]]:
        """What came since the last look."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode().splitlines())
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    path = f"@job-watcher-{secrets.token_hex(8)}" if request.param == "abstract" else str(tmp_path / "n")
    made = Manager(path)
    yield made
    made.socket.close()


def environ(manager: Manager, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.address, "HOME": "/h", **more}


def test_a_life_is_told(manager: Manager) -> None:
    env = environ(manager, WATCHDOG_USEC="40000000", WATCHDOG_PID=str(os.getpid()))
    clock = ManualClock()
    pulse = Pulse(clock, service_manager_of(env))
    assert env == {"HOME": "/h"}  # no child speaks for us

    pulse.beat()
    pulse.ready()
    pulse.beat("2 jobs\nat hand")
    pulse.beat()  # too soon to be told again
    clock.advance(10)
    pulse.beat()
    pulse.stopping(660)

    assert manager.heard() == [
        ["EXTEND_TIMEOUT_USEC=120000000"],
        ["READY=1", "STATUS=working"],
        ["WATCHDOG=1", "STATUS=working: 2 jobs at hand"],
        ["WATCHDOG=1", "STATUS=working"],
        ["STOPPING=1", "EXTEND_TIMEOUT_USEC=660000000", "STATUS=draining"],
    ]


def test_what_takes_long_is_announced_and_taken_back(manager: Manager) -> None:
    clock = ManualClock()
    pulse = Pulse(clock, service_manager_of(environ(manager, WATCHDOG_USEC="40000000")))
    pulse.ready()
    pulse.beat("2 jobs at hand")
    manager.heard()

    pulse.go_on(30)  # soon over: no news
    pulse.go_on(1200)
    clock.advance(HANGS_AFTER_S + 1100)
    alive = [pulse.is_alive]
    pulse.go_on()
    clock.advance(HANGS_AFTER_S)
    alive.append(pulse.is_alive)
    pulse.go_on(10**9)  # a machine may say that it made the whole world's audio

    assert manager.heard() == [
        ["WATCHDOG=1", "STATUS=working: 2 jobs at hand", "WATCHDOG_USEC=1240000000"],
        ["WATCHDOG=1", "STATUS=working: 2 jobs at hand", "WATCHDOG_USEC=40000000"],
        ["WATCHDOG=1", "STATUS=working: 2 jobs at hand", "WATCHDOG_USEC=3640000000"],
    ]
    assert alive == [True, False]


def test_a_loop_that_hangs_is_not_fed(manager: Manager) -> None:
    clock = ManualClock()
    pulse = Pulse(clock, service_manager_of(environ(manager, WATCHDOG_USEC="40000000")))
    pulse.ready()
    pulse.beat()
    manager.heard()

    clock.advance(HANGS_AFTER_S)

    assert manager.heard() == []
    assert not pulse.is_alive


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all"])
def test_where_nobody_listens_nothing_fails(address: str) -> None:
    found = service_manager_of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "x"})
    found.ready("working")
    found.alive("working")
    assert found.watchdog_s is None


def test_the_watchdog_of_another_process_is_not_ours(manager: Manager) -> None:
    env = environ(manager, WATCHDOG_USEC="40000000", WATCHDOG_PID="1")
    assert service_manager_of(env, pid=7).watchdog_s is None


def test_a_manager_that_does_not_read_holds_nobody_up(manager: Manager) -> None:
    silent = ServiceManager(manager.address)
    for _ in range(2000):
        silent.alive("working")
