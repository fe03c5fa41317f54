"""Artifacts on their way into a bucket: streamed, under conditions, and compared where they lie."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from lib.clock import Clock
from lib.storage.hashed_writes import chunks_of
from lib.storage.locations import artifact_of
from lib.storage.port import ArtifactMismatch, NotStored, StorageUnavailable, StoredArtifact
from lib.storage.s3.capabilities import Capabilities, probe
from lib.storage.s3.client import code_of
from lib.storage.s3.objects import Objects, ObjectSeen, Only, checksum_header, described, is_condition

log = logging.getLogger(__name__)

_IN_PARTS: Final = 64 << 20  # bytes from which on a file goes up in parts: then a cut costs one part
_PART: Final = 16 << 20  # equal parts, which Cloudflare R2 asks for; held in memory one at a time
_MOST_PARTS: Final = 10_000
_STALE_S: Final = 24 * 3600.0  # longer than any upload of ours takes
_MOST_PAGES: Final = 100  # of a listing, with 1,000 uploads each
_MARKERS: Final = ("KeyMarker", "UploadIdMarker")


class Blobs:
    """The content-addressed part of a bucket. `in_parts` is the length from which on a file goes in parts.

    Threads: any.
    Raises, from every method: StorageUnavailable.
    """

    def __init__(self, objects: Objects, clock: Clock, *, in_parts: int = _IN_PARTS) -> None:
        self._objects, self._clock, self._in_parts = objects, clock, in_parts
        self._capabilities: Capabilities | None = None
        self._sweep_at = float("-inf")  # monotonic seconds

    @property
    def capabilities(self) -> Capabilities:
        """What the store keeps; tried at the first need of it."""
        if self._capabilities is None:
            self._capabilities = probe(self._objects.connection)
        return self._capabilities

    @property
    def told(self) -> bool:
        """Whether what the store tells of an object's SHA-256 is what it has compared itself."""
        return self.capabilities.checks_sha256

    def put(self, source: Path, artifact: StoredArtifact) -> None:
        """Upload unless it lies there whole; what lies there damaged is replaced."""
        with source.open("rb") as stream:
            md5 = _need_promised(stream, source.name, artifact)
            self.sweep()
            if self._upload(stream, artifact, md5, Only(None)):
                return
            seen = self._objects.look(artifact.key)
            if seen is not None and self._objects.is_(artifact.key, seen, artifact, told=self.told):
                return
            only = None if seen is None else Only(seen.etag)
            if not self._upload(stream, artifact, md5, only):
                self.need_whole(artifact)

    def _upload(self, stream: BinaryIO, artifact: StoredArtifact, md5: bytes, only: Only | None) -> bool:
        """Whether it was taken, and lies there whole; False where the condition did not hold."""
        capabilities, in_parts = self.capabilities, artifact.bytes >= self._in_parts
        # Of an upload in parts the answer would come after the last one.
        asks = only == Only(None) and (in_parts or not capabilities.puts)
        if asks and self._objects.look(artifact.key) is not None:
            return False
        only = only if capabilities.puts else None
        stream.seek(0)
        if in_parts:
            taken = self._in_parts_of(stream, artifact, only)
        else:
            headers = described(artifact, artifact.key) | checksum_header(artifact.sha256, md5, capabilities)
            taken = self._objects.put(artifact.key, stream, headers, only=only) is not None
        if taken:
            self.need_whole(artifact)
        return taken

    def need_whole(self, artifact: StoredArtifact) -> None:
        """Look at what was just written. Raises StorageUnavailable; what is damaged is not left there."""
        seen = self._objects.look(artifact.key)
        if seen is not None and self._objects.is_(artifact.key, seen, artifact, told=self.told):
            return
        if seen is not None:
            self._objects.delete(artifact.key, only=Only(seen.etag) if self.capabilities.deletes else None)
        raise StorageUnavailable(
            f"The store {self._objects.address.url} does not give back what was written to it as "
            f"{artifact.key}; look after the store."
        )

    def confirm(self, sha256: str, bytes: int) -> StoredArtifact:
        """As `Storage.confirm`."""
        artifact = artifact_of(sha256, bytes)
        seen = self._objects.look(artifact.key)
        if seen is None:
            raise NotStored(f"{artifact.key} is not in the store {self._objects.address.url}.")
        if not self._objects.is_(artifact.key, seen, artifact, told=self.told):
            raise ArtifactMismatch(
                f"{artifact.key} in the store {self._objects.address.url} holds other bytes."
            )
        return artifact

    def whole(self, artifact: StoredArtifact) -> ObjectSeen | str:
        """What lies at the artifact's key where it is the artifact; else "gone" or "damaged"."""
        seen = self._objects.look(artifact.key)
        if seen is None:
            return "gone"
        return seen if self._objects.is_(artifact.key, seen, artifact, told=self.told) else "damaged"

    def _in_parts_of(self, stream: BinaryIO, artifact: StoredArtifact, only: Only | None) -> bool:
        """Upload in parts, each with its own hash; nothing is there before the last step."""
        objects, at = self._objects, self._objects.at(artifact.key)
        takes = self.capabilities.takes_sha256
        kind: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if takes else {}
        with objects.connection.refusals():
            headers = described(artifact, artifact.key)
            begun = objects.client.create_multipart_upload(**at, **headers, **kind)
            here = {**at, "UploadId": objects.connection.told(begun, "UploadId")}
            done = False
            try:
                parts = [self._part(here, no, data) for no, data in enumerate(_parts_of(stream, artifact), 1)]
                done = self._complete(here, parts, only)
            finally:
                if not done:
                    self._abort(here)
        return done

    def _part(self, here: dict[str, Any], number: int, data: bytes) -> dict[str, Any]:
        if self.capabilities.takes_sha256:
            digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
            checksum = {"ChecksumSHA256": digest}
        else:
            md5 = hashlib.md5(data, usedforsecurity=False).digest()
            checksum = {"ContentMD5": base64.b64encode(md5).decode()}
        answer = self._objects.client.upload_part(**here, PartNumber=number, Body=data, **checksum)
        told = {name: value for name, value in checksum.items() if name in answer}
        return {"PartNumber": number, "ETag": self._objects.connection.told(answer, "ETag"), **told}

    def _complete(self, here: dict[str, Any], parts: list[dict[str, Any]], only: Only | None) -> bool:
        from botocore.exceptions import ClientError

        conditions: dict[str, Any] = {} if only is None else only.headers()
        try:
            self._objects.client.complete_multipart_upload(
                **here, MultipartUpload={"Parts": parts}, **conditions
            )
        except ClientError as error:
            # an upload that is not there any more was completed by the request whose answer was lost
            if is_condition(error.response) or code_of(error.response) == "NoSuchUpload":
                return False
            raise
        return True

    def sweep(self) -> None:
        """At the first need of it and then daily: end uploads of ours in parts that nobody will complete."""
        now = self._clock.monotonic()
        if now < self._sweep_at:
            return
        self._sweep_at = now + _STALE_S
        try:
            self._end_stale_uploads(self._clock.now() - _STALE_S)
        except StorageUnavailable as error:  # it costs room only, and not every store or key may list them
            log.info("uploads that were never completed are not looked for: %s", error)

    def _end_stale_uploads(self, before: float) -> None:
        objects, after = self._objects, dict[str, str]()
        folder = {"Bucket": objects.address.bucket, "Prefix": objects.address.key("blobs/sha256/")}
        for _ in range(_MOST_PAGES):
            with objects.connection.refusals():
                found = objects.client.list_multipart_uploads(**folder, **after)
            for upload in found.get("Uploads", []):
                if upload["Initiated"].timestamp() < before:
                    self._abort(
                        {
                            "Bucket": folder["Bucket"],
                            "Key": upload["Key"],
                            "UploadId": upload["UploadId"],
                        }
                    )
            after = {name: found[f"Next{name}"] for name in _MARKERS if found.get(f"Next{name}")}
            if not found.get("IsTruncated") or not after:
                return

    def _abort(self, here: dict[str, Any]) -> None:
        """End an upload in parts; where that fails, too, the sweep does it, and what failed first is told."""
        with contextlib.suppress(StorageUnavailable):
            self._objects.try_to(lambda client: client.abort_multipart_upload(**here), anyway=True)


def _need_promised(stream: BinaryIO, name: str, artifact: StoredArtifact) -> bytes:
    """Read it once, and return its MD5. Raises ArtifactMismatch where it is not the promised one."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for chunk in chunks_of(stream):
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
    if (found := sha256.hexdigest(), size) != (artifact.sha256, artifact.bytes):
        raise ArtifactMismatch(
            f"{name} was not stored: it has {size} bytes with sha256 {found}, where {artifact.bytes} bytes "
            f"with {artifact.sha256} were promised."
        )
    return md5.digest()


def _parts_of(stream: BinaryIO, artifact: StoredArtifact) -> Iterator[bytes]:
    """Equal parts, the last may be shorter. Raises StorageUnavailable where the file has changed."""
    size = max(_PART, -(-artifact.bytes // _MOST_PARTS))
    digest = hashlib.sha256()
    while data := stream.read(size):
        digest.update(data)
        yield data
    if digest.hexdigest() != artifact.sha256:
        raise StorageUnavailable(
            f"The file of {artifact.key} changed while it was uploaded; it is tried again."
        )
