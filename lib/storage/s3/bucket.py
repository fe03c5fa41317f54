"""A bucket of S3 whose objects have names of their own."""

from __future__ import annotations

import functools
import hashlib

from lib.clock import Clock, SystemClock
from lib.storage.bucket import checked_key
from lib.storage.port import StorageUnavailable, StoredArtifact
from lib.storage.s3.access import S3Access
from lib.storage.s3.address import S3Address
from lib.storage.s3.capabilities import Capabilities, probe
from lib.storage.s3.client import ANSWER_S, RETRIES, S3Connection
from lib.storage.s3.objects import Objects, Only, checksum_header, described


class S3Bucket:
    """As `lib.storage.bucket.Bucket`. The client repeats a request whose answer was lost.

    What the store can do is tried once, on an object of our own that is removed again.
    """

    def __init__(
        self,
        address: S3Address,
        access: S3Access,
        clock: Clock | None = None,
        *,
        retries: int = RETRIES,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.name = address.bucket
        self._address = address
        self._connection = S3Connection(
            address, access, clock or SystemClock(), retries=retries, answer_s=answer_s
        )
        self._objects = Objects(self._connection)

    @functools.cached_property
    def _capabilities(self) -> Capabilities:
        return probe(self._connection)

    @property
    def keeps_first(self) -> bool:
        """Whether it keeps to conditions."""
        return self._capabilities.puts

    def put_new(self, key: str, data: bytes, sha256: str) -> bool:
        """Put with a condition and a checksum; what was there already, or came meanwhile, is compared."""
        artifact = StoredArtifact(checked_key(key), sha256, len(data))
        if (seen := self._objects.look(key)) is not None:
            return self._objects.is_(key, seen, artifact)
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        headers = {**described(artifact, key), **checksum_header(sha256, md5, self._capabilities)}
        if self._objects.put(key, data, headers, only=Only(None)) is None:
            return self._objects.holds(key, artifact)
        if not self._capabilities.checks_sha256 and not self._objects.holds(key, artifact, told=False):
            raise StorageUnavailable(
                f"The store {self._address.url} does not give back what was put at {key}; look after it."
            )
        return True

    def sha256(self, key: str) -> str | None:
        """As the store tells it, or by reading the object whole."""
        seen = self._objects.look(checked_key(key))
        return None if seen is None else self._objects.sha256(key, seen)

    def place(self, key: str) -> str:
        """The object's URL."""
        return f"{self._address.url}/{checked_key(key)}"

    def close(self) -> None:
        """Its client has pooled connections that end with the process."""
