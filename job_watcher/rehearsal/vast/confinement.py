"""Whether this computer lets a machine of the fake be confined, and how its processes are started and ended.

Confined (Linux, as root, where namespaces are allowed): outside its folder no file can be written, all of its
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
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration

MARK: Final = "FAKE_VAST_MACHINE"
_SSHD: Final = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd", "/usr/bin/sshd")
_SFTP: Final = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)
_TRY_S: Final = 10.0
_ROUNDS: Final = 50
_ATTEMPT: Final = "mount -t proc proc /proc && mount --bind /etc /etc && mount -o remount,bind,ro /etc"
_ENTER: Final = ("nsenter", "--mount", "--pid", "--target")
_LESS: Final = (
    "setpriv",
    "--bounding-set",
    "-sys_admin,-sys_boot,-sys_module,-sys_time,-mknod,-net_admin",
    "--",
)


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
    """Whether namespaces can be made here. Asked once."""
    if os.geteuid() != 0 or not all(
        shutil.which(name) for name in ("unshare", "nsenter", "setpriv", "mount")
    ):
        return False
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ATTEMPT]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, timeout=_TRY_S, check=False).returncode == 0
    return False


def init_command(script: Path, folder: Path, confined: bool) -> list[str]:
    """What starts the first process of a machine."""
    words = ["/bin/bash", str(script), str(folder)]
    if not confined:
        return [*words, "plain"]
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", *words, "confined", *_LESS]


def inside(init: int | None, words: Sequence[str]) -> list[str]:
    """A command as it is started on a machine; `init` is the first process of a confined one."""
    return list(words) if init is None else [*_ENTER, str(init), "--", *_LESS, *words]


def marked(mark: str) -> list[int]:
    """The processes that carry a machine's mark."""
    wanted = f"{MARK}={mark}".encode()
    found = list[int]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
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
