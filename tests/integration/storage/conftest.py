"""A bad way to a real S3 server, and stores on either side of it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.storage import S3Storage, Storage, StoredArtifact
from lib.storage.s3 import address_of
from tests.integration.storage.proxy import Proxy
from tests.s3_servers import ACCESS, BUCKET, S3Server


class Place:
    """A prefix of its own. `storage` goes the good way, `through` the bad one, without patience."""

    def __init__(self, server: S3Server, proxy: Proxy, folder: Path) -> None:
        self.server, self.proxy, self.folder = server, proxy, folder
        self.prefix = f"bad/{secrets.token_hex(8)}"
        self.storage = S3Storage(address_of(server.url(self.prefix), None), ACCESS)
        self.raw = server.client()

    def through(self, *, retries: int = 0) -> S3Storage:
        url = f"s3://{BUCKET}/{self.prefix}?endpoint={self.proxy.endpoint}"
        return S3Storage(address_of(url, None), ACCESS, retries=retries)

    def file(self, data: bytes) -> tuple[Path, str]:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.folder / sha256
        path.write_bytes(data)
        return path, sha256

    def put(self, storage: Storage, data: bytes) -> StoredArtifact:
        path, sha256 = self.file(data)
        return storage.put(path, sha256=sha256, bytes=len(data))

    def held(self) -> dict[str, bytes]:
        found = self.raw.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.prefix}/").get("Contents", [])
        return {
            item["Key"].removeprefix(f"{self.prefix}/"): self.raw.get_object(Bucket=BUCKET, Key=item["Key"])[
                "Body"
            ].read()
            for item in found
        }

    def outputs(self) -> dict[str, bytes]:
        return {key: data for key, data in self.held().items() if key.startswith("outputs/")}


@pytest.fixture
def proxy(seaweed: S3Server) -> Iterator[Proxy]:
    made = Proxy(seaweed.endpoint)
    yield made
    made.close()


@pytest.fixture
def place(seaweed: S3Server, proxy: Proxy, tmp_path: Path) -> Place:
    return Place(seaweed, proxy, tmp_path)
