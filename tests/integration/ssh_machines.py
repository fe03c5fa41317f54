"""Machines of real SSH servers. A conftest imports the fixtures that it gives away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.workers.ssh import KnownHosts, SshAddress, SshMachine, SshOptions, SshThread
from tests.integration.servers import free_port
from tests.integration.sshd import SshServer, need_sshd


@pytest.fixture(scope="session")
def sshd() -> Iterator[SshServer]:
    """One server for all tests that do not harm it."""
    need_sshd()
    server = SshServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def own_sshd() -> Iterator[SshServer]:
    """A server of the test's own, to be stopped, frozen and started again."""
    need_sshd()
    server = SshServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def ssh_thread() -> Iterator[SshThread]:
    """The thread of all connections of a run."""
    with SshThread() as thread:
        yield thread


@pytest.fixture(scope="session")
def ssh_machine(sshd: SshServer, ssh_thread: SshThread) -> Iterator[SshMachine]:
    """The machine of the shared server, its connection kept between tests."""
    machine = machine_of(sshd, ssh_thread)
    yield machine
    machine.close()


def machine_of(server: SshServer, thread: SshThread, options: SshOptions | None = None) -> SshMachine:
    """A new connection to a server, known by what its folder says."""
    return SshMachine(
        thread,
        SshAddress.read(server.address),
        key_file=server.key_file,
        known_hosts=KnownHosts(server.folder / "known_hosts"),
        options=options or SshOptions(),
    )


def nowhere(server: SshServer, thread: SshThread) -> SshMachine:
    """A machine that nobody is at home on."""
    return SshMachine(
        thread,
        SshAddress.read(f"{server.user}@127.0.0.1:{free_port()}"),
        key_file=server.key_file,
        known_hosts=KnownHosts(server.folder / "known_hosts"),
    )
