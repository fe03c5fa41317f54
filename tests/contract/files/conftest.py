"""The files that the suite runs on. Further ones are a class beside these and a line in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from job_watcher.simulation.files import MemoryFiles
from lib.errors import JobRunnerError
from lib.spool import Files, HostUnreachable, LocalFiles, SpoolUnusable
from lib.workers.ssh import Place, SftpFiles, SshMachine
from tests.integration.ssh_machines import nowhere, ssh_machine, ssh_thread, sshd

__all__ = ["ssh_machine", "ssh_thread", "sshd"]  # fixtures


class Machine(Protocol):
    """Files of a machine, and the same ones where they cannot be had."""

    @property
    def files(self) -> Files:
        """The adapter."""
        ...

    def out_of_reach(self) -> Files:
        """As it is when it raises `refusal` at every look."""
        ...

    @property
    def refusal(self) -> type[JobRunnerError]:
        """What the port raises then."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Here:
    refusal = SpoolUnusable

    def __init__(self, folder: Path) -> None:
        self.root = folder / "spool"
        self.files = LocalFiles(self.root)

    def out_of_reach(self) -> Files:
        loop = self.root.parent / "loop"
        loop.symlink_to(loop)  # refuses root, too
        return LocalFiles(loop)

    def close(self) -> None:
        self.files.close()


class InMemory:
    refusal = HostUnreachable

    def __init__(self, folder: Path) -> None:
        self.files = MemoryFiles()

    def out_of_reach(self) -> Files:
        def refuse() -> None:
            raise HostUnreachable("The machine does not answer.")

        return MemoryFiles(refuse)

    def close(self) -> None:
        pass


class OverSsh:
    refusal = HostUnreachable

    def __init__(self, folder: Path, machine: SshMachine, away: SshMachine) -> None:
        self._place = Place(str(folder / "spool"), str(folder / "run"))
        self._away = away
        self.files = SftpFiles(machine, self._place)

    def out_of_reach(self) -> Files:
        return SftpFiles(self._away, self._place)

    def close(self) -> None:
        self.files.close()


KINDS: dict[str, Callable[[Path], Machine]] = {"local": Here, "memory": InMemory}


@pytest.fixture(params=[*KINDS, "ssh"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """A machine whose files nobody has touched."""
    found = over_ssh(request, tmp_path) if request.param == "ssh" else KINDS[request.param](tmp_path)
    yield found
    found.close()


def over_ssh(request: pytest.FixtureRequest, folder: Path) -> Machine:
    """One of a real server, and one where nobody is at home."""
    server, thread = request.getfixturevalue("sshd"), request.getfixturevalue("ssh_thread")
    return OverSsh(folder, request.getfixturevalue("ssh_machine"), nowhere(server, thread))


@pytest.fixture
def files(machine: Machine) -> Files:
    return machine.files
