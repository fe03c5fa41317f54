"""Real OpenSSH servers for tests: on loopback, as the user who runs the tests, stopped by fixtures."""

from __future__ import annotations

import contextlib
import functools
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.integration.servers import free_port

_START_WITHIN_S = 10.0
_BINARY = Path("/usr/sbin/sshd")


def need_sshd() -> None:
    """Skip the test where OpenSSH's server is not installed."""
    if not _BINARY.exists():
        pytest.skip("OpenSSH's server is not installed (apt-get install openssh-server)")


@functools.cache
def _made_key(kind: str) -> tuple[bytes, bytes]:
    """A private and a public key; the same for every server of a run, but for who asks for another kind."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "key"
        make_key(file, kind)
        return file.read_bytes(), file.with_suffix(".pub").read_bytes()


def make_key(file: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A new key pair at `file` and `file`.pub."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return file


class SshServer:
    """One sshd on a free loopback port. `key_file` is the private key that it lets in."""

    def __init__(self, extra: str = "") -> None:
        self.extra = extra  # further lines of its configuration
        self.folder = Path(tempfile.mkdtemp(prefix="jr-ssh-"))
        self.port = free_port()
        self.user = getpass.getuser()
        self.key_file = self.folder / "client"
        self.host_key = self.folder / "host"
        self._put_key(self.key_file, "ed25519")
        make_key(self.host_key)
        self._further_keys: list[Path] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """As SSH_MACHINES has it."""
        return f"{self.user}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return once it answers."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it splits its privileges
        config = self.folder / "config"
        keys = "".join(f"HostKey {key}\n" for key in [self.host_key, *self._further_keys])
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\n{keys}"
            f"AuthorizedKeysFile {self.key_file}.pub\nPidFile none\nUsePAM no\nStrictModes no\n"
            "PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "Subsystem sftp internal-sftp\nMaxStartups 100\nUseDNS no\n"
            f"{self.extra}"
        )
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [str(_BINARY), "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        give_up = time.monotonic() + _START_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < give_up, "sshd did not answer in time"
            time.sleep(0.005)

    def new_host_key(self, kind: str = "ed25519") -> None:
        """Another host key, from the next start on."""
        self.host_key.unlink()
        make_key(self.host_key, kind)

    def add_host_key(self, kind: str) -> Path:
        """A further host key, from the next start on."""
        self._further_keys.append(make_key(self.folder / f"host-{kind}", kind))
        return self._further_keys[-1]

    def connections(self) -> list[int]:
        """The processes that serve connections now."""
        return [] if self._process is None else children_of(self._process.pid)

    def cut(self) -> None:
        """End every connection as a broken line does; new ones are taken."""
        for pid in self.connections():
            for each in [*children_of(pid), pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL) if _is_sshd(each) else None

    def freeze(self, number: signal.Signals = signal.SIGSTOP) -> None:
        """Stop every process that serves a connection from doing anything (SIGCONT: go on)."""
        for pid in self.connections():
            for each in [pid, *children_of(pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, number) if _is_sshd(each) else None

    def stop(self) -> None:
        """Stop listening and end every connection. What was started over them lives on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)  # a connection that it took now would be nobody's
            _wait_until_stopped(self._process.pid)
            connections = self.connections()
            self._process.kill()
            self._process.wait()
            self._process = None
            for pid in connections:
                for each in [*children_of(pid), pid]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(each, signal.SIGKILL) if _is_sshd(each) else None

    def remove(self) -> None:
        """Stop it and take its folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _put_key(self, file: Path, kind: str) -> None:
        private, public = _made_key(kind)
        file.touch(mode=0o600)
        file.write_bytes(private)
        file.with_suffix(".pub").write_bytes(public)

    def _answers(self) -> bool:
        with socket.socket() as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(("127.0.0.1", self.port))
                return connection.recv(4) == b"SSH-"
            except OSError:
                return False


def children_of(pid: int) -> list[int]:
    """The processes that `pid` started and that live."""
    found = list[int]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = _stat(int(entry.name))
                if int(fields[1]) == pid and fields[0] not in "ZX":
                    found.append(int(entry.name))
    return found


def _wait_until_stopped(pid: int) -> None:
    """Return when a stopped process does nothing more, or has ended."""
    with contextlib.suppress(OSError, IndexError):
        while _stat(pid)[0] not in "TZX":
            time.sleep(0.001)


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process, from its state on."""
    return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _is_sshd(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "comm").read_text().strip().startswith("sshd")
    return False
