"""Objects of a bucket, with conditions: each request of ours and what its answers mean.

The client repeats a request whose answer was lost, so the second may be refused because the first was carried
out (412). Whoever is told False here therefore looks at what lies there before concluding anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from lib.storage.hashed_writes import chunks_of
from lib.storage.port import NotStored, StoredArtifact
from lib.storage.s3.capabilities import Capabilities
from lib.storage.s3.client import S3Connection, code_of, status_of

BLOB_TYPE: Final = "application/octet-stream"
_FOR_EVER: Final = "private, max-age=31536000, immutable"
_LONGEST_RECORD: Final = 16 << 20
_TYPES: Final = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".opus": "audio/ogg",
    ".ogg": "audio/ogg",
    ".json": "application/json",
    ".png": "image/png",
}
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CONDITION: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_MISSING: Final = frozenset({"NoSuchKey", "NotFound", "NoSuchUpload"})


@dataclass(frozen=True, slots=True)
class ObjectSeen:
    """What a look at a key found. `sha256` is None where the store tells none of the whole object."""

    bytes: int
    etag: str
    sha256: str | None = None

    def differs(self, artifact: StoredArtifact) -> bool:
        """Whether it cannot be the artifact."""
        return self.bytes != artifact.bytes or self.sha256 not in (None, artifact.sha256)


@dataclass(frozen=True, slots=True)
class Only:
    """Under which condition something is written: where nothing lies, or just what was seen."""

    etag: str | None

    def headers(self) -> dict[str, str]:
        """The condition as the client takes it."""
        return {"IfNoneMatch": "*"} if self.etag is None else {"IfMatch": self.etag}


class Objects:
    """Keys are ours, without the prefix. Threads: any.

    Raises, from every method: StorageUnavailable.
    """

    def __init__(self, connection: S3Connection) -> None:
        self.connection, self.address = connection, connection.address

    @property
    def client(self) -> Any:
        """The client itself."""
        return self.connection.client

    def at(self, key: str) -> dict[str, Any]:
        """The two parameters that name an object."""
        return {"Bucket": self.address.bucket, "Key": self.address.key(key)}

    def look(self, key: str) -> ObjectSeen | None:
        """What lies at the key; None for nothing. A missing bucket, or no right to look, is not nothing."""
        with self.connection.refusals():
            from botocore.exceptions import ClientError

            try:
                found = self.client.head_object(**self.at(key), ChecksumMode="ENABLED")
            except ClientError as error:
                if status_of(error.response) not in (400, 401, 403, 404):
                    raise
                found = None
        if found is None:  # an answer to HEAD has no body that would say which
            return self._why_not(key)
        told = self.connection.told
        return ObjectSeen(told(found, "ContentLength"), told(found, "ETag"), _sha256_of(found))

    def _why_not(self, key: str) -> ObjectSeen | None:
        """Ask again so that the answer has words; None: it is missing indeed."""
        answer = self._get(key, Range="bytes=0-0")
        if answer is None:
            return None
        answer["Body"].close()
        length = _whole_length(answer, self.connection.told(answer, "ContentLength"))
        return ObjectSeen(length, answer["ETag"])  # it came meanwhile

    def _get(self, key: str, **more: Any) -> Any:
        with self.connection.refusals():
            from botocore.exceptions import ClientError

            try:
                answer = self.client.get_object(**self.at(key), **more)
            except ClientError as error:
                if code_of(error.response) in _MISSING:
                    return None
                raise
            self.connection.told(answer, "ETag")  # a web server's page is no object
        return answer

    def read(self, key: str) -> tuple[bytes, str] | None:
        """A small object and its etag; None for nothing."""
        answer = self._get(key)
        if answer is None:
            return None
        with _stream(answer["Body"], self.connection) as stream:
            return stream.read(_LONGEST_RECORD), str(answer["ETag"])

    def open(self, key: str, missing: str) -> BinaryIO:
        """A stream from the start. Raises NotStored with the sentence `missing`."""
        answer = self._get(key)
        if answer is None:
            raise NotStored(missing)
        return _stream(answer["Body"], self.connection)

    def sha256(self, key: str, seen: ObjectSeen, *, told: bool = True) -> str | None:
        """Of what was seen at the key: as the store tells it where that counts, else by reading it whole.

        None where it is gone meanwhile.
        """
        if told and seen.sha256 is not None:
            return seen.sha256
        answer = self._get(key)
        if answer is None:
            return None
        digest = hashlib.sha256()
        with _stream(answer["Body"], self.connection) as stream:
            for chunk in chunks_of(stream):
                digest.update(chunk)
        return digest.hexdigest()

    def holds(self, key: str, artifact: StoredArtifact, *, told: bool = True) -> bool:
        """Whether the artifact lies there."""
        seen = self.look(key)
        return seen is not None and self.is_(key, seen, artifact, told=told)

    def is_(self, key: str, seen: ObjectSeen, artifact: StoredArtifact, *, told: bool = True) -> bool:
        """Whether what was seen there is the artifact."""
        return not seen.differs(artifact) and self.sha256(key, seen, told=told) == artifact.sha256

    def put(
        self, key: str, body: bytes | BinaryIO, headers: Mapping[str, Any], *, only: Only | None = None
    ) -> str | None:
        """Put an object and return its etag; None where the condition did not hold."""
        conditions = {} if only is None else only.headers()
        etags: list[str] = []

        def act(client: Any) -> None:
            answer = client.put_object(**self.at(key), Body=body, **headers, **conditions)
            etags.append(self.connection.told(answer, "ETag"))

        return etags[0] if self.try_to(act) else None

    def copy(self, source: str, etag: str, key: str, artifact: StoredArtifact, *, only: Only | None) -> bool:
        """Have the store copy just what was seen at `source`; False where a condition did not hold."""
        conditions: dict[str, Any] = {} if only is None else only.headers()
        return self.try_to(
            lambda client: client.copy_object(
                **self.at(key),
                CopySource=self.at(source),
                CopySourceIfMatch=etag,
                MetadataDirective="REPLACE",
                **described(artifact, key),
                **conditions,
            )
        )

    def delete(self, key: str, *, only: Only | None = None) -> bool:
        """Remove an object, which may be gone already; False where the condition did not hold."""
        conditions: dict[str, Any] = {} if only is None else only.headers()
        return self.try_to(lambda client: client.delete_object(**self.at(key), **conditions))

    def try_to(self, act: Callable[[Any], object], *, anyway: bool = False) -> bool:
        """Whether the act was not refused for its condition, or for an object that is not there."""
        with self.connection.refusals(anyway=anyway):
            from botocore.exceptions import ClientError

            try:
                act(self.client)
            except ClientError as error:
                if is_condition(error.response) or code_of(error.response) in _MISSING:
                    return False
                raise
        return True


def is_condition(answer: Mapping[str, Any]) -> bool:
    """Whether a refusal says that a condition did not hold; old MinIO says 304."""
    return code_of(answer) in _CONDITION or status_of(answer) in (304, 409, 412)


def described(artifact: StoredArtifact, key: str) -> dict[str, Any]:
    """What is kept beside an object's bytes. Our note of the hash serves where a store keeps no checksum."""
    blob = key.startswith("blobs/")
    kind = BLOB_TYPE if blob else _TYPES.get("." + key.rpartition(".")[2], BLOB_TYPE)
    more = {"CacheControl": _FOR_EVER} if blob else {"CacheControl": "no-cache"}
    return {"ContentType": kind, "Metadata": {"sha256": artifact.sha256}, **more}


def type_of(name: str) -> str:
    """The media type of a published name."""
    return _TYPES.get("." + name.rpartition(".")[2], BLOB_TYPE)


def checksum_header(sha256: str, md5: bytes | None, capabilities: Capabilities) -> dict[str, str]:
    """By what the store sees that the bytes arrived: their SHA-256, or MD5 where it takes no other."""
    if capabilities.takes_sha256 or md5 is None:
        return {"ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode()}
    return {"ContentMD5": base64.b64encode(md5).decode()}


def _sha256_of(answer: Mapping[str, Any]) -> str | None:
    """The hash of the whole object: of an upload in parts the store's own is one of hashes."""
    told = answer.get("ChecksumSHA256", "")
    try:
        digest = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) == 32:
        return digest.hex()
    notes = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
    note = notes.get("sha256", "")
    return note if _SHA256.fullmatch(note) else None


def _whole_length(answer: Mapping[str, Any], of_this: int) -> int:
    whole = str(answer.get("ContentRange", "")).rpartition("/")[2]
    return int(whole) if whole.isdigit() else of_this


class _Body(io.RawIOBase):
    """An answer's body whose troubles are the store's."""

    def __init__(self, body: Any, connection: S3Connection) -> None:
        self._body, self._connection = body, connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._connection.refusals():
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _stream(body: Any, connection: S3Connection) -> BinaryIO:
    return io.BufferedReader(_Body(body, connection), 1 << 20)
