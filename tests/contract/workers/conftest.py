"""The hosts that the suite runs on. A further one is a class beside these and a line in `KINDS`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol, cast

import pytest

from job_watcher.provisioning.rented_work import RentedHost
from job_watcher.simulation.files import MemoryFiles
from lib.clock import ManualClock
from lib.machines.model import Intent, MachineRow
from lib.workers import LeftSpool, LocalHost, WorkerHost, WorkerProcess
from lib.workers.ssh import SshHost, SshMachine, SshWorkerSetup
from tests.integration.ssh_machines import ssh_machine, ssh_thread, sshd
from tests.integration.sshd import children_of

__all__ = ["ssh_machine", "ssh_thread", "sshd"]  # fixtures


class Place(Protocol):
    """A host, and the ways behind its back. `keeps` is whether it starts and buries its worker itself."""

    keeps: bool

    @property
    def host(self) -> WorkerHost:
        """The adapter."""
        ...

    def worker(self) -> object:
        """What tells the worker that runs now from any other; None when none of the host's own does."""
        ...

    def kill(self) -> None:
        """End the worker behind the host's back."""
        ...

    def wait_out_pauses(self) -> None:
        """Let the time pass that a dead worker is not started again."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...


class OnThisMachine:
    keeps = True

    def __init__(self, folder: Path) -> None:
        self._clock = ManualClock()
        argv = [sys.executable, "-c", "import time; time.sleep(600)"]
        self._process = WorkerProcess(argv, log=folder / "worker.log", clock=self._clock)
        self.host = LocalHost("here/1", "here", folder / "spool-1", self._process)

    def worker(self) -> object:
        return self._process.pid

    def kill(self) -> None:
        pid = self._process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def wait_out_pauses(self) -> None:
        self._clock.advance(60)

    def close(self) -> None:
        self.host.stop(0.0)
        self.host.close()


class Foreign:
    """A host whose worker is somebody else's: it lives and dies without a word."""

    keeps = False

    def worker(self) -> object:
        return None

    def kill(self) -> None:
        pass

    def wait_out_pauses(self) -> None:
        pass

    def close(self) -> None:
        pass


class LeftBehind(Foreign):
    def __init__(self, folder: Path) -> None:
        (folder / "spool-1").mkdir()
        self.host = LeftSpool("here/1", "here", folder / "spool-1")

    def close(self) -> None:
        self.host.close()


class Rented(Foreign):
    def __init__(self, folder: Path) -> None:
        spools = {"rental-7": MemoryFiles()}
        access = SimpleNamespace(
            files=spools.__getitem__, tend=lambda instance: None, restart=lambda instance: None
        )
        self.host = RentedHost(row_of("tok-1", "machine-3", "rental-7"), "rental-7", cast(Any, access))


def row_of(token: str, machine: str, instance: str) -> MachineRow:
    """The ledger's row of a machine that is rented."""
    intent = Intent(
        token=token,
        epoch=1,
        provider="rehearsal",
        offer_id="offer-1",
        machine_id=machine,
        host_id="owner-1",
        gpu="RTX 3090",
        interruptible=False,
        hourly_micros=100_000,
        fee_micros=0,
        created_at=0.0,
        expires_at=3600.0,
        label=token,
    )
    return MachineRow(intent, "ready", 0.0, 1, 1, instance)


class OverSsh:
    """A worker on a real SSH server. It starts behind `tend`: whoever asks for it waits until it is there."""

    keeps = True

    def __init__(self, folder: Path, machine: SshMachine) -> None:
        self._folder, self._clock = folder, ManualClock()
        self._last = ""
        setup = SshWorkerSetup(
            command=("sh", "-c", "exec sleep 600", "sh"),
            folder=str(folder),
            engine="hibari",
            voices_dir="/nowhere",
            clock=self._clock,
        )
        self._host = SshHost("far/1", machine, setup)
        self.host: WorkerHost = self._host

    def worker(self) -> object:
        end = time.monotonic() + 30
        while not self._host.is_settled() and time.monotonic() < end:
            time.sleep(0.005)
        try:
            return (self._folder / "run/work/pid").read_text()
        except FileNotFoundError:
            return None

    def kill(self) -> None:
        supervisor = int(str(self.worker()).split()[0])
        os.kill(started_by(supervisor), signal.SIGKILL)

    def wait_out_pauses(self) -> None:
        self._clock.advance(60)

    def close(self) -> None:
        self._host.stop(0.0)
        self._host.close()


def started_by(supervisor: int) -> int:
    """The worker of a supervisor, which says that it runs before it starts it."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for child in children_of(supervisor):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{child}/cmdline").read_bytes() == b"sleep\x00600\x00":
                    return child
        time.sleep(0.005)
    raise AssertionError("the supervisor started no worker")


KINDS: dict[str, Callable[[Path], Place]] = {"local": OnThisMachine, "left": LeftBehind, "rented": Rented}


@pytest.fixture(params=[*KINDS, "ssh"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A host that nobody has tended yet."""
    made = KINDS.get(request.param)
    found = made(tmp_path) if made else OverSsh(tmp_path, request.getfixturevalue("ssh_machine"))
    yield found
    found.close()


@pytest.fixture
def host(place: Place) -> WorkerHost:
    return place.host
