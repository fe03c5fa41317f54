"""Jobs are done once in effect on machines over SSH, whatever breaks; nothing is left there (W12, W14)."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.jobqueue import JobQueue, JobState, connect
from tests.integration.servers import Server
from tests.integration.ssh.test_worker import left_behind
from tests.integration.sshd import SshServer, need_sshd
from tests.integration.watcher.conftest import beats


class Fleet:
    """Two machines, a queue, and the watcher process that is killed and started again."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.queue: JobQueue = connect(url)
        self.servers = [SshServer(), SshServer()]
        self.places = [folder / f"machine-{number}" for number in range(len(self.servers))]
        machines = []
        for server, place in zip(self.servers, self.places, strict=True):
            place.mkdir()
            server.start()
            machines.append(
                {
                    "address": server.address,
                    "key": str(server.key_file),
                    "known_hosts": str(folder / "known_hosts"),
                    "folder": str(place),
                }
            )
        self._told = json.dumps({"redis_url": url, "data": str(folder / "data"), "machines": machines})
        (folder / "data").mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the watcher."""
        with (self.folder / "watcher.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.ssh.far_watcher", self._told],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL, as a machine that loses power."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def drain(self) -> int:
        """SIGTERM; its exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(90)

    def close(self) -> None:
        """End everything."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        for server in self.servers:
            server.remove()
        self.queue.close()

    def log(self) -> str:
        """What the watchers said last."""
        return (self.folder / "watcher.log").read_text()[-4000:]


@pytest.fixture
def fleet(own_server: Server, tmp_path: Path) -> Iterator[Fleet]:
    need_sshd()
    made = Fleet(own_server.url, tmp_path)
    yield made
    made.close()


def done_within(fleet: Fleet, ids: list[str], seconds: float, disturb: Callable[[], None]) -> None:
    """Wait until every job is done, disturbing all the while."""
    end = time.monotonic() + seconds
    while not all(row is not None and row.state is JobState.DONE for row in fleet.queue.jobs(ids)):
        assert time.monotonic() < end, f"{fleet.queue.snapshot()}\n{fleet.log()}"
        disturb()
        time.sleep(0.1)


def see_all_in_order(fleet: Fleet, ids: list[str]) -> None:
    """Each job is done once, its audio is there, and the machines are empty."""
    done = [event for event in fleet.queue.follow_events("0", count=10_000) if event.kind == "done"]
    assert sorted(event.request_id or "" for event in done) == sorted(ids)
    outputs = fleet.folder / "data" / "storage" / "outputs"
    assert len([path for path in outputs.rglob("*.wav")]) == len(ids)
    for place in fleet.places:
        end = time.monotonic() + 20
        while left_behind(place) and time.monotonic() < end:
            time.sleep(0.1)
        assert left_behind(place) == [], fleet.log()
        for folder in ("inbox", "work", "outbox", "cancel", "tmp"):
            assert list((place / "spool" / folder).iterdir()) == [], (folder, fleet.log())


def run_it(fleet: Fleet, count: int, breaks: int, seed: int, sentences: int = 12) -> None:
    chance = random.Random(seed)
    specs = beats(count, sentences=sentences, format="wav")
    fleet.queue.enqueue(specs)
    ids = [spec.request_id for spec in specs]
    fleet.start()
    plan = ["cut", "kill", "stop"] + [
        chance.choice(["cut", "cut", "kill", "stop"]) for _ in range(breaks - 3)
    ]
    chance.shuffle(plan)
    down: list[SshServer] = []
    next_at = time.monotonic() + 1.5

    def disturb() -> None:
        nonlocal next_at
        if time.monotonic() < next_at:
            return
        next_at = time.monotonic() + chance.uniform(0.3, 1.5)
        for server in down:
            server.start()
        down.clear()
        if not plan:
            return
        server = chance.choice(fleet.servers)
        match plan.pop():
            case "cut":
                server.cut()
            case "kill":
                fleet.kill()
                fleet.start()
            case _:
                server.stop()
                down.append(server)

    done_within(fleet, ids, 60 + 10 * count, disturb)
    for server in down:
        server.start()
    assert plan == [], "the jobs were done before everything was broken"
    assert fleet.drain() == 0, fleet.log()
    see_all_in_order(fleet, ids)


def test_jobs_are_done_once_while_connections_break_and_a_watcher_dies(fleet: Fleet) -> None:
    run_it(fleet, count=6, breaks=3, seed=1, sentences=6)


@pytest.mark.soak
@pytest.mark.timeout(900)  # as long as the jobs are waited for, on a machine that does other things too
@pytest.mark.parametrize("seed", range(10 if os.environ.get("JOB_RUNNER_SOAK") else 1))
def test_sixty_jobs_are_done_once_while_everything_breaks(fleet: Fleet, seed: int) -> None:
    run_it(fleet, count=60, breaks=12, seed=seed)
