"""A machine over SSH as the provider needs it, touched only while this watcher leads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job_watcher.providers.over_ssh.ports import MachineOut
from job_watcher.provisioning.ports import NotLeading
from lib.units import MIB
from lib.workers import WorkerHost
from lib.workers.ssh import CommandResult

if TYPE_CHECKING:
    from lib.workers.ssh import SshHost, SshMachine

log = logging.getLogger(__name__)

_PIECE = MIB
_PIECE_S = 60.0  # for one piece of an upload
_SURPLUS_GRACE_S = 5.0
_MOST_SURPLUS = 100
WORKERS = ".local/share/job-runner/workers"  # below the machine's home, a folder for each queue and worker


class RemoteMachine:
    """`MachineLink` over `SshMachine`. `make_host` makes worker number N with a program, below a home; `mark`
    tells our queue's workers there from those of others.

    Threads: as `MachineLink`.
    Raises: as `MachineLink`, and NotLeading when another watcher leads.
    """

    def __init__(
        self,
        machine: SshMachine,
        make_host: Callable[[SshMachine, int, str, str], SshHost],
        leads: Callable[[], bool],
        *,
        mark: str = "",
    ) -> None:
        self.name, self._mark = machine.name, mark
        self._machine, self._make_host, self._leads = machine, make_host, leads
        self._hosts: dict[tuple[int, str, str], SshHost] = {}

    def connect(self) -> None:
        """Be connected, by a try of its own: what an earlier one ended with may be mended by now."""
        self._check()
        self._machine.connect()
        self.run(("true",), timeout_s=15.0)

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, most: int = MIB
    ) -> CommandResult:
        """Run a command there."""
        self._check()
        return self._machine.run(argv, input=stdin, timeout_s=timeout_s, most=most)

    def try_files(self, home: str) -> None:
        """Look at the home folder as files are exchanged: it is the shell's, wherever SFTP begins."""
        self._check()
        if not self._machine.with_sftp(lambda sftp: _is_folder(sftp, home), _PIECE_S):
            raise MachineOut(
                "files",
                f"{self.name} shows other files over SFTP than its shell has: there is no folder {home}. Let "
                "its SSH server give both the same view (Subsystem sftp, ChrootDirectory and ForceCommand in "
                "its sshd_config).",
            )

    def upload(self, local: Path, remote: str) -> None:
        """Bring a file piece by piece to the path `remote`, going on where a try was cut."""
        part, size = f"{remote}.part", local.stat().st_size
        done = min(self._size(part), size)
        with local.open("rb") as opened:
            opened.seek(done)
            while piece := opened.read(_PIECE):
                self._put(part, piece, done)
                done += len(piece)
        self._check()
        self._machine.with_sftp(lambda sftp: _move(sftp, part, remote), _PIECE_S)

    def hosts(self, count: int, program: str, home: str) -> list[WorkerHost]:
        """Its workers. The same ones each time, as long as the program and the home are the same."""
        return [*self._workers(count, program, home)]

    def begin_workers(self, count: int, program: str, home: str) -> list[str]:
        """Start them, one beside the other."""
        self._check()
        workers = self._workers(count, program, home)
        for worker in workers:
            worker.begin()
        return [worker.folder for worker in workers]

    def _workers(self, count: int, program: str, home: str) -> list[SshHost]:
        found: list[SshHost] = []
        for number in range(1, count + 1):
            key = (number, program, home)
            if key not in self._hosts:
                self._hosts[key] = self._make_host(self._machine, *key)
            found.append(self._hosts[key])
        return found

    def end_surplus(self, count: int, home: str) -> None:
        """End workers that an earlier setting wanted and this one does not: nobody would mind them."""
        self._check()
        folder, prefix = f"{home}/{WORKERS}", f"{self._mark}-"
        names = self._machine.with_sftp(lambda sftp: _minded_in(sftp, folder, prefix), _PIECE_S)
        for number in sorted(int(name.removeprefix(prefix)) for name in names):
            if number <= count:
                continue
            log.info("%s has a worker %d that is not wanted any more; it ends", self.name, number)
            host = self._make_host(self._machine, number, "", home)
            try:
                host.stop(_SURPLUS_GRACE_S)
            finally:
                host.close()

    def close(self) -> None:
        """End the connection and what would make it anew. Workers go on."""
        for host in tuple(self._hosts.values()):
            host.close()
        self._machine.close()

    def _size(self, path: str) -> int:
        self._check()
        return int(self._machine.with_sftp(lambda sftp: _size_of(sftp, path), _PIECE_S))

    def _put(self, path: str, piece: bytes, offset: int) -> None:
        self._check()
        self._machine.with_sftp(lambda sftp: _write_at(sftp, path, piece, offset), _PIECE_S)

    def _check(self) -> None:
        if not self._leads():
            raise NotLeading("This watcher does not lead any more: its machines are another one's.")


async def _minded_in(sftp: Any, folder: str, prefix: str) -> list[str]:
    """The folders of numbered workers in `folder` that were started and not buried."""
    from lib.workers.ssh.sftp import names_in, standing

    names = [name for name in await names_in(sftp, folder) if _numbered(name, prefix)][:_MOST_SURPLUS]
    kept = await standing(sftp, folder, [f"{name}/run/work" for name in names])
    return [path.partition("/")[0] for path in kept]


def _numbered(name: str, prefix: str) -> bool:
    number = name.removeprefix(prefix)
    return name.startswith(prefix) and number.isascii() and number.isdecimal() and len(number) < 6


async def _size_of(sftp: Any, path: str) -> int:
    """The size of a file; 0 where there is none."""
    if not await sftp.isfile(path):
        return 0
    return int(await sftp.getsize(path) or 0)


async def _is_folder(sftp: Any, path: str) -> bool:
    return bool(await sftp.isdir(path))


async def _write_at(sftp: Any, path: str, piece: bytes, offset: int) -> None:
    mode = "r+b" if offset or await sftp.isfile(path) else "wb"
    async with sftp.open(path, mode) as opened:
        await opened.write(piece, offset)


async def _move(sftp: Any, source: str, target: str) -> None:
    await sftp.posix_rename(source, target)


def worker_folder(home: str, queue: str, number: int) -> str:
    """Where a worker of a queue is kept on a machine: queues on one machine stay apart.

    The path is absolute, because SFTP may begin in another folder than the shell.
    """
    return f"{home}/{WORKERS}/{queue}-{number}"
