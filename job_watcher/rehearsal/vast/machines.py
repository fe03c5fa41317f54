"""The machines of the fake Vast: each a real SSH server in a folder of its own, which runs its `onstart`."""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final

from job_watcher.rehearsal.vast import confinement
from job_watcher.rehearsal.vast.doors import Door
from job_watcher.rehearsal.vast.secret_search import places_of

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_END_S: Final = 5.0
_COMMAND_S: Final = 10.0
_LOG_BYTES: Final = 1 << 20
_BANNER: Final = (
    "Welcome to vast.ai. If authentication fails, try again after a few seconds, "
    "and double check your ssh key.\nHave fun!\n"
)


@dataclass(frozen=True, slots=True)
class MachineOrder:
    """What a machine is made of. `environment` is what onstart sees; sessions over SSH do not, as on Vast.

    `programs` are those of its image that are found by their names.
    """

    folder: Path
    onstart: str
    environment: Mapping[str, str]
    gpu: Mapping[str, str] = field(default_factory=dict)
    programs: Sequence[Path] = ()


class RehearsalMachine:
    """One machine. Its ports are its own from the start; they answer while it runs and its doors are open.

    `keys` says which SSH keys Vast has for it. `confined` None: where this computer can (see `confinement`).

    Threads: whoever holds the lock of the fake; `wait_until_ready` any.
    Raises: OSError where this computer has no room, ports or processes left.
    """

    def __init__(
        self, order: MachineOrder, keys: Callable[[], Sequence[str]], *, confined: bool | None = None
    ) -> None:
        self._order = order
        self._keys = keys
        self._sshd, self._sftp = confinement.programs()
        self.mark = secrets.token_hex(16)
        self.is_confined = confinement.can_confine() if confined is None else confined
        self.folder = order.folder
        self.home = order.folder / "home"
        self._init: subprocess.Popen[bytes] | None = None
        self._lay_out()
        self._doors = (Door(self._serve), Door(self._serve))

    @property
    def ports(self) -> tuple[int, int]:
        """Of the direct way and of the proxy's."""
        return self._doors[0].port, self._doors[1].port

    @property
    def host_key(self) -> str:
        """Its public host key, as known_hosts has it."""
        return " ".join((self.folder / "ssh/ssh_host_ed25519_key.pub").read_text().split()[:2])

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self._init is not None and self._init.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it has booted so far that connections are served."""
        return self.is_running and self.folder.joinpath("ready").exists()

    @property
    def open_doors(self) -> tuple[bool, bool]:
        """Which of its ports take connections now: direct, proxy."""
        return self._doors[0].is_open, self._doors[1].is_open

    def start(self) -> None:
        """Boot: run onstart. Returns at once."""
        self.stop()
        self.folder.joinpath("ready").unlink(missing_ok=True)
        command = confinement.init_command(self.folder, self.is_confined)
        if not self.is_confined and os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as its own service does: it needs one
        with self.folder.joinpath("log").open("ab") as log:
            self._init = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment(),
                start_new_session=True,
            )

    def stop(self) -> None:
        """End all of its processes and connections; its files stay."""
        if self._init is None:
            return
        assert self._init.stdin is not None
        if not self.is_confined:
            self._init.kill()  # it would look for the others itself, and slower
        with contextlib.suppress(OSError):
            self._init.stdin.close()  # its first process ends then, and every other with it
        try:
            self._init.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._init.kill()
            self._init.wait()
        confinement.end_marked(self.mark)
        self._init = None
        self.cut()

    def remove(self) -> threading.Thread:
        """End it for good; its folder is taken away meanwhile. Returns who does that."""
        self.stop()
        for door in self._doors:
            door.close()
        thread = threading.Thread(
            target=shutil.rmtree, args=(self.folder,), kwargs={"ignore_errors": True}, name="removal"
        )
        thread.start()
        return thread

    def wipe(self) -> None:
        """Forget everything on its disk."""
        shutil.rmtree(self.home, ignore_errors=True)
        self._lay_out()

    def set_doors(self, direct: bool, proxy: bool) -> None:
        """Which of its ports take connections, as soon as it has booted so far that they are served."""
        for door, is_open in zip(self._doors, (direct, proxy), strict=True):
            door.set_open(is_open and (door.is_open or self.is_ready))

    def cut(self) -> None:
        """Break every connection."""
        for door in self._doors:
            door.cut()

    def refresh_keys(self) -> None:
        """Write authorized_keys anew: what else stood there is gone."""
        file = self.home / ".ssh/authorized_keys"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.write_text("".join(f"{key}\n" for key in self._keys()))

    def lose_keys(self) -> None:
        """Let nobody in any more, until keys are written again."""
        (self.home / ".ssh/authorized_keys").write_text("")

    def add_key(self, key: str) -> None:
        """Let one more in."""
        with (self.home / ".ssh/authorized_keys").open("a") as file:
            file.write(f"{key}\n")

    def lose_gpu(self) -> None:
        """Have nvidia-smi fail from now on."""
        self.folder.joinpath("gpu_gone").touch()

    def log(self) -> str:
        """What its container has said: what onstart wrote."""
        return self.folder.joinpath("log").read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace")

    def processes(self) -> list[int]:
        """Those that run on it: all of them where it is confined, else those that carry its mark."""
        if self.is_confined and self.is_ready:
            return confinement.companions(int(self.folder.joinpath("ready").read_text()))
        return confinement.marked(self.mark)

    def find(self, secret: str) -> list[str]:
        """Where on it these characters stand, in files and in what its processes were started with."""
        return places_of(secret, self.folder, self.processes())

    def execute(self, words: Sequence[str]) -> str:
        """Run a program at its home and return what it says."""
        init = self._init_pid()
        done = subprocess.run(
            confinement.inside(init, ["/usr/bin/env", "-C", str(self.home), *words]),
            env=self._base_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_COMMAND_S,
            check=False,
        )
        return (done.stdout + done.stderr).decode("utf-8", "replace")

    def _serve(self, connection: socket.socket) -> subprocess.Popen[bytes]:
        """A server for one connection. Raises OSError while the machine does not run."""
        init = self._init_pid()
        if not self.is_running:
            raise ConnectionRefusedError
        words = [self._sshd, "-i", "-e", "-f", str(self.folder / "sshd_config")]
        with self.folder.joinpath("sshd.log").open("ab") as log:
            return subprocess.Popen(
                confinement.inside(init, words),
                stdin=connection.fileno(),
                stdout=connection.fileno(),
                stderr=log,
                env=self._base_environment(),
                start_new_session=True,
            )

    def _init_pid(self) -> int | None:
        """The first process of a confined machine. Raises OSError before there is one."""
        pid = self.folder.joinpath("ready").read_text()
        return int(pid) if self.is_confined else None

    def _base_environment(self) -> dict[str, str]:
        """What every process of the machine has, and nothing of who runs the rehearsal."""
        return {
            "HOME": str(self.home),
            "TMPDIR": str(self.folder / "tmp"),
            "PATH": f"{self.folder / 'bin'}:{_PATH}",
            "LANG": "C.UTF-8",
            confinement.MARK: self.mark,
            "FAKE_VAST_SFTP": self._sftp,
        }

    def _environment(self) -> dict[str, str]:
        """What the container has: its first process and onstart, and no session over SSH."""
        values = {name: value for name, value in self._order.environment.items() if _NAME.fullmatch(name)}
        keys = "/etc/ssh" if self.is_confined else str(self.folder / "ssh")
        return values | self._base_environment() | {"SSH_HOST_KEY_DIR": keys}

    def _lay_out(self) -> None:
        """The folder of a machine that has not run yet."""
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        for name in ("home", "tmp", "bin", "shm", "ssh"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        host_key = self.folder / "ssh/ssh_host_ed25519_key"
        if not host_key.exists():
            command = [
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                "root@machine",
                "-f",
                str(host_key),
            ]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        self._write("environment", confinement.environment_lines(self._environment()))
        self._write("onstart", self._order.onstart)
        self._write("banner", _BANNER)
        self._write("sshd_config", self._sshd_config())
        self._write("bin/session", f"#!/bin/sh\n{_script('session.sh')}", mode=0o700)
        self._write("bin/nvidia-smi", f"#!/bin/sh\n{self._gpu_lines()}{_script('nvidia_smi.sh')}", mode=0o700)
        self._write("passwd", self._users())
        self._write("shadow", "".join(f"{row.pw_name}:*:19000:0:99999:7:::\n" for row in pwd.getpwall()))
        for name, target in [("python3", Path(os.path.realpath(sys.executable))), *self._programs()]:
            link = self.folder / "bin" / name
            link.unlink(missing_ok=True)
            link.symlink_to(target)
        self.folder.joinpath("log").touch()
        self.refresh_keys()

    def _programs(self) -> list[tuple[str, Path]]:
        return [(path.name, path) for path in self._order.programs]

    def _write(self, name: str, text: str, mode: int = 0o600) -> None:
        file = self.folder / name
        file.write_text(text)
        file.chmod(mode)

    def _gpu_lines(self) -> str:
        values = {**self._order.gpu, "FAKE_GONE": str(self.folder / "gpu_gone")}
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())

    def _users(self) -> str:
        """The computer's users, our own at home in the folder."""
        mine = getpass.getuser()
        return "".join(
            f"{row.pw_name}:x:{row.pw_uid}:{row.pw_gid}::"
            f"{self.home if row.pw_name == mine else row.pw_dir}:"
            f"{'/bin/bash' if row.pw_name == mine else row.pw_shell}\n"
            for row in pwd.getpwall()
        )

    def _sshd_config(self) -> str:
        folder = str(self.folder).replace("%", "%%")
        session = " ".join(f'"{name}={value}"' for name, value in self._base_environment().items())
        return (
            f'HostKey "{folder}/ssh/ssh_host_ed25519_key"\n'
            f'AuthorizedKeysFile "{folder}/home/.ssh/authorized_keys"\n'
            f'Banner "{self.folder}/banner"\n'
            f'ForceCommand "{self.folder}/bin/session"\n'
            f"SetEnv {session}\n"
            f"Subsystem sftp {self._sftp}\n"
            "PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nUseDNS no\nPrintMotd no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintLastLog no\n"
        )


def _script(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
