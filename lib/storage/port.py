"""What a store of artifacts must do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from lib.errors import ExitStatus, JobRunnerError, Unavailable
from lib.records import FileRef


class StorageUnavailable(Unavailable):
    """The store takes or gives nothing now: full, read-only, out of reach. Jobs wait; none is lost."""


class StorageMisconfigured(StorageUnavailable):
    """The store refuses until a person mends something: a bucket, credentials, rights, this machine's clock.

    A command ends with that; whoever has finished work at hand waits, as for any store that refuses.
    """

    exit_status = ExitStatus.BAD_CONFIGURATION


class ArtifactMismatch(JobRunnerError):
    """The bytes are not the ones that were promised: another length or another sha256."""


class NotStored(JobRunnerError):
    """The store has no such artifact."""


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """An artifact that is in the store and was read back."""

    key: str  # "blobs/sha256/ab/<64 hex>": the content names its place
    sha256: str
    bytes: int

    @classmethod
    def of(cls, file: FileRef) -> StoredArtifact:
        """The artifact of a record's file.

        Raises:
            NotStored: the record names no place in a store.
        """
        if file.key is None:
            raise NotStored(f"The record of {file.file} names no place in a store.")
        return cls(file.key, file.sha256, file.bytes)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants a name: a job, which content of it, and its place in the order of asking.

    `order` is 0 for a job that was accepted by a version that knew no order.
    """

    request_id: str
    revision: int = 1
    order: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication.

    `places` are those of the files that stand under their names now. `lost` are the paths that a newer job
    owns, with its claim; `kept` those where a file of a person was left. `superseded_by` is the newer claim
    of the name itself: then nothing was published.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, Claim] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    superseded_by: Claim | None = None


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """What a machine without any right of ours needs to upload one file: a PUT with just these headers."""

    url: str
    headers: Mapping[str, str]
    expires_at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class StorageExam:
    """What an examination of a store showed.

    `lacks` are sentences: what it does not keep, and what that means. `ahead_s` is by how many seconds this
    machine's clock is ahead of the store's; None where the store tells no time.
    """

    lacks: tuple[str, ...] = ()
    ahead_s: float | None = None


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file below `incoming/`. `at`: when it came, in seconds since the epoch by the store's clock."""

    name: str
    bytes: int
    at: float


class Incoming(Protocol):
    """The part of a store that machines may put files into.

    Names are those below `incoming/`; a signed URL is a right to put one file there, of any bytes, until it
    runs out: a secret of small scope.

    Threads: any.
    Raises, from every method: StorageUnavailable; ValueError for a name that is no
        `<32 hex>/<number>-<8 characters>/<file>`.
    """

    def sign(self, name: str, *, life_s: int) -> str:
        """A URL for a plain PUT to that name, for so many seconds. The store is not asked."""
        ...

    def list(self) -> Sequence[IncomingFile]:
        """What lies there, up to some thousands; what has a name that nothing was signed for is left out."""
        ...

    def open(self, name: str) -> BinaryIO:
        """A stream from the file's start; a context manager. Raises NotStored."""
        ...

    def remove(self, names: Sequence[str]) -> None:
        """Remove files; one that is gone is success."""
        ...


class Storage(Protocol):
    """A content-addressed store with a published view by name.

    Every call may be repeated: the second one finds the work done and changes nothing. A place (what
    `publish`, `location` and `blob` return) is a path or a URL, for people: it is a text, and must not pass
    through anything that takes it for a path.

    Raises, from every method but `location`:
        StorageUnavailable: the store refuses; the caller may try again later. StorageMisconfigured, one of
            these, where that helps only after a person has mended something.
    """

    def put(self, source: Path, *, sha256: str, bytes: int) -> StoredArtifact:
        """Store the file of `bytes` bytes under the name of its content, and read back what was stored.

        What is not promised is never stored, and what does not read back as it was written is not left
        under its name: that is the store's trouble (StorageUnavailable), for the file is good.

        Raises:
            ArtifactMismatch: the file is not the one `sha256` and `bytes` describe.
            OSError: `source` cannot be opened.
        """
        ...

    def has(self, artifact: StoredArtifact) -> bool:
        """Say whether the artifact is there, with its size. Cheap: its bytes are not read."""
        ...

    def verify(self, artifact: StoredArtifact) -> bool:
        """Say whether the artifact is there, with its size and its sha256. Reads it whole."""
        ...

    def open(self, artifact: StoredArtifact) -> BinaryIO:
        """Open the artifact for reading from its start; a context manager. Its bytes are not verified.

        Raises:
            NotStored: it is not there.
        """
        ...

    def fetch(self, artifact: StoredArtifact, local: Path) -> None:
        """Copy the artifact to `local`, whole and verified, or leave `local` as it was.

        Raises:
            NotStored: it is not there.
            ArtifactMismatch: it is damaged.
            OSError: `local` cannot be written.
        """
        ...

    def sign_upload(self, sha256: str, bytes: int) -> SignedUpload | None:
        """Let a machine put that content at its own key, and nothing else anywhere.

        The signature covers the checksum: another body is refused by the store, and so is a request
        without these headers. Content that is there already need not be uploaded; the store may refuse it.
        Whatever the machine says of its upload, `confirm` decides. None: this store takes no uploads from
        a machine, so files go through the watcher and `put`.
        """
        ...

    def incoming(self) -> Incoming | None:
        """Where a machine that ends itself puts what it finished. None: no machine elsewhere can reach it.

        The store is not asked.
        """
        ...

    def sign_download(self, artifact: StoredArtifact, name: str) -> str | None:
        """A URL by which anybody may read the artifact for an hour, as a file of that name.

        The store is not asked. None: its places are paths, which whoever may read them opens.
        """
        ...

    def examine(self) -> StorageExam:
        """Try all that the store is needed for, and leave nothing behind."""
        ...

    def confirm(self, sha256: str, bytes: int) -> StoredArtifact:
        """Verify what lies at the content's key, after a machine uploaded it; what `put` would return.

        Raises:
            NotStored: nothing lies there.
            ArtifactMismatch: other bytes do, or `sha256` is none.
        """
        ...

    def publish(
        self,
        claim: Claim,
        output_name: str,
        files: Mapping[str, StoredArtifact],
        *,
        extras: Collection[str] = (),
        former: Mapping[str, Mapping[str, StoredArtifact]] | None = None,
        keep: bool = False,
    ) -> Published:
        """Make a job's files readable as `outputs/<path>`, verified, unless a newer job owns them.

        `files` are by path, the chosen take first; of `extras` each is left out where it cannot be published.
        Paths are made of an output name, which `lib.jobspec` has validated. Orders are compared in the store,
        by one publisher at a time: a lower one never replaces a higher one, whoever comes later. What the
        owner before had under the name, and what `former` (output name to files) says of earlier revisions of
        the same job, is removed where our bytes lie there. With `keep` a file that no job made stays, unless
        the name was another job's. Where it fails, what stood at a path stays.

        Raises:
            NotStored: an artifact is not there.
            ArtifactMismatch: it is damaged.
        """
        ...

    def rivals(
        self, claim: Claim, output_name: str, files: Mapping[str, StoredArtifact]
    ) -> Mapping[str, Claim]:
        """Which of these paths a newer job owns, with its claim: what `publish` would not touch."""
        ...

    def owner(self, output_name: str) -> Claim | None:
        """Whose audio lies under the name; None where nobody's does, or nobody wrote it down."""
        ...

    def stranger(self, artifact: StoredArtifact, name: str, *, deep: bool = False) -> StoredArtifact | None:
        """The other artifact of this store whose bytes stand at `outputs/<name>`.

        None where the artifact itself stands there, nothing, or what no job made: that is a person's. Only
        with `deep` is a file of the artifact's size read.
        """
        ...

    def restore(self, artifact: StoredArtifact, name: str) -> None:
        """Store the artifact again from its published copy `outputs/<name>`, verified as by `put`.

        Raises:
            NotStored: nothing is published there.
            ArtifactMismatch: another one is.
        """
        ...

    def location(self, name: str) -> str:
        """The place where `outputs/<name>` is or would be. The store is not asked."""
        ...

    def stands(self, artifact: StoredArtifact, name: str) -> bool | None:
        """Whether `outputs/<name>` holds this artifact; None when nothing stands there."""
        ...

    def published(self, name: str) -> bool:
        """Whether anything stands at `outputs/<name>`; its content is not looked at."""
        ...

    def blob(self, artifact: StoredArtifact) -> str:
        """The place where the artifact itself is kept, whatever its name holds; "" when it is gone."""
        ...
