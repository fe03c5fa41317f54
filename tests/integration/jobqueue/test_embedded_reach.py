"""The embedded server is found from everywhere, and nothing is said to what only looks like it."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib.clock import ManualClock
from lib.errors import BadConfiguration, Unavailable
from lib.jobqueue import connect
from lib.redislink.embedded import EmbeddedServer, is_embedded
from tests.contract.jobqueue.jobs import job
from tests.integration.jobqueue.test_embedded import gone


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jr-") as folder:
        yield Path(folder)


@pytest.fixture
def server(short: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(short / "data", short / "run")
    yield server
    server.stop()


def test_it_is_adopted_where_the_runtime_folder_is_another(server: EmbeddedServer, short: Path) -> None:
    url = server.ensure()

    in_cron = EmbeddedServer(short / "data", short / "cron")
    assert in_cron.running()
    assert in_cron.ensure() == url
    assert in_cron.pid() == server.pid()


def test_once_stopped_it_starts_in_the_runtime_folder_of_whoever_starts_it(
    server: EmbeddedServer, short: Path
) -> None:
    server.ensure()
    server.stop()

    assert EmbeddedServer(short / "data", short / "cron").ensure().startswith(f"unix://{short}/cron/")
    assert server.running()


def test_a_copy_of_a_data_folder_gets_a_server_of_its_own(server: EmbeddedServer, short: Path) -> None:
    server.ensure()
    shutil.copytree(short / "data", short / "copy")
    copy = EmbeddedServer(short / "copy", short / "run")
    try:
        assert copy.socket_path != server.socket_path
        assert not copy.running()
        copy.ensure()
        assert copy.pid() != server.pid()
    finally:
        copy.stop()


class TestWhenItsSocketIsGone:
    @pytest.fixture
    def lost(self, server: EmbeddedServer) -> int:
        with closing(connect(server.ensure())) as queue:
            queue.enqueue([job("a")])
        pid = server.pid()
        assert pid is not None
        shutil.rmtree(server.socket_path.parent)  # as logind does at logout
        return pid

    def test_the_sentence_names_its_process_and_how_to_end_it(self, lost: int, short: Path) -> None:
        other = EmbeddedServer(short / "data", short / "cron", clock=ManualClock())

        with pytest.raises(Unavailable, match=rf"process {lost}\) runs, but nothing .*job-runner down"):
            other.ensure()

    def test_stop_ends_it_and_nothing_is_lost(self, lost: int, short: Path) -> None:
        other = EmbeddedServer(short / "data", short / "cron")

        assert other.stop()
        assert gone(lost)
        with closing(connect(other.ensure())) as queue:
            assert queue.snapshot().waiting == 1


@pytest.fixture
def held(short: Path) -> Iterator[Path]:
    """The data folder's own part, its lock held as if a server ran."""
    folder = short / "data" / "redis"
    folder.mkdir(parents=True)
    lock = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    yield folder
    os.close(lock)


def test_stop_signals_no_process_that_has_not_our_lock(held: Path, short: Path) -> None:
    innocent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (held / "server.pid").write_text(str(innocent.pid))
    try:
        with pytest.raises(Unavailable, match="did not end"):
            EmbeddedServer(short / "data", short / "run", clock=ManualClock()).stop()
        assert innocent.poll() is None
    finally:
        innocent.send_signal(signal.SIGKILL)
        innocent.communicate()


class TestAPlantedSocket:
    @pytest.fixture
    def listener(self, short: Path) -> Iterator[socket.socket]:
        """What somebody put where the server's socket will be."""
        path = EmbeddedServer(short / "data", short / "run").socket_path
        path.parent.mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            path.chmod(0o600)
            listener.listen()
            listener.setblocking(False)
            yield listener

    @pytest.mark.parametrize("loose", ["run", "socket"])
    def test_that_others_may_use_is_not_asked(
        self, held: Path, listener: socket.socket, short: Path, loose: str
    ) -> None:
        server = EmbeddedServer(short / "data", short / "run")
        (server.socket_path if loose == "socket" else short / "run").chmod(0o777)

        with pytest.raises(BadConfiguration, match=r"others may write|only you may use"):
            server.ensure()
        with pytest.raises(BlockingIOError):
            listener.accept()

    def test_of_another_user_is_not_asked(
        self, held: Path, listener: socket.socket, short: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        somebody_else = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: somebody_else)

        with pytest.raises(BadConfiguration, match="belongs to another user"):
            EmbeddedServer(short / "data", short / "run").running()
        with pytest.raises(BlockingIOError):
            listener.accept()

    def test_is_not_asked_while_no_server_of_ours_runs(self, listener: socket.socket, short: Path) -> None:
        assert not EmbeddedServer(short / "data", short / "run").running()
        with pytest.raises(BlockingIOError):
            listener.accept()


class TestDuringACommand:
    def test_that_it_stopped_is_said_without_a_word_about_redis_url(self, server: EmbeddedServer) -> None:
        with closing(connect(server.ensure(), patience_s=0.1)) as queue:
            server.stop()

            with pytest.raises(Unavailable, match="the embedded server stopped; run the same") as caught:
                queue.snapshot()
            assert "REDIS_URL" not in str(caught.value)

    def test_only_its_own_addresses_are_taken_for_it(self, server: EmbeddedServer) -> None:
        assert is_embedded(server.url)
        assert not is_embedded("unix:///run/valkey/valkey.sock")
        assert not is_embedded("redis://127.0.0.1:6379/0")
