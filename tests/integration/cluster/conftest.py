"""One Valkey, one store, and several computers with a watcher each."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.jobqueue import JobQueue, JobState, connect
from lib.jobs.reconcile import reconcile
from lib.jobspec import JobSpec
from lib.storage import Storage, StoredArtifact, open_storage
from tests.integration.cluster.hosts import Host, Relay, computers, has_namespaces
from tests.integration.servers import Server, free_port
from tests.s3_servers import ACCESS, BUCKET, S3Server

Settings = Callable[[Host], dict[str, str]]  # where the store is, as that computer sees it

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
    settings: Settings
    hosts: list[Host]
    server_url: str
    port: int | None = None  # where watchers find the server beside their gate; None: by its URL

    def start(self, host: Host, **settings: str) -> None:
        """A watcher there, on the one queue and the one store."""
        host.start(
            {
                "REDIS_URL": f"redis://{host.gate}:{self.port}" if self.port else self.server_url,
                **self.settings(host),
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
            artifact = StoredArtifact.of(take.main)
            assert self.storage.verify(artifact)
            assert self.storage.stands(artifact, name_of(spec))
            owner = self.storage.owner(spec.output_name)
            assert owner is not None
            assert owner.request_id == spec.request_id
        snapshot = self.queue.snapshot()
        assert (snapshot.done, snapshot.waiting, snapshot.pending) == (len(specs), 0, 0)
        assert reconcile(self.queue, self.storage, apply=False, deep=True).findings == ()


@pytest.fixture(params=[pytest.param("folder", marks=pytest.mark.soak), "s3"])
def store(request: pytest.FixtureRequest) -> str:
    """A folder that all computers have mounted, or a bucket of a real SeaweedFS."""
    return str(request.param)


@pytest.fixture
def shared(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    """Three computers beside one server with an append-only file, and one store."""
    with contextlib.ExitStack() as stack:
        hosts = stack.enter_context(computers(tmp_path, 3, apart=has_namespaces()))
        settings, storage = (
            in_a_folder(tmp_path)
            if store == "folder"
            else in_a_bucket(request.getfixturevalue("seaweed"), hosts, stack)
        )
        port = free_port()
        gates = " ".join(dict.fromkeys(["127.0.0.1", *(host.gate for host in hosts)]))
        server = Server("--bind", gates, "--protected-mode", "no", "--appendonly", "yes", port=port)
        stack.callback(server.remove)
        server.start()
        queue = stack.enter_context(contextlib.closing(connect(server.url)))
        for host in hosts:
            stack.callback(host.off)
        yield Shared(queue, storage, settings, hosts, server.url, port)


def in_a_folder(tmp_path: Path) -> tuple[Settings, Storage]:
    """The same folder everywhere."""
    url = (tmp_path / "shared").as_uri()
    return lambda host: {"STORAGE_URL": url}, open_storage(url)


def in_a_bucket(
    seaweed: S3Server, hosts: Sequence[Host], stack: contextlib.ExitStack
) -> tuple[Settings, Storage]:
    """The same prefix of a bucket; each computer reaches it by its own gate."""
    prefix = f"cluster/{secrets.token_hex(8)}"
    port = int(seaweed.endpoint.rpartition(":")[2])
    for host in hosts:
        if host.space:
            stack.callback(Relay(host.gate, port).close)

    def settings(host: Host) -> dict[str, str]:
        return {
            "STORAGE_URL": f"s3://{BUCKET}/{prefix}?endpoint=http://{host.gate}:{port}",
            "AWS_ACCESS_KEY_ID": ACCESS.key_id or "",
            "AWS_SECRET_ACCESS_KEY": ACCESS.secret or "",
        }

    return settings, open_storage(seaweed.url(prefix), ACCESS)
