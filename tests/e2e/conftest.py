"""A real server, a fresh queue on it, and a queue with a job in each state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.jobqueue import ErrorClass, Failure
from tests.e2e.desk import WORLD, Desk
from tests.integration.servers import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    started = Server()
    started.start()
    yield started
    started.remove()


@pytest.fixture
def desk(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A fresh queue."""
    made = Desk(tmp_path, server.url, f"t{abs(hash(request.node.nodeid))}")
    yield made
    made.close()


@pytest.fixture(scope="session")
def world(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A queue with a job in each state; `world.yaml` names them all. Not to be changed by tests."""
    made = Desk(tmp_path_factory.mktemp("world"), server.url, "world")
    made.enqueue("done", "gone", "changed")
    made.work()
    key = made.json("result", "topic:gone")["result"]["spoken"]["takes"][0]["key"]
    (made.folder / ".local/share/job-runner/storage" / key).unlink()
    made.enqueue("failed")
    (lease,) = made.queue.claim("tests")
    made.queue.fail(made.queue.begin(lease), Failure(ErrorClass.BAD_INPUT, "It cannot be spoken."))
    made.enqueue("canceled")
    made.queue.cancel("topic:canceled")
    made.enqueue("running")
    (lease,) = made.queue.claim("tests", lease_ms=3_600_000)
    made.queue.begin(lease)
    made.enqueue("waiting", "delayed")
    whole = made.file_of(*WORLD, name="world.yaml")
    whole.write_text(whole.read_text().replace("Job changed.", "Job changed, and how."))
    yield made
    made.close()
