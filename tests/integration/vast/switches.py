"""The dead-man switch run on this computer, in a home of its own, against the fake Vast."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from job_watcher.rehearsal.vast.processes import carrying
from lib.providers.rental import BootPlan
from lib.providers.vast.onstart import ENDING_FILE, LEASE_FILE, onstart

PUBLIC_KEY: Final = "ssh-ed25519 " + "A" * 68 + " machine"
NONCE: Final = "nonce-12345"
DAY_S: Final = 86_400
#: What a machine has beside its shell and what it asks Vast with.
_TOOLS: Final = tuple(
    ["cat", "chmod", "date", "grep", "mkdir", "mv", "rm", "sed", "setsid", "sleep", "timeout", "touch", "tr"]
)
_PATIENCE_S: Final = 20.0


def wait_for(what: Callable[[], bool], patience_s: float = _PATIENCE_S) -> bool:
    """Whether it becomes so in time."""
    end = time.monotonic() + patience_s
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def shell(name: str) -> list[str]:
    """The words that run a script by that shell; the test is left out where it is not installed."""
    words = ["busybox", "sh"] if name == "busybox" else [name]
    program = shutil.which(words[0])
    if program is None:
        pytest.skip(f"{words[0]} is not installed")
    return [program, *words[1:]]


@dataclass
class Switch:
    """One machine's home, programs and clock; `programs` are those that it can ask Vast with."""

    folder: Path
    url: str
    instance: int
    key: str
    shell: Sequence[str]
    programs: Sequence[str] = ("curl",)

    def __post_init__(self) -> None:
        self.home, self.bin = self.folder / "home", self.folder / "bin"
        self.uptime = self.folder / "uptime"
        self.home.mkdir()
        self.bin.mkdir()
        for name in (*_TOOLS, *self.programs):
            found = shutil.which(name)
            assert found is not None, name
            self.bin.joinpath(name).symlink_to(os.path.realpath(found))
        self._write("sh", f'#!/bin/sh\nexec {" ".join(self.shell)} "$@"\n')
        self._looks = self.folder / "looks"  # a byte for each that it decided to stay at: then it lets us in
        self._looks.touch()
        self.write_program("grep", f'#!/bin/sh\necho >>{self._looks}\nexec {shutil.which("grep")} "$@"\n')
        self.set_uptime(1000.0)

    def start(
        self,
        *,
        lease_s: int = 60,
        nobody_s: int = 60,
        ends_in_s: float = DAY_S,
    ) -> None:
        """Run onstart, as Vast does when the machine is up."""
        plan = BootPlan(PUBLIC_KEY, NONCE, lease_s=lease_s, nobody_s=nobody_s)
        now = time.time()
        script = self.folder / "onstart"
        script.write_text(onstart(plan, url=self.url, now=now, expires_at=now + ends_in_s))
        with self.folder.joinpath("log").open("ab") as log:
            subprocess.run(
                [*self.shell, str(script)],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
                timeout=_PATIENCE_S,
            )
        assert wait_for(lambda: self.home.joinpath(".job-runner/born").exists())

    def set_uptime(self, seconds: float) -> None:
        """Move its clock of how long its host is up."""
        new = self.uptime.with_suffix(".new")
        new.write_text(f"{seconds:.2f} 4711.11\n")
        new.replace(self.uptime)

    def renew(self, text: str) -> None:
        """Write something new into the lease."""
        self.home.joinpath(LEASE_FILE).write_text(text)

    def stays(self) -> bool:
        """Whether it means to stay after two looks more, of which the second began after this call."""
        enough = self._looks.stat().st_size + 2
        wait_for(lambda: bool(self.ending) or self._looks.stat().st_size >= enough)
        return not self.ending and self._looks.stat().st_size >= enough

    @property
    def ending(self) -> str:
        """Why it ends itself; "" while it does not."""
        with contextlib.suppress(FileNotFoundError):
            return self.home.joinpath(ENDING_FILE).read_text().strip()
        return ""

    def processes(self) -> dict[int, str]:
        """Its processes with their command lines, known by the home in their environment."""
        found = {}
        for pid in carrying(f"HOME={self.home}".encode()):
            with contextlib.suppress(OSError):
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def signal(self, number: signal.Signals, of: str = "") -> None:
        """Send a signal to each process whose command line has these words."""
        for pid, words in self.processes().items():
            if of in words:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def close(self) -> None:
        """End everything of it."""
        while self.processes():
            self.signal(signal.SIGKILL)
            time.sleep(0.02)

    def write_program(self, name: str, text: str) -> None:
        """Put a script in the place of one of its programs."""
        self.bin.joinpath(name).unlink(missing_ok=True)
        self._write(name, text)

    def _write(self, name: str, text: str) -> None:
        file = self.bin / name
        file.write_text(text)
        file.chmod(0o755)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": str(self.bin),
            "CONTAINER_ID": str(self.instance),
            "CONTAINER_API_KEY": self.key,
            "DEAD_MAN_UPTIME": str(self.uptime),
        }
