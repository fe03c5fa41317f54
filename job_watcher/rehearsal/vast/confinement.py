"""Whether this computer lets a machine of the fake be confined, and how its processes are started and ended.

Confined (Linux, where namespaces are allowed): outside its folder no file can be written, all of its
processes end together, and the clock, the network and the computer itself are not its to change. That is a
net under scripts that err, not a wall against ones that mean harm.

Plain: its home, its temporary files and what it finds first are its own, and its processes are told by a mark
in their environment.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from job_watcher.rehearsal.vast.processes import carrying
from lib.errors import BadConfiguration

MARK: Final = "FAKE_VAST_MACHINE"
_SSHD: Final = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd", "/usr/bin/sshd")
_SFTP: Final = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)
_INIT: Final = Path(str(files(__package__).joinpath("init.sh")))
_WALLS: Final = _INIT.with_name("walls.sh")
_TRY_S: Final = 10.0
_ROUNDS: Final = 50
_TOOLS: Final = ("unshare", "nsenter", "setpriv", "mount")
#: What a program that root runs on a machine may not do to the computer.
_LESS: Final = "-sys_admin,-sys_boot,-sys_module,-sys_time,-mknod,-net_admin"


def programs(sshd_at: Sequence[str] = _SSHD, sftp_at: Sequence[str] = _SFTP) -> tuple[str, str]:
    """Where sshd and its sftp-server are.

    Raises:
        BadConfiguration: one is not installed.
    """
    sshd, sftp = _first(sshd_at), _first(sftp_at)
    if sshd is None or sftp is None or shutil.which("ssh-keygen") is None:
        raise BadConfiguration(
            "A rehearsal's machines are real SSH servers, and OpenSSH's server is not installed here. "
            "Install it (Debian and Ubuntu: apt install openssh-server; it need not be started)"
        )
    return sshd, sftp


def _first(places: Sequence[str]) -> str | None:
    return next((place for place in places if os.access(place, os.X_OK)), None)


@functools.cache
def can_confine() -> bool:
    """Whether the walls stand here: they are put up once, around an empty folder."""
    if not all(shutil.which(name) for name in _TOOLS):
        return False
    with (
        tempfile.TemporaryDirectory(prefix="jr-walls-") as name,
        contextlib.suppress(OSError, subprocess.TimeoutExpired),
    ):
        folder = Path(name)
        for each in ("shm", "ssh"):
            (folder / each).mkdir()
        for each in ("passwd", "shadow"):
            (folder / each).touch()
        command = [*_unshare(), "/bin/bash", str(_WALLS), name]
        return subprocess.run(command, capture_output=True, timeout=_TRY_S, check=False).returncode == 0
    return False


def _unshare() -> list[str]:
    """Starts a program in namespaces of its own; an ordinary user needs one of users too."""
    own_users = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    return ["unshare", *own_users, "--mount", "--pid", "--fork", "--kill-child"]


def init_command(folder: Path, confined: bool) -> list[str]:
    """What starts the first process of a machine."""
    words = ["/bin/bash", str(_INIT), str(folder)]
    if not confined:
        return [*words, "plain"]
    no_more = ["--ambient-caps", "-all", "--inh-caps", "-all"]
    less = ["--bounding-set", _LESS] if os.geteuid() == 0 else no_more
    return [*_unshare(), *words, str(_WALLS), "setpriv", *less, "--"]


def inside(init: int | None, words: Sequence[str]) -> list[str]:
    """A command as it is started on a machine; `init` is the first process of a confined one."""
    if init is None:
        return list(words)
    into = ["--mount", "--pid", "--target", str(init), "--"]
    if os.geteuid() != 0:
        return ["nsenter", "--user", "--preserve-credentials", *into, *words]
    return ["nsenter", *into, "setpriv", "--bounding-set", _LESS, "--", *words]


def marked(mark: str) -> list[int]:
    """The processes that carry a machine's mark."""
    return carrying(f"{MARK}={mark}".encode())


def companions(init: int) -> list[int]:
    """Every process of a confined machine, by the first one."""
    try:
        space = os.readlink(f"/proc/{init}/ns/pid")
    except OSError:
        return []
    found = list[int]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if os.readlink(entry / "ns/pid") == space:
                    found.append(int(entry.name))
    return found


def end_marked(mark: str) -> None:
    """End every process of a machine, until there is none."""
    for _ in range(_ROUNDS):
        left = marked(mark)
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def environment_lines(values: Mapping[str, str]) -> str:
    """An environment as a shell reads it."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
