"""The names of a store: what every kind of store says of them alike, and what a person's file is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from lib.storage.locations import artifact_of
from lib.storage.name_ownership import Entries, Entry, Files, owner, rivals
from lib.storage.port import Claim, Published, StoredArtifact


@dataclass(frozen=True, slots=True)
class FoundFile:
    """What stands at a published path. `sha256` is asked for where it is needed; None: gone meanwhile."""

    bytes: int
    sha256: Callable[[], str | None]
    plain: bool = True  # no link and no folder


IsStored = Callable[[StoredArtifact], bool]  # whether a store has a blob of that content


class OutputsOfAStore(Protocol):
    """What a kind of store does in its own way. Raises, from every method: StorageUnavailable."""

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
        """As `Storage.publish`."""
        ...

    def entries(self) -> Entries:
        """The records of names, as they are now."""
        ...

    def found(self, name: str) -> FoundFile | None:
        """What stands at `outputs/<name>`."""
        ...

    def is_stored(self, artifact: StoredArtifact) -> bool:
        """Whether a blob lies at its key, with its length."""
        ...


class PublishedNames:
    """Whose names are, over the outputs of a store. Raises, from every method: as `Storage`."""

    def __init__(self, outputs: OutputsOfAStore) -> None:
        self._names = outputs

    def publish(
        self,
        claim: Claim,
        output_name: str,
        files: Files,
        *,
        extras: Collection[str] = (),
        former: Mapping[str, Files] | None = None,
        keep: bool = False,
    ) -> Published:
        """Publish as this kind of store does it."""
        return self._names.publish(claim, output_name, files, extras=extras, former=former or {}, keep=keep)

    def rivals(self, claim: Claim, output_name: str, files: Files) -> Mapping[str, Claim]:
        """Read the records of the names that can have these paths."""
        return rivals(claim, output_name, files, self._names.entries())

    def owner(self, output_name: str) -> Claim | None:
        """Read the record of the name."""
        return owner(output_name, self._names.entries())

    def stranger(self, artifact: StoredArtifact, name: str, *, deep: bool = False) -> StoredArtifact | None:
        """Compare lengths, then hashes, and look for a blob of that content."""
        found = self._names.found(name)
        if found is None or (found.bytes == artifact.bytes and not deep):
            return None
        other = artifact_in(found)
        return other if other not in (None, artifact) and self._names.is_stored(other) else None


def artifact_in(found: FoundFile) -> StoredArtifact | None:
    """The artifact of a file's content, stored or not; None for what cannot be one."""
    sha256 = found.sha256() if found.plain and found.bytes else None
    return None if sha256 is None else artifact_of(sha256, found.bytes)


def is_a_persons(found: FoundFile | None, artifact: StoredArtifact, is_stored: IsStored) -> bool:
    """Whether no job made what stands where the artifact is to be: it is neither this nor a stored one."""
    if found is None:
        return False
    if not found.plain or not found.bytes:
        return True
    there = artifact_in(found)
    return there not in (None, artifact) and not is_stored(there)


def kept_paths(outputs: OutputsOfAStore, files: Files, own: Entry | None, claim: Claim) -> frozenset[str]:
    """The paths where a person's file stays: no job made it, and the name was no other job's."""
    if own is not None and own.claim is not None and own.claim.request_id != claim.request_id:
        return frozenset()
    return frozenset(
        path for path, item in files.items() if is_a_persons(outputs.found(path), item, outputs.is_stored)
    )
