"""Artifacts in a bucket: Amazon S3, Cloudflare R2, Backblaze B2, MinIO, SeaweedFS and others like them."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import BinaryIO, Final

from lib.clock import Clock, SystemClock
from lib.storage.hashed_writes import chunks_of, save
from lib.storage.locations import artifact_of, output_key
from lib.storage.names import PublishedNames
from lib.storage.port import (
    ArtifactMismatch,
    NotStored,
    SignedUpload,
    StorageExam,
    StoredArtifact,
)
from lib.storage.s3.access import S3Access
from lib.storage.s3.address import S3Address
from lib.storage.s3.blobs import Blobs
from lib.storage.s3.client import ANSWER_S, RETRIES, S3Connection
from lib.storage.s3.incoming import S3Incoming
from lib.storage.s3.objects import BLOB_TYPE, Objects, type_of
from lib.storage.s3.outputs import S3Outputs

_INCOMING_ANSWER_S: Final = 5.0
_SIGNED_FOR_S: Final = 3600


class S3Storage(PublishedNames):
    """Blobs under `blobs/sha256/ab/<sha256>`, published copies under `outputs/<name>`, below a prefix.

    Nothing is asked, and boto3 is not imported, before the first call that needs it. `retries` are those of
    one request, by the client; `answer_s` is how long it is waited for an answer,
    `incoming_answer_s` the same for what lies in `incoming/`.

    Threads: any.
    Raises: as `Storage`; MissingExtra where boto3 is not installed.
    """

    def __init__(
        self,
        address: S3Address,
        access: S3Access,
        clock: Clock | None = None,
        *,
        retries: int = RETRIES,
        answer_s: float = ANSWER_S,
        incoming_answer_s: float = _INCOMING_ANSWER_S,
        in_parts: int | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._address, self._clock = address, clock
        connection = S3Connection(address, access, clock, retries=retries, answer_s=answer_s)
        self._objects = Objects(connection)
        self._blobs = Blobs(self._objects, clock, **({} if in_parts is None else {"in_parts": in_parts}))
        self._outputs = S3Outputs(self._objects, self._blobs, clock)
        # The watcher's loop lists it every minute, and has to turn meanwhile.
        impatient = S3Connection(address, access, clock, retries=retries, answer_s=incoming_answer_s)
        self._incoming = S3Incoming(Objects(impatient))
        super().__init__(self._outputs)

    def put(self, source: Path, *, sha256: str, bytes: int) -> StoredArtifact:
        """Hash the file, upload it where nothing lies, and look at it; what is there already is compared."""
        artifact = artifact_of(sha256, bytes)
        self._blobs.put(source, artifact)
        return artifact

    def has(self, artifact: StoredArtifact) -> bool:
        """Ask for the length."""
        seen = self._objects.look(artifact.key)
        return seen is not None and seen.bytes == artifact.bytes

    def verify(self, artifact: StoredArtifact) -> bool:
        """Read it whole and compare, whatever the store tells of it."""
        return self._objects.holds(artifact.key, artifact, told=False)

    def open(self, artifact: StoredArtifact) -> BinaryIO:
        """A stream over the network."""
        return self._objects.open(artifact.key, f"{artifact.key} is not in the store {self._address.url}.")

    def fetch(self, artifact: StoredArtifact, local: Path) -> None:
        """Download, hash while writing, sync, rename."""
        with self.open(artifact) as stream:
            save(chunks_of(stream), local, artifact)

    def sign_upload(self, sha256: str, bytes: int) -> SignedUpload | None:
        """A PUT for an hour; None from a store that would not compare the bytes with what was signed."""
        artifact = artifact_of(sha256, bytes)
        if not self._blobs.told:
            return None
        digest = _in_base64(sha256)
        with self._objects.connection.refusals():
            url = self._objects.client.generate_presigned_url(
                "put_object",
                Params={
                    **self._objects.at(artifact.key),
                    "ChecksumSHA256": digest,
                    "ContentLength": bytes,
                    "ContentType": BLOB_TYPE,
                    "Metadata": {"sha256": sha256},
                },
                ExpiresIn=_SIGNED_FOR_S,
            )
        headers = {
            "content-length": str(bytes),
            "content-type": BLOB_TYPE,
            "x-amz-checksum-sha256": digest,
            "x-amz-meta-sha256": sha256,
        }
        return SignedUpload(url, headers, self._clock.now() + _SIGNED_FOR_S)

    def incoming(self) -> S3Incoming:
        """Below `incoming/`, beside the blobs."""
        return self._incoming

    def sign_download(self, artifact: StoredArtifact, name: str) -> str | None:
        """A GET of the blob for an hour, with the name's last part and its type."""
        output_key(name)
        last = re.sub(r"[^A-Za-z0-9._ -]", "_", name.rpartition("/")[2])
        with self._objects.connection.refusals():
            url: str = self._objects.client.generate_presigned_url(
                "get_object",
                Params={
                    **self._objects.at(artifact.key),
                    "ResponseContentType": type_of(name),
                    "ResponseContentDisposition": f'inline; filename="{last}"',
                },
                ExpiresIn=_SIGNED_FOR_S,
            )
        return url

    def examine(self) -> StorageExam:
        """Put, look, list and delete, with conditions and checksums that must be refused."""
        capabilities = self._blobs.capabilities
        self._blobs.sweep()
        return StorageExam(capabilities.lacks, capabilities.ahead_s)

    def confirm(self, sha256: str, bytes: int) -> StoredArtifact:
        """Compare with what the store has checked; read it whole where that is nothing."""
        return self._blobs.confirm(sha256, bytes)

    def restore(self, artifact: StoredArtifact, name: str) -> None:
        """Have the store copy `outputs/<name>` to the blob's key unless the blob is whole."""
        if self.verify(artifact):
            return
        seen = self._outputs.look(name)
        if seen is None:
            raise NotStored(f"Nothing is published as {name}.")
        key = output_key(name)
        if not self._objects.is_(key, seen, artifact, told=False):
            raise ArtifactMismatch(
                f"The published file {name} was not copied back into the store: it is not the "
                f"{artifact.bytes} bytes that were promised."
            )
        self._objects.copy(key, seen.etag, artifact.key, artifact, only=None)
        self._blobs.need_whole(artifact)

    def location(self, name: str) -> str:
        """The URL of `outputs/<name>`."""
        return self._outputs.location(name)

    def stands(self, artifact: StoredArtifact, name: str) -> bool | None:
        """Compare what the store tells of it; where it tells no hash it is read whole."""
        seen = self._outputs.look(name)
        return None if seen is None else self._objects.is_(output_key(name), seen, artifact)

    def published(self, name: str) -> bool:
        """Look for the name."""
        return self._outputs.look(name) is not None

    def blob(self, artifact: StoredArtifact) -> str:
        """The blob's URL."""
        return f"{self._address.url}/{artifact.key}" if self._objects.look(artifact.key) is not None else ""


def _in_base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
