"""Artifacts in a dictionary: for simulated worlds and tests."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from lib.storage.locations import artifact_of, output_key
from lib.storage.port import ArtifactMismatch, NotStored, SignedUpload, StoredArtifact
from lib.storage.writing import save

_SIGNED_FOR = 3600.0  # seconds


class MemoryStorage:
    """`Storage` in a dictionary, as a store on another machine would act. `url` begins its places.

    `before` is called at each access, to fail or to move time on; `now` is in seconds since the epoch.
    """

    def __init__(
        self,
        url: str = "memory://store",
        *,
        before: Callable[[], None] = lambda: None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.objects: dict[str, bytes] = {}  # by key: blobs/sha256/ab/<sha256> and outputs/<name>
        self._url, self._before, self._now = url, before, now

    def put(self, source: Path, *, sha256: str, bytes: int) -> StoredArtifact:
        """Keep the file's bytes."""
        artifact = artifact_of(sha256, bytes)
        if not self.verify(artifact):
            self._keep(source.read_bytes(), artifact, artifact.key, f"{source.name} was not stored")
        return artifact

    def has(self, artifact: StoredArtifact) -> bool:
        """Look at the size."""
        found = self._get(artifact.key)
        return found is not None and len(found) == artifact.bytes

    def verify(self, artifact: StoredArtifact) -> bool:
        """Hash and compare."""
        return _is(self._get(artifact.key), artifact)

    def open(self, artifact: StoredArtifact) -> BinaryIO:
        """A stream over the bytes."""
        return io.BytesIO(self._need(artifact.key, f"{artifact.key} is not in the store."))

    def fetch(self, artifact: StoredArtifact, local: Path) -> None:
        """Write the bytes to `local`, verified."""
        save([self._need(artifact.key, f"{artifact.key} is not in the store.")], local, artifact)

    def sign_upload(self, sha256: str, bytes: int) -> SignedUpload | None:
        """A URL that `upload` takes for an hour, for that content only."""
        self._before()
        headers = {"content-length": str(bytes), "x-checksum-sha256": sha256}
        url = f"{self._url}/{artifact_of(sha256, bytes).key}"
        return SignedUpload(url, headers, self._now() + _SIGNED_FOR)

    def upload(self, signed: SignedUpload, data: bytes) -> bool:
        """What a machine's PUT does; whether it was taken."""
        artifact = artifact_of(signed.headers["x-checksum-sha256"], int(signed.headers["content-length"]))
        if self._now() >= signed.expires_at or not _is(data, artifact):
            return False
        self.objects[artifact.key] = data
        return True

    def confirm(self, sha256: str, bytes: int) -> StoredArtifact:
        """Hash and compare."""
        artifact = artifact_of(sha256, bytes)
        if not _is(self._need(artifact.key, f"{artifact.key} is not in the store."), artifact):
            raise ArtifactMismatch(f"{artifact.key} in the store holds other bytes.")
        return artifact

    def publish(self, artifact: StoredArtifact, name: str) -> str:
        """Keep the bytes under the name, too."""
        target = output_key(name)
        if not _is(self._get(target), artifact):
            data = self._need(artifact.key, f"{artifact.key} is not in the store.")
            what = f"{artifact.key} is damaged in the store and was not published as {name}"
            self._keep(data, artifact, target, what)
        return self.location(name)

    def restore(self, artifact: StoredArtifact, name: str) -> None:
        """Keep the published bytes as the artifact's."""
        if not self.verify(artifact):
            data = self._need(output_key(name), f"Nothing is published as {name}.")
            what = f"The published file {name} was not copied back into the store"
            self._keep(data, artifact, artifact.key, what)

    def location(self, name: str) -> str:
        """The URL of `outputs/<name>`."""
        return f"{self._url}/{output_key(name)}"

    def stands(self, artifact: StoredArtifact, name: str) -> bool | None:
        """Hash and compare."""
        found = self._get(output_key(name))
        return None if found is None else _is(found, artifact)

    def published(self, name: str) -> bool:
        """Look for the name."""
        return self._get(output_key(name)) is not None

    def blob(self, artifact: StoredArtifact) -> str:
        """The URL of the blob."""
        return "" if self._get(artifact.key) is None else f"{self._url}/{artifact.key}"

    def _keep(self, data: bytes, artifact: StoredArtifact, key: str, what: str) -> None:
        if not _is(data, artifact):
            raise ArtifactMismatch(f"{what}: it is not the {artifact.bytes} bytes that were promised.")
        self.objects[key] = data

    def _get(self, key: str) -> bytes | None:
        self._before()
        return self.objects.get(key)

    def _need(self, key: str, missing: str) -> bytes:
        found = self._get(key)
        if found is None:
            raise NotStored(missing)
        return found


def _is(data: bytes | None, artifact: StoredArtifact) -> bool:
    if data is None or len(data) != artifact.bytes:
        return False
    return hashlib.sha256(data).hexdigest() == artifact.sha256
