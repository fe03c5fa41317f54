"""A queue on a real server with a job in every state, its operator's hands, and a store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from lib.jobqueue import ErrorClass, Failure, JobQueue, Lease, QueueOptions
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobqueue.redis.upkeep import Upkeep, upkeep_of
from lib.records import DoneRecord, FileRef, Take, Timings
from lib.redislink.transport import Transport
from lib.storage import Claim, FileStorage, publish_takes
from tests.contract.jobqueue.jobs import job
from tests.doubles import records

PREFIX = "pab:jobs"
HELD = "w-1"  # the consumer of the running job


@dataclass(slots=True)
class Yard:
    """A queue in order, to break things in. `raw` writes past the scripts."""

    queue: JobQueue
    raw: Any  # a client whose replies are wide unions; what is broken with it is plain
    storage: FileStorage
    folder: Path
    upkeep: Upkeep = field(init=False)

    def __post_init__(self) -> None:
        self.upkeep = upkeep_of(self.queue)

    def key(self, name: str) -> str:
        return f"{PREFIX}:{name}"

    def entry_of(self, request_id: str) -> str:
        """The id of a job's stream entry."""
        for entry, fields in self.raw.xrange(self.key("stream")):
            if fields["id"] == request_id:
                return str(entry)
        raise AssertionError(request_id)

    def unlink_entry(self, request_id: str) -> None:
        """Take a job's stream entry away, and from its row the entry's id."""
        self.raw.xdel(self.key("stream"), self.entry_of(request_id))
        row = json.loads(self.raw.hget(self.key("state"), request_id))
        row[6] = ""
        self.raw.hset(self.key("state"), request_id, json.dumps(row))

    def finish(self, request_id: str) -> Take:
        """Enqueue a job and finish it with audio in the store."""
        self.queue.enqueue([job(request_id)])
        (lease,) = self.queue.claim(HELD)
        assert lease.request_id == request_id
        audio = self.stored(f"{request_id}.wav", f"audio of {request_id}".encode())
        return self.complete(lease, records.take(audio=audio))

    def stored(self, name: str, data: bytes) -> FileRef:
        """A file in the store, to be published by that name."""
        (self.folder / "file").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        artifact = self.storage.put(self.folder / "file", sha256=digest, bytes=len(data))
        return FileRef(name, len(data), digest, artifact.key)

    def complete(self, lease: Lease, take: Take) -> Take:
        """End a job as done with that take, and publish it."""
        record = DoneRecord(records.spoken(take), Timings(0.0, 0.0, 0.0), "local")
        order = self.queue.complete(self.queue.begin(lease), record.to_json())
        publish_takes(self.storage, Claim(lease.request_id, lease.revision, order), [take])
        return take

    def blob(self, take: Take) -> Path:
        return self.folder / "store" / str(take.audio.key)


@pytest.fixture
def raw_yard(raw: redis.Redis, redis_url: str, tmp_path: Path) -> Iterator[Yard]:
    """An empty queue."""
    # the longest backoff: a job that is tried again must not be due in the middle of a test
    queue = RedisQueue(Transport(redis_url), QueueOptions(prefix=PREFIX), chance=lambda: 1.0)
    yield Yard(queue, raw, FileStorage(tmp_path / "store"), tmp_path)
    queue.close()


@pytest.fixture
def yard(raw_yard: Yard) -> Yard:
    """A queue with a job in every state."""
    queue = raw_yard.queue
    raw_yard.finish("done")
    queue.enqueue([job("failed")])
    (lease,) = queue.claim(HELD)
    queue.fail(queue.begin(lease), Failure(ErrorClass.BAD_INPUT, "It cannot be spoken."))
    queue.enqueue([job("canceled")])
    queue.cancel("canceled")
    queue.enqueue([job("again")])
    (lease,) = queue.claim(HELD)
    queue.fail(queue.begin(lease), Failure(ErrorClass.TRANSIENT, "The engine stumbled."))
    queue.enqueue([job("returned")])
    (lease,) = queue.claim(HELD)
    queue.enqueue([job("running")])
    (running,) = queue.claim(HELD, lease_ms=3_600_000)
    assert running.request_id == "running"
    queue.progress(queue.begin(running), {"done": 1})
    queue.release(lease, "drain")
    queue.enqueue([job("waiting"), job("later", not_before=4_000_000_000.0), job("first", priority="high")])
    return raw_yard
