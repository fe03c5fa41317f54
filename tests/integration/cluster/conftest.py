"""One Valkey, one store, and several computers with a watcher each."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.jobqueue import JobQueue, JobState, connect
from lib.jobs.reconcile import reconcile
from lib.jobspec import JobSpec
from lib.storage import Storage, StoredArtifact, open_storage
from tests.integration.cluster.hosts import Host, computers, has_namespaces
from tests.integration.servers import Server, free_port

DEADLINE_S = 120.0
LEASE_MS = 3000


def name_of(spec: JobSpec) -> str:
    """The name that people find the audio under."""
    return f"{spec.output_name}.{spec.format}"


@dataclass
class Shared:
    """The queue and the store that all computers see, and the computers."""

    queue: JobQueue
    storage: Storage
    storage_url: str
    hosts: list[Host]
    server_url: str
    port: int | None = None  # where watchers find the server beside their gate; None: by its URL

    def start(self, host: Host, **settings: str) -> None:
        """A watcher there, on the one queue and the one store."""
        host.start(
            {
                "REDIS_URL": f"redis://{host.gate}:{self.port}" if self.port else self.server_url,
                "STORAGE_URL": self.storage_url,
                "PROVIDER": "local",
                "LOCAL_WORKERS": "1",
                "WATCHER_LEASE_IDLE_MS": str(LEASE_MS),
                **settings,
            }
        )

    def wait_for(self, what: str, condition: Callable[[], object], seconds: float = DEADLINE_S) -> None:
        """Return as soon as it holds; fail after the deadline with what the watchers said."""
        give_up = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > give_up:
                logs = "\n".join(f"{host.name}: {host.log[-1500:]}" for host in self.hosts)
                pytest.fail(f"never happened: {what}\n{self.queue.snapshot()}\n{logs}")
            self.queue.follow_events(self.queue.last_event_id(), block_s=0.05)

    def done(self, specs: Sequence[JobSpec]) -> bool:
        """Whether each has a result."""
        records = self.queue.jobs([spec.request_id for spec in specs])
        return all(record is not None and record.state is JobState.DONE for record in records)

    def events(self, kind: str) -> list[str]:
        """The request ids of all events of that kind."""
        found = self.queue.follow_events("0", count=100_000)
        return [event.request_id or "" for event in found if event.kind == kind]

    def claimers(self) -> set[str]:
        """The watchers that were given jobs."""
        found = self.queue.follow_events("0", count=100_000)
        return {str(event.data["consumer"]) for event in found if event.kind in ("claimed", "reclaimed")}

    def published(self, specs: Sequence[JobSpec]) -> bool:
        """Whether something stands under each name: names follow records."""
        return all(self.storage.published(name_of(spec)) for spec in specs)

    def assert_done_once(self, specs: Sequence[JobSpec]) -> None:
        """One result each, whose audio is whole and stands under the job's own name; nothing else is left."""
        assert sorted(self.events("done")) == sorted(spec.request_id for spec in specs)
        for spec in specs:
            finished = self.queue.result(spec.request_id)
            assert finished is not None
            done = finished.done()
            assert done is not None
            (take,) = done.takes
            artifact = StoredArtifact.of(take.audio)
            assert self.storage.verify(artifact)
            assert self.storage.stands(artifact, name_of(spec))
            owner = self.storage.owner(spec.output_name)
            assert owner is not None
            assert owner.request_id == spec.request_id
        snapshot = self.queue.snapshot()
        assert (snapshot.done, snapshot.waiting, snapshot.pending) == (len(specs), 0, 0)
        assert reconcile(self.queue, self.storage, apply=False, deep=True).findings == ()


@pytest.fixture(params=["folder"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that every computer reaches."""
    return (tmp_path / "shared").as_uri()


@pytest.fixture
def shared(request: pytest.FixtureRequest, storage_url: str, tmp_path: Path) -> Iterator[Shared]:
    """Three computers beside one server with an append-only file."""
    with computers(tmp_path, 3, apart=has_namespaces()) as hosts:
        gates = dict.fromkeys(["127.0.0.1", *(host.gate for host in hosts)])
        port = free_port()
        bound = ("--bind", " ".join(gates), "--protected-mode", "no", "--appendonly", "yes")
        server = Server(*bound, port=port)
        server.start()
        try:
            with contextlib.closing(connect(server.url)) as queue:
                yield Shared(queue, open_storage(storage_url), storage_url, hosts, server.url, port)
        finally:
            for host in hosts:
                host.off()
            server.remove()
