"""Machines over SSH, watchers over them, and eyes on all."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.jobqueue import connect
from tests import warm
from tests.integration.fleet.machine import LoopbackMachine
from tests.integration.servers import Server
from tests.integration.sshd import need_sshd
from tests.integration.watcher.conftest import Deployment
from tests.warm.process import WarmProcess


class FleetDeployment(Deployment):
    """A queue and machines; watchers with a data folder each."""

    machines: tuple[LoopbackMachine, ...] = ()

    def settings(self, **more: str) -> dict[str, str]:
        """What PROVIDER=ssh needs."""
        first = self.machines[0]
        return {
            "PROVIDER": "ssh",
            "SSH_MACHINES": ",".join(f"{machine.address}*1" for machine in self.machines),
            "SSH_KEY_FILE": str(first.key_file),
            "SSH_KNOWN_HOSTS": str(self.data / "known_hosts"),
            "SSH_VOICE_SYNTH": str(first.voice_synth()),
            "STORAGE_URL": f"file://{self.data / 'storage'}",
            "WATCHER_DRAIN_SECONDS": "30",
            "JOBS_DEBUG": "1",
            **more,
        }

    def start(self, name: str = "first", **more: str) -> WarmProcess:
        """`job-watcher run` over the machines, in a data folder of that name."""
        folder = self.data / name
        folder.mkdir(parents=True, exist_ok=True)
        return self.start_watcher(**self.settings(JOBS_DATA_DIR=str(folder), **more))

    def command(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command of `job-watcher`."""
        environ = {**os.environ, "REDIS_URL": self.url, "JOBS_DATA_DIR": str(self.data / "desk")}
        argv, call = ["job-watcher", *words], warm.CALLS["job-watcher"]
        environ |= {**self.settings(), **more}
        return warm.run(argv, call, cwd=Path.cwd(), environ=environ, timeout_s=60)

    def wait_for(self, what: str, condition: Callable[[], object]) -> None:
        """As for any deployment; a watcher that ended by itself is told at once."""

        def holds() -> object:
            ended = [process for process in self.processes if process.poll() not in (None, 0, -9)]
            assert not ended, self.log()
            return condition()

        super().wait_for(what, holds)

    def listed(self) -> dict[str, Any]:
        """`machines --json`."""
        found: dict[str, Any] = json.loads(self.command("machines", "--json").stdout)
        return found

    def stages(self) -> list[str]:
        """How the machines are, from the registry."""
        data = [watcher.data for watcher in self.queue.watchers() if watcher.live]
        return [str(each["stage"]) for found in data for each in found.get("fleet", ())]

    def log(self) -> str:
        """What all watchers said."""
        return (self.data / "watcher.log").read_text()


@pytest.fixture
def machine() -> Iterator[LoopbackMachine]:
    """One machine that is on."""
    need_sshd()
    made = LoopbackMachine()
    made.start()
    yield made
    made.remove()


@pytest.fixture
def second_machine() -> Iterator[LoopbackMachine]:
    """Another one."""
    need_sshd()
    made = LoopbackMachine()
    made.start()
    yield made
    made.remove()


@pytest.fixture
def fleet(own_server: Server, tmp_path: Path, machine: LoopbackMachine) -> Iterator[FleetDeployment]:
    """A queue and one machine."""
    queue = connect(own_server.url)
    deployed = FleetDeployment(queue, own_server.url, tmp_path / "data", lease_ms=6000)
    deployed.data.mkdir()
    deployed.machines = (machine,)
    yield deployed
    deployed.end()
    queue.close()


@pytest.fixture
def pair(fleet: FleetDeployment, second_machine: LoopbackMachine) -> FleetDeployment:
    """The same with two machines."""
    fleet.machines = (*fleet.machines, second_machine)
    return fleet
