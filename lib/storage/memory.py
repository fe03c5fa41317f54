"""Artifacts in a dictionary: for simulated worlds and tests."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import BinaryIO

from lib.storage.hashed_writes import save
from lib.storage.incoming import MemoryIncoming
from lib.storage.locations import artifact_of, output_key
from lib.storage.name_ownership import Entries, Entry, Files, NameDecision, decide, entry_key
from lib.storage.names import FoundFile, PublishedNames, kept_paths
from lib.storage.port import (
    ArtifactMismatch,
    Claim,
    NotStored,
    Published,
    SignedUpload,
    StorageExam,
    StoredArtifact,
)

_SIGNED_FOR = 3600.0  # seconds


class MemoryStorage(PublishedNames):
    """`Storage` in a dictionary, as a store on another machine would act. `url` begins its places.

    `before` is called at each access, to fail or to move time on; `now` is in seconds since the epoch. It
    takes uploads by machines where it `signs`.
    """

    def __init__(
        self,
        url: str = "memory://store",
        *,
        before: Callable[[], None] = lambda: None,
        now: Callable[[], float] = lambda: 0.0,
        signs: bool = True,
    ) -> None:
        self.objects: dict[str, bytes] = {}  # blobs/sha256/ab/<sha256>, outputs/<name>, published/..
        self._url, self._before, self._now = url, before, now
        self._signs = signs
        self._incoming = MemoryIncoming(self.objects, url, before, now)
        super().__init__(_MemoryOutputs(self.objects, self.location, before))

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
        if not self._signs:
            return None
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

    def incoming(self) -> MemoryIncoming | None:
        """In the same dictionary, where it signs."""
        return self._incoming if self._signs else None

    def sign_download(self, artifact: StoredArtifact, name: str) -> str | None:
        """None: nobody reads a dictionary from elsewhere."""
        return None

    def examine(self) -> StorageExam:
        """Look whether it answers."""
        self._before()
        return StorageExam()

    def confirm(self, sha256: str, bytes: int) -> StoredArtifact:
        """Hash and compare."""
        artifact = artifact_of(sha256, bytes)
        if not _is(self._need(artifact.key, f"{artifact.key} is not in the store."), artifact):
            raise ArtifactMismatch(f"{artifact.key} in the store holds other bytes.")
        return artifact

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


class _MemoryOutputs:
    """Published bytes and whose they are, in the same dictionary."""

    def __init__(
        self, objects: dict[str, bytes], location: Callable[[str], str], before: Callable[[], None]
    ) -> None:
        self._objects, self._location, self._before = objects, location, before
        self._one_at_a_time = threading.Lock()

    def publish(
        self,
        claim: Claim,
        name: str,
        files: Files,
        *,
        extras: Collection[str],
        former: Mapping[str, Files],
        keep: bool,
    ) -> Published:
        """Keep the bytes under their names, too; from the comparison on nobody comes between."""
        files = {path: item for path, item in files.items() if self._can_be_had(path, item, path in extras)}
        with self._one_at_a_time:
            entries = Entries(self._read)
            verdict = decide(claim, name, files, former, entries)
            kept = kept_paths(self, verdict.files, entries.of(name), claim) if keep else frozenset[str]()
            self._carry_out(verdict, kept)
        places = {path: self._location(path) for path in verdict.files if path not in kept}
        return Published(places, verdict.lost, kept, verdict.superseded_by)

    def entries(self) -> Entries:
        """As they are kept."""
        self._before()
        return Entries(self._read)

    def found(self, name: str) -> FoundFile | None:
        """Look at the bytes."""
        self._before()
        data = self._objects.get(output_key(name))
        return None if data is None else FoundFile(len(data), hashlib.sha256(data).hexdigest)

    def is_stored(self, artifact: StoredArtifact) -> bool:
        """Look whether there is such a blob."""
        return artifact.key in self._objects

    def _read(self, name: str) -> Entry | None:
        return Entry.from_bytes(self._objects.get(entry_key(name)))

    def _can_be_had(self, path: str, artifact: StoredArtifact, extra: bool) -> bool:
        """Whether it stands there or is whole in the store; an extra may be neither.

        Raises:
            NotStored, ArtifactMismatch: it is neither, and no extra.
        """
        self._before()
        if _is(self._objects.get(output_key(path)), artifact):
            return True
        self._before()
        data = self._objects.get(artifact.key)
        if not _is(data, artifact) and not extra:
            what = f"{artifact.key} is damaged in the store and was not published as {path}"
            if data is None:
                raise NotStored(f"{artifact.key} is not in the store.")
            raise ArtifactMismatch(f"{what}: it is not the {artifact.bytes} bytes that were promised.")
        return _is(data, artifact)

    def _carry_out(self, verdict: NameDecision, kept: Collection[str]) -> None:
        for entry in (*verdict.entries, *verdict.settled):
            self._objects[entry_key(entry.name)] = entry.to_bytes()
        inherited = {path: item for path, item in verdict.inherited.items() if item.key in self._objects}
        for path, artifact in {**inherited, **verdict.files}.items():
            if path not in kept and not _is(self._objects.get(output_key(path)), artifact):
                self._objects[output_key(path)] = self._objects[artifact.key]
        for path, artifacts in verdict.removals.items():
            if any(_is(self._objects.get(output_key(path)), artifact) for artifact in artifacts):
                del self._objects[output_key(path)]


def _is(data: bytes | None, artifact: StoredArtifact) -> bool:
    if data is None or len(data) != artifact.bytes:
        return False
    return hashlib.sha256(data).hexdigest() == artifact.sha256
