"""The published view of a bucket: copies under `outputs` made by the store, their records under `published`.

There is no lock: a record is written only where it still is what was read, and files are copied after it. A
publisher that stood still in between may copy over what a newer one has published meanwhile. So whoever has
copied or removed something looks at the records again, and gives back what is another's by then; the next
publication of a job whose publisher was killed in just that moment does the same.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lib.clock import Clock
from lib.storage.locations import output_key
from lib.storage.name_ownership import Entries, Files, NameDecision, decide, names_of
from lib.storage.names import FoundFile, kept_paths
from lib.storage.port import (
    ArtifactMismatch,
    Claim,
    NotStored,
    Published,
    StorageUnavailable,
    StoredArtifact,
)
from lib.storage.s3.blobs import Blobs
from lib.storage.s3.objects import Objects, ObjectSeen, Only
from lib.storage.s3.records import RecordChanged, Records, alone_on_this_machine

log = logging.getLogger(__name__)

_TRIES: Final = 50  # each one lost to a publisher who got further


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy to be made: of what was seen at the artifact's key, over what was seen at the path."""

    artifact: StoredArtifact
    source_etag: str
    there: ObjectSeen | None


@dataclass(slots=True)
class _Work:
    """What is to be copied, what cannot be had, and the paths that were written or emptied so far."""

    copies: dict[str, _Copy] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()


class S3Outputs:
    """Published files and whose they are. Threads: any."""

    def __init__(self, objects: Objects, blobs: Blobs, clock: Clock) -> None:
        self._objects, self._blobs, self._clock = objects, blobs, clock

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
        """As `Storage.publish`. Whoever published meanwhile makes it begin anew."""
        touched: dict[str, StoredArtifact | None] = {}  # by path: what this call put there, None: emptied
        for _ in range(_TRIES):
            with self._alone():
                records = Records(self._objects, conditions=self._blobs.capabilities.puts)
                verdict = decide(claim, name, files, former, records.entries)
                kept = frozenset[str]()
                if keep:
                    kept = kept_paths(self, verdict.files, records.entries.of(name), claim)
                wanted, spare = {**verdict.inherited, **verdict.files}, {*extras, *verdict.inherited}
                work = self._work(wanted, kept, spare)
                if work.missing & verdict.files.keys():
                    files = {path: item for path, item in files.items() if path not in work.missing}
                    continue
                with contextlib.suppress(RecordChanged):
                    self._give_back({**files, **touched}, verdict, records.entries, touched)
                    self._carry_out(verdict, work, records, touched)
                    places = {path: self.location(path) for path in verdict.files if path not in kept}
                    return Published(places, verdict.lost, kept, verdict.superseded_by)
        raise StorageUnavailable(
            f"Others kept publishing {name} in {self._objects.address.url} at the same time; try again."
        )

    def entries(self) -> Entries:
        """To be read only: nothing need be known of the store for that."""
        return Records(self._objects, conditions=True).entries

    def found(self, name: str) -> FoundFile | None:
        """Look at the object; where the store tells no hash it is read when that is asked for."""
        seen, key = self.look(name), output_key(name)
        return None if seen is None else FoundFile(seen.bytes, lambda: self._objects.sha256(key, seen))

    def is_stored(self, artifact: StoredArtifact) -> bool:
        """Look at the blob's length."""
        blob = self._objects.look(artifact.key)
        return blob is not None and blob.bytes == artifact.bytes

    def look(self, name: str) -> ObjectSeen | None:
        """What stands at the name."""
        return self._objects.look(output_key(name))

    def location(self, name: str) -> str:
        """The URL of `outputs/<name>`."""
        return f"{self._objects.address.url}/{output_key(name)}"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if self._blobs.capabilities.puts:
            yield
        else:
            with alone_on_this_machine(self._objects.address.url, self._clock):
                yield

    def _carry_out(
        self, verdict: NameDecision, work: _Work, records: Records, touched: dict[str, StoredArtifact | None]
    ) -> None:
        """Do what was decided. Raises RecordChanged where that may not hold any more."""
        for entry in verdict.entries:
            records.write(entry)
        for path, copy in work.copies.items():
            self._copy(path, copy)
            touched[path] = copy.artifact
        for path, artifacts in verdict.removals.items():
            if self._remove(path, artifacts):
                touched[path] = None
        for entry in verdict.settled:
            records.write(entry)
        if touched and not records.stand():
            raise RecordChanged

    def _work(self, files: Files, kept: Collection[str], extras: Collection[str]) -> _Work:
        """What does not stand under its name yet, and the extras that cannot be had."""
        copies, missing = dict[str, _Copy](), set[str]()
        for path, artifact in files.items():
            if path in kept:
                continue
            there = self.look(path)
            if there is not None and self._objects.is_(output_key(path), there, artifact):
                continue
            found = self._blobs.whole(artifact)
            if isinstance(found, ObjectSeen):
                copies[path] = _Copy(artifact, found.etag, there)
            elif path in extras:
                missing.add(path)
            elif found == "gone":
                raise NotStored(f"{artifact.key} is not in the store {self._objects.address.url}.")
            else:
                raise ArtifactMismatch(
                    f"{artifact.key} is damaged in the store and was not published as {path}: it is not the "
                    f"{artifact.bytes} bytes that were promised."
                )
        return _Work(copies, frozenset(missing))

    def _copy(self, path: str, copy: _Copy) -> None:
        """Have the store copy, and look at it. Raises RecordChanged where other bytes lie there by now."""
        key = output_key(path)
        only = Only(copy.there.etag if copy.there else None) if self._blobs.capabilities.copies else None
        made = self._objects.copy(copy.artifact.key, copy.source_etag, key, copy.artifact, only=only)
        seen = self._objects.look(key)
        if seen is not None and self._objects.is_(key, seen, copy.artifact, told=self._blobs.told):
            return
        if not made or seen is None or seen.differs(copy.artifact):
            raise RecordChanged
        raise StorageUnavailable(
            f"The store {self._objects.address.url} does not give back what it copied to {path}; look."
        )

    def _remove(self, path: str, artifacts: Collection[StoredArtifact]) -> bool:
        """Take away just these bytes; an edited copy stays."""
        key = output_key(path)
        seen = self._objects.look(key)
        if seen is None:
            return False
        if any(self._objects.is_(key, seen, artifact) for artifact in artifacts):
            return self._objects.delete(
                key, only=Only(seen.etag) if self._blobs.capabilities.deletes else None
            )
        log.info("%s belongs to no job any more; it was edited, so it stays", path)
        return False

    def _give_back(
        self,
        ours: Mapping[str, StoredArtifact | None],
        verdict: NameDecision,
        entries: Entries,
        touched: dict[str, StoredArtifact | None],
    ) -> None:
        """Put right what we may have put over a newer job's file: at these paths our bytes are not to lie.

        Only where this publication has lost a path: else what stands at its paths is its own.
        """
        for path, mine in ours.items():
            if (
                path in verdict.files
                or path in verdict.inherited
                or path in verdict.removals
                or (path not in verdict.lost and path not in touched)
            ):
                continue
            theirs = self._owned(path, entries)
            there = self.look(path)
            key = output_key(path)
            is_mine = there is not None and mine is not None and self._objects.is_(key, there, mine)
            if theirs is None:
                if is_mine and there is not None:
                    self._objects.delete(
                        key, only=Only(there.etag) if self._blobs.capabilities.deletes else None
                    )
            elif theirs != mine and (is_mine or (there is None and path in touched)):
                blob = self._blobs.whole(theirs)
                if isinstance(blob, ObjectSeen):
                    self._copy(path, _Copy(theirs, blob.etag, there))

    @staticmethod
    def _owned(path: str, entries: Entries) -> StoredArtifact | None:
        """The file that the path's owner has there."""
        found = [entry for name in names_of(path) if (entry := entries.of(name)) and path in entry.files]
        newest = max(found, key=lambda entry: entry.claim.order if entry.claim else 0, default=None)
        return None if newest is None else newest.files[path]
