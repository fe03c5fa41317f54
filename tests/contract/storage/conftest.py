"""The stores that the suite runs on. A further one is a class beside these and a line in `KINDS`."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from lib.storage import (
    Claim,
    FileStorage,
    MemoryStorage,
    S3Storage,
    SignedUpload,
    Storage,
    StorageUnavailable,
    StoredArtifact,
)
from lib.storage.s3 import address_of
from tests.contract.storage.shop import Shop
from tests.integration.servers import free_port
from tests.s3_servers import ACCESS, BUCKET, S3Server, upload


class Store(Protocol):
    """A store, the way behind its back, and how to see it out of reach."""

    @property
    def storage(self) -> Storage:
        """The adapter."""
        ...

    def look(self, key: str) -> bytes | None:
        """What lies at the key; None for nothing."""
        ...

    def lay(self, key: str, data: bytes) -> None:
        """Put other bytes there."""
        ...

    def lose(self, key: str) -> None:
        """Remove what lies there."""
        ...

    def held(self) -> list[str]:
        """All that is kept, whatever its name."""
        ...

    def upload(self, signed: SignedUpload, data: bytes) -> bool:
        """As a machine does it; whether it was taken."""
        ...

    def again(self) -> Storage:
        """The same store as another process sees it."""
        ...

    def out_of_reach(self) -> Storage:
        """The same store where it does not answer."""
        ...


class InAFolder:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "store"
        self.storage = FileStorage(self.root)

    def look(self, key: str) -> bytes | None:
        path = self.root / key
        return path.read_bytes() if path.exists() else None

    def lay(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def lose(self, key: str) -> None:
        (self.root / key).unlink()

    def held(self) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.root)) for path in files)

    def upload(self, signed: SignedUpload, data: bytes) -> bool:
        raise AssertionError("a folder signs nothing")

    def again(self) -> Storage:
        return FileStorage(self.root)

    def out_of_reach(self) -> Storage:
        loop = self.root.parent / "loop"
        loop.symlink_to(loop)  # refuses root, too
        return FileStorage(loop)


class InMemory:
    def __init__(self, folder: Path) -> None:
        self.storage = self.memory = MemoryStorage()

    def look(self, key: str) -> bytes | None:
        return self.memory.objects.get(key)

    def lay(self, key: str, data: bytes) -> None:
        self.memory.objects[key] = data

    def lose(self, key: str) -> None:
        del self.memory.objects[key]

    def held(self) -> list[str]:
        return sorted(self.memory.objects)

    def upload(self, signed: SignedUpload, data: bytes) -> bool:
        return self.memory.upload(signed, data)

    def again(self) -> Storage:
        return self.memory

    def out_of_reach(self) -> Storage:
        def refuse() -> None:
            raise StorageUnavailable("No answer.")

        return MemoryStorage(before=refuse)


class InABucket:
    """A prefix of its own in the bucket of a server."""

    def __init__(self, server: S3Server) -> None:
        self._server, self._prefix = server, f"suite/{secrets.token_hex(8)}"
        self._client = server.client()
        self.storage = self.again()

    def look(self, key: str) -> bytes | None:
        try:
            return self._client.get_object(Bucket=BUCKET, Key=self._at(key))["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None

    def lay(self, key: str, data: bytes) -> None:
        self._client.put_object(Bucket=BUCKET, Key=self._at(key), Body=data)

    def lose(self, key: str) -> None:
        self._client.delete_object(Bucket=BUCKET, Key=self._at(key))

    def held(self) -> list[str]:
        found = self._client.list_objects_v2(Bucket=BUCKET, Prefix=f"{self._prefix}/")
        return sorted(item["Key"].removeprefix(f"{self._prefix}/") for item in found.get("Contents", []))

    def upload(self, signed: SignedUpload, data: bytes) -> bool:
        return upload(signed, data)

    def again(self) -> S3Storage:
        return S3Storage(address_of(self._server.url(self._prefix), None), ACCESS)

    def out_of_reach(self) -> Storage:
        nobody = f"s3://{BUCKET}?endpoint=http://127.0.0.1:{free_port()}"
        return S3Storage(address_of(nobody, None), ACCESS, retries=0)

    def _at(self, key: str) -> str:
        return f"{self._prefix}/{key}"


KINDS: dict[str, Callable[[pytest.FixtureRequest, Path], Store]] = {
    "file": lambda request, folder: InAFolder(folder),
    "memory": lambda request, folder: InMemory(folder),
    "s3": lambda request, folder: InABucket(request.getfixturevalue("seaweed")),
    "s3-that-ignores-conditions": lambda request, folder: InABucket(request.getfixturevalue("rclone")),
}


#: What a store without conditions does in its own way with names; the rest is the same decision.
WITHOUT_CONDITIONS = frozenset(
    {
        "test_decides_and_not_the_order_of_ending",
        "test_is_the_same_for_a_repeat",
        "test_holds_for_two_stores_on_one_place_at_once",
        "test_by_a_changed_format_fewer_takes_and_waveforms_is_removed",
        "test_stays_where_somebody_edited_it",
        "test_is_kept_by_who_asks_to",
        "test_a_record_that_cannot_be_read_is_nobodys",
        "test_goes_down_the_line",
    }
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A bucket sees each tenth order of arrival, one without conditions what is its own; a soak all."""
    if os.environ.get("JOB_RUNNER_SOAK"):
        return
    left_out = [item for item in items if _is_said_twice(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_said_twice(item: pytest.Item) -> bool:
    if "[s3" not in item.name:
        return False
    of_names = item.path.stem in ("test_names", "test_left_names")
    own = item.name.partition("[")[0] in WITHOUT_CONDITIONS
    degraded = "s3-that-ignores-conditions" in item.name
    return bool(re.search(r"arrival\d*[1-9]\]", item.name)) or (degraded and of_names and not own)


@pytest.fixture(params=list(KINDS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store."""
    return KINDS[request.param](request, tmp_path)


@pytest.fixture
def storage(store: Store) -> Storage:
    return store.storage


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file that is to be stored."""
    path = tmp_path / "take.wav"
    path.write_bytes(AUDIO)
    return path


AUDIO = bytes(range(256)) * 12_289  # some MiB, and not a whole number of them
SHA = hashlib.sha256(AUDIO).hexdigest()
ARTIFACT = StoredArtifact(f"blobs/sha256/{SHA[:2]}/{SHA}", SHA, len(AUDIO))
DAMAGED = AUDIO[:-1] + b"?"


NOBODY = Claim("topic:beat-001")  # of no order: as published by a version that knew none


def publish(storage: Storage, artifact: StoredArtifact, path: str, claim: Claim = NOBODY) -> str:
    """Publish one file of a job that is named by it, and return its place."""
    return storage.publish(claim, path.rpartition(".")[0] or path, {path: artifact}).places[path]


@pytest.fixture
def stored(storage: Storage, source: Path) -> StoredArtifact:
    """An artifact in the store."""
    return storage.put(source, sha256=SHA, bytes=len(AUDIO))


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    (tmp_path / "desk").mkdir()
    return Shop(store, tmp_path / "desk")
