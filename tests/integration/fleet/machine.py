"""A whole machine on loopback: a real sshd whose logins have a home, a PATH and temporary files apart."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from job_watcher.rehearsal.vast.processes import carrying
from tests import warm
from tests.integration.sshd import SshServer


class LoopbackMachine(SshServer):
    """One machine. `home` is its user's home, `shims` come first in the PATH there.

    Its SFTP begins in another folder, as `Subsystem sftp internal-sftp -d /srv` makes it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.home, self.shims = self.folder / "home", self.folder / "shims"
        self.temporary = self.folder / "tmp"
        elsewhere = self.folder / "srv"
        for folder in (self.home, self.shims, self.temporary, elsewhere):
            folder.mkdir(mode=0o700)
        login = self.folder / "login"
        login.write_text(
            f"#!/bin/sh\nHOME={self.home} TMPDIR={self.temporary} PATH={self.shims}:$PATH\n"
            'export HOME TMPDIR PATH\ncd "$HOME" || exit 1\n'
            'if [ "$SSH_ORIGINAL_COMMAND" = internal-sftp ]; then\n'
            f"    exec /usr/lib/openssh/sftp-server -d {elsewhere}\nfi\n"
            'exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
        )
        login.chmod(0o700)
        self.extra = f"ForceCommand {login}\n"

    def shim(self, name: str, script: str) -> Path:
        """A program that is found before any other of that name."""
        path = self.shims / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        return path

    def voice_synth(self) -> Path:
        """The program of this checkout, as if it were installed there."""
        return self.shim("voice-synth", f'{warm.command_of("voice-synth")} "$@"')

    @property
    def is_on(self) -> bool:
        """Whether it takes connections."""
        return self._process is not None

    def start_if_off(self) -> None:
        """Switch it on."""
        if not self.is_on:
            self.start()

    def processes(self) -> list[int]:
        """What lives there but for sshd: processes whose HOME is this one's."""
        return carrying(f"HOME={self.home}".encode())

    def files(self) -> list[str]:
        """Every file of the home and of the temporary folder, but for what is installed there."""
        return sorted(
            str(path.relative_to(self.folder))
            for folder in (self.home, self.temporary)
            for path in folder.rglob("*")
            if path.is_file() and "bundles" not in path.parts
        )

    def remove(self) -> None:
        """End all that lives there, and take it away."""
        self.stop()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        super().remove()
