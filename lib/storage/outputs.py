"""The published view of a store in a folder: copies under `outputs`, their records under `published`.

Bytes are copied to drafts beside their names first; the lock is held for renames and records only. A record
is written before the files it tells of: killed in between, a publisher leaves a name that only the same job
or a newer one may fill.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from lib.clock import Clock
from lib.files import take_folder_lock
from lib.storage.folder import StoreFolder
from lib.storage.locations import output_key
from lib.storage.name_ownership import FOLDER, Entries, Entry, Files, NameDecision, decide, entry_key
from lib.storage.names import FoundFile, kept_paths
from lib.storage.port import (
    ArtifactMismatch,
    Claim,
    NotStored,
    Published,
    StorageUnavailable,
    StoredArtifact,
)

log = logging.getLogger(__name__)

_LOOK_S, _PATIENCE_S = 0.005, 10.0  # for the lock: held for some renames, but its holder may be stopped
_Drafts = dict[str, Path]  # by path


class Outputs:
    """Published files and whose they are. Within `outputs` no link is followed."""

    def __init__(self, folder: StoreFolder, clock: Clock) -> None:
        self._folder, self._clock = folder, clock

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
        while True:
            entries = self.entries()
            verdict = decide(claim, name, files, former, entries)
            with contextlib.ExitStack() as stack:
                kept = kept_paths(self, verdict.files, entries.of(name), claim) if keep else frozenset[str]()
                wanted, spare = {**verdict.inherited, **verdict.files}, {*extras, *verdict.inherited}
                drafts, missing = self._drafts(wanted, kept, spare, stack)
                files = {path: item for path, item in files.items() if path not in missing}
                if self._at_once(claim, name, files, former, entries, drafts):
                    stands = [path for path in verdict.files if path not in kept | missing]
                    places = {path: str(self.path(path)) for path in stands}
                    return Published(places, verdict.lost, kept, verdict.superseded_by)

    def entries(self) -> Entries:
        """As they lie under `published`."""
        return Entries(self._read)

    def found(self, name: str) -> FoundFile | None:
        """Look at the file; it is hashed where that is asked for."""
        seen = self.stat(name)
        if seen is None:
            return None
        return FoundFile(
            seen.st_size, lambda: self._folder.sha256(self.path(name)), stat.S_ISREG(seen.st_mode)
        )

    def is_stored(self, artifact: StoredArtifact) -> bool:
        """Look at the blob's size."""
        blob = self._folder.stat(self._folder.root / artifact.key)
        return blob is not None and blob.st_size == artifact.bytes

    def path(self, name: str) -> Path:
        """Where `outputs/<name>` is or would be."""
        return self._folder.root / output_key(name)

    def stat(self, name: str) -> os.stat_result | None:
        """What stands at the name, or the link on the way to it; None for nothing."""
        found = None
        for path in self._way_to(name):
            found = self._folder.stat(path, follow=False)
            if found is None or stat.S_ISLNK(found.st_mode):
                break
        return found

    def _at_once(
        self,
        claim: Claim,
        name: str,
        files: Files,
        former: Mapping[str, Files],
        seen: Entries,
        drafts: _Drafts,
    ) -> bool:
        """Carry out what was decided; False where what was seen has changed since."""
        entries = self.entries()
        verdict = decide(claim, name, files, former, entries)
        if not (drafts or verdict.entries or verdict.settled):  # a repeat
            return all(seen.seen.get(other, entry) == entry for other, entry in entries.seen.items())
        with self._alone():
            entries = self.entries()
            verdict = decide(claim, name, files, former, entries)
            if any(seen.seen.get(other, entry) != entry for other, entry in entries.seen.items()):
                return False
            self._carry_out(verdict, drafts)
        return True

    def _carry_out(self, verdict: NameDecision, drafts: _Drafts) -> None:
        disk = self._folder.disk
        with self._folder.refusals():
            for entry in verdict.entries:
                self._write(entry)
            for path, draft in drafts.items():
                disk.name(draft, self.path(path))
            for path, artifacts in verdict.removals.items():
                self._remove(path, artifacts)
            for entry in verdict.settled:
                self._write(entry)

    def _drafts(
        self, files: Files, kept: Collection[str], extras: Collection[str], stack: contextlib.ExitStack
    ) -> tuple[_Drafts, frozenset[str]]:
        """Copies of what does not stand under its name yet, and the extras that cannot be had."""
        drafts, missing = _Drafts(), set[str]()
        for path, artifact in files.items():
            if path in kept:
                continue
            try:
                self._need_no_link_above(path)
                self._folder.sweep(self.path(path).parent)
                if not self._folder.is_(self.path(path), self.stat(path), artifact):
                    drafts[path] = stack.enter_context(self._draft(path, artifact))
            except (StorageUnavailable, ArtifactMismatch, NotStored):
                if path not in extras:
                    raise
                missing.add(path)
        return drafts, frozenset(missing)

    @contextlib.contextmanager
    def _draft(self, path: str, artifact: StoredArtifact) -> Iterator[Path]:
        folder, target = self._folder, self.path(path)
        found = self.stat(path)
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise StorageUnavailable(f"{path} was not written: a folder stands at {target}; move it away.")
        missing = f"{artifact.key} is not in the store {folder.root}."
        what = f"{artifact.key} is damaged in the store and was not published as {path}"
        with (
            folder.open(folder.root / artifact.key, missing) as stream,
            folder.draft(folder.chunks(stream), target, artifact, what=what) as draft,
        ):
            yield draft

    def _remove(self, path: str, artifacts: Collection[StoredArtifact]) -> None:
        """Take away just these bytes; an edited copy stays, and so does what lies behind a link."""
        target = self.path(path)
        found = self.stat(path)
        if found is None:
            return
        if any(self._folder.is_(target, found, artifact) for artifact in artifacts):
            self._folder.disk.remove(target)
        else:
            log.info("%s belongs to no job any more; it was edited, so it stays", path)

    def _read(self, name: str) -> Entry | None:
        path = self._folder.root / entry_key(name)
        try:
            with self._folder.refusals(), self._folder.open(path, "") as stream:
                data = stream.read()
        except NotStored:
            return None
        entry = Entry.from_bytes(data)
        if entry is None:
            log.warning("%s cannot be read; %s counts as published by nobody", path, name)
        return entry

    def _write(self, entry: Entry) -> None:
        path = self._folder.root / entry_key(entry.name)
        self._folder.sweep(path.parent)
        self._folder.disk.note(path, entry.to_bytes())

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of the records. Raises StorageUnavailable where its holder does not let go."""
        folder = self._folder.root / FOLDER
        with self._folder.refusals():
            folder.mkdir(parents=True, exist_ok=True)
            held = take_folder_lock(folder)
            give_up = self._clock.monotonic() + _PATIENCE_S
            while held is None and self._clock.monotonic() < give_up:
                self._clock.sleep(_LOOK_S)
                held = take_folder_lock(folder)
        if held is None:
            raise StorageUnavailable(
                f"Another process has held the lock of {folder} for {_PATIENCE_S:.0f} s, so nothing was "
                "published; look for a watcher that is stopped."
            )
        try:
            yield
        finally:
            os.close(held)

    def _way_to(self, name: str) -> Iterator[Path]:
        """The folders from `outputs`, without it, down to what is published as `name`, and that itself."""
        path, *names = PurePosixPath(output_key(name)).parts
        for part in names:
            path = f"{path}/{part}"
            yield self._folder.root / path

    def _need_no_link_above(self, name: str) -> None:
        """Raises StorageUnavailable: a write to that name would land elsewhere."""
        *folders, _ = self._way_to(name)
        for folder in folders:
            found = self._folder.stat(folder, follow=False)
            if found is not None and stat.S_ISLNK(found.st_mode):
                raise StorageUnavailable(
                    f"{name} was not written: {folder} is a symbolic link, which could lead anywhere. "
                    f"Move it away; only {self._folder.root / 'outputs'} itself may be one."
                )
