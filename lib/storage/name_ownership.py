"""Decides whose audio lies under a name: pure, the same for every kind of store.

A store keeps one small record for each output name. Owned are paths, not names: `x.take-02.wav` is a path of
`x` with two takes and of a job that is named `x.take-02`, so the records of both are looked at.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lib.errors import JobRunnerError
from lib.foreign import TooDeep, parse_json
from lib.storage.locations import artifact_of, output_key
from lib.storage.port import Claim, StoredArtifact

FOLDER: Final = "published"
_TAKE: Final = re.compile(r"(.+)\.take-(?:0[2-9]|1[0-6])", re.DOTALL)
_DOUBLE_SUFFIXES: Final = (".peaks.json", ".captions.json")
_HEIRS_KEPT: Final = 8  # a job that so many newer ones came after gets the name back by being asked for

Files = Mapping[str, StoredArtifact]  # by path
Leaves = Mapping[str, tuple[StoredArtifact, ...]]  # by path: one of them may lie there


@dataclass(frozen=True, slots=True)
class Heir:
    """An older job that wants the name too, with its files: the newest has it when the owner goes."""

    claim: Claim
    files: Files


@dataclass(frozen=True, slots=True)
class Entry:
    """The record of one output name.

    `claim` is its owner, None once nobody has it; `files` are the owner's. `leaves` are files of owners
    before that are to be removed or written over; `left` are the jobs whose newer revision went to another
    name, with the claim by which it did: what they asked for before is not published here any more. `heirs`
    are the other jobs that had the name or were turned away from it, by their ids.
    """

    name: str
    claim: Claim | None = None
    files: Files = field(default_factory=dict)
    leaves: Leaves = field(default_factory=dict)
    left: Mapping[str, Claim] = field(default_factory=dict)
    heirs: Mapping[str, Heir] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """What a store keeps."""
        claim = self.claim
        value = {
            "name": self.name,
            "request_id": None if claim is None else claim.request_id,
            "revision": 0 if claim is None else claim.revision,
            "order": 0 if claim is None else claim.order,
            "files": _files_out(self.files),
            "leaves": {path: [_out(item) for item in items] for path, items in self.leaves.items()},
            "left": {name: [item.revision, item.order] for name, item in self.left.items()},
            "heirs": {name: _heir_out(item) for name, item in self.heirs.items()},
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes | None) -> Entry | None:
        """Read it; None where there is none, or none that can be read."""
        try:
            value = parse_json(data or b"null")
            if value is None:
                return None
            claim = Claim(value["request_id"], int(value["revision"]), int(value["order"]))
            return cls(
                name=str(value["name"]),
                claim=None if claim.request_id is None else claim,
                files=_files_in(value["files"]),
                leaves=_leaves_in(value["leaves"]),
                left={name: Claim(name, int(no), int(at)) for name, (no, at) in value["left"].items()},
                heirs={name: _heir_in(name, item) for name, item in value.get("heirs", {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, TooDeep, JobRunnerError):
            return None


@dataclass(frozen=True, slots=True)
class NameDecision:
    """What a publication may do, and what it writes.

    First `entries`, then `files` at their paths, and `inherited`, those of other jobs that have a name again,
    as far as the store has them; then `removals`, where the bytes of one of these lie; last `settled`, the
    entries without the leaves that are removed by then.
    """

    superseded_by: Claim | None = None
    files: Files = field(default_factory=dict)
    inherited: Files = field(default_factory=dict)
    lost: Mapping[str, Claim] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    removals: Leaves = field(default_factory=dict)
    settled: tuple[Entry, ...] = ()


class Entries:
    """Reads each entry once, and remembers what was seen."""

    def __init__(self, read: Callable[[str], Entry | None]) -> None:
        self._read = read
        self.seen: dict[str, Entry | None] = {}

    def of(self, name: str) -> Entry | None:
        """The entry of that name."""
        if name not in self.seen:
            self.seen[name] = self._read(name)
        return self.seen[name]

    def beside(self, name: str, path: str) -> Iterator[Entry]:
        """The entries of other names that have that path among their files."""
        for other in names_of(path):
            entry = None if other == name else self.of(other)
            if entry is not None and path in entry.files:
                yield entry


def entry_key(name: str) -> str:
    """Where a store keeps the record of that output name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{FOLDER}/{digest[:2]}/{digest}.json"


def names_of(path: str) -> tuple[str, ...]:
    """The output names that can have a file of that path: by its own take, or by a take of a shorter name."""
    double = next((suffix for suffix in _DOUBLE_SUFFIXES if path.endswith(suffix)), None)
    stem = path.rpartition(".")[0] if double is None else path.removesuffix(double)
    take = _TAKE.fullmatch(stem)
    return (stem,) if take is None else (stem, take[1])


def rivals(claim: Claim, name: str, files: Iterable[str], entries: Entries) -> dict[str, Claim]:
    """Which of the job's paths a newer claim owns."""
    ahead = _ahead(entries.of(name), claim)
    if ahead is not None:
        return dict.fromkeys(files, ahead)
    found = {path: _keeper(claim, name, path, entries) for path in files}
    return {path: rival for path, rival in found.items() if rival is not None}


def owner(name: str, entries: Entries) -> Claim | None:
    """Whose audio lies under a name: its own record's, or that of a shorter name with such a take."""
    take = _TAKE.fullmatch(name)
    shorter = entries.of(take[1]) if take else None
    claims = [entry.claim for entry in (entries.of(name),) if entry is not None]
    if shorter is not None and any(names_of(path)[0] == name for path in shorter.files):
        claims.append(shorter.claim)
    return max((item for item in claims if item is not None), key=lambda item: item.order, default=None)


def decide(
    claim: Claim, name: str, files: Files, former: Mapping[str, Files], entries: Entries
) -> NameDecision:
    """What publishing these files may do. `files` are the job's, the chosen take first."""
    lost = rivals(claim, name, files, entries)
    main = next(iter(files), None)
    ahead = lost.get(main or "")
    if main is None or (ahead is not None and ahead.request_id == claim.request_id):
        return NameDecision(superseded_by=ahead, lost=lost)
    mine = {} if ahead is not None else {path: item for path, item in files.items() if path not in lost}
    written = [] if ahead is not None else [_taken(claim, name, mine, former, entries)]
    inherited = dict[str, StoredArtifact]()
    for other in former:
        if other != name:  # also where another job has the new name: what was asked for here is over
            entry = entries.of(other) or _unrecorded(claim, other, former)
            gone = _left(entry, claim, mine, entries)
            written.append(gone)
            # with leaves of a publisher that was killed meanwhile: a repeat finishes what that one began
            inherited |= gone.files if gone.leaves and gone.claim not in (None, claim) else {}
    own = entries.of(name)
    noted = [] if ahead is None or own is None else [_turned_away(own, claim, files)]
    return NameDecision(
        superseded_by=ahead,
        files=mine,
        inherited=inherited,
        lost=lost,
        entries=tuple(entry for entry in (*noted, *written) if entry != entries.of(entry.name)),
        removals=_removals(written, {**inherited, **mine}),
        settled=tuple(replace(entry, leaves={}) for entry in written if entry.leaves),
    )


def _taken(claim: Claim, name: str, mine: Files, former: Mapping[str, Files], entries: Entries) -> Entry:
    """The entry of the name, when these files are the claim's."""
    own = entries.of(name) or _unrecorded(claim, name, former)
    left = {other: item for other, item in own.left.items() if other != claim.request_id}
    before = {} if own.claim is None else {own.claim.request_id: Heir(own.claim, own.files)}
    return Entry(name, claim, mine, _leaves(own, mine, entries), left, _heirs(claim, {**own.heirs, **before}))


def _turned_away(entry: Entry, claim: Claim, files: Files) -> Entry:
    """The entry of a name that is a newer job's, where this one is remembered."""
    known = entry.heirs.get(claim.request_id)
    if entry.claim is None or (known is not None and known.claim.order > claim.order):
        return entry
    heirs = {**entry.heirs, claim.request_id: Heir(claim, files)}
    return replace(entry, heirs=_heirs(entry.claim, heirs))


def _removals(written: Iterable[Entry], mine: Files) -> Leaves:
    """What may lie at each path that is left: two names can have had the same one in turn."""
    found: dict[str, tuple[StoredArtifact, ...]] = {}
    for entry in written:
        for path, artifacts in entry.leaves.items():
            if path not in mine:
                found[path] = (*found.get(path, ()), *artifacts)
    return found


def _unrecorded(claim: Claim, name: str, former: Mapping[str, Files]) -> Entry:
    """What the version before published of this job's earlier revisions, without a record."""
    files = former.get(name, {})
    return Entry(name, replace(claim, revision=0, order=0) if files else None, files)


def _left(entry: Entry, claim: Claim, mine: Files, entries: Entries) -> Entry:
    """The entry of a name that the job's newer revision does not have."""
    newest = max(claim, entry.left.get(claim.request_id, claim), key=lambda item: item.order)
    left = {**entry.left, claim.request_id: newest}
    heirs = dict(entry.heirs)
    if claim.request_id in heirs and heirs[claim.request_id].claim.order < newest.order:
        del heirs[claim.request_id]
    held = entry.claim
    if held is None or held.request_id != claim.request_id or held.order >= claim.order:
        return replace(entry, left=left, heirs=heirs)
    heir = max(heirs.values(), key=lambda item: item.claim.order, default=None)
    if heir is None:
        return Entry(entry.name, None, {}, _leaves(entry, mine, entries), left)
    files = {
        path: item
        for path, item in heir.files.items()
        if path not in mine and _keeper(heir.claim, entry.name, path, entries) is None
    }
    leaves = _leaves(entry, mine, entries)
    return Entry(entry.name, heir.claim, files, leaves, left, _heirs(heir.claim, heirs))


def _heirs(owner: Claim, heirs: Mapping[str, Heir]) -> dict[str, Heir]:
    """The few others that were asked for last: a name that many wanted keeps no endless record."""
    others = [heir for request_id, heir in heirs.items() if request_id != owner.request_id]
    kept = sorted(others, key=lambda item: item.claim.order, reverse=True)[:_HEIRS_KEPT]
    return {heir.claim.request_id: heir for heir in kept}


def _leaves(entry: Entry, mine: Files, entries: Entries) -> Leaves:
    """What of an entry's files is to go: neither the job's new ones nor just what another name has there.

    What the new ones are written over is among it until that is done: a publisher that is killed before it
    leaves the old bytes there, under a record of the new ones.
    """
    found: dict[str, tuple[StoredArtifact, ...]] = {}
    for path in {**entry.leaves, **entry.files}:
        held = [*entry.leaves.get(path, ()), *([entry.files[path]] if path in entry.files else [])]
        others = [mine.get(path), *(other.files[path] for other in entries.beside(entry.name, path))]
        going = tuple(artifact for artifact in dict.fromkeys(held) if artifact not in others)
        if going:
            found[path] = going
    return found


def _keeper(claim: Claim, name: str, path: str, entries: Entries) -> Claim | None:
    """The newest claim of another name that keeps the path from this one."""
    claims = [entry.claim for entry in entries.beside(name, path) if entry.claim is not None]
    ahead = [item for item in claims if _beats(item, claim)]
    return max(ahead, key=lambda item: item.order, default=None)


def _ahead(entry: Entry | None, claim: Claim) -> Claim | None:
    """The newer claim by which the name is closed to this one."""
    if entry is None:
        return None
    moved = entry.left.get(claim.request_id)
    if moved is not None and moved.order > claim.order:
        return moved
    return entry.claim if entry.claim is not None and _beats(entry.claim, claim) else None


def _beats(standing: Claim, claim: Claim) -> bool:
    """Whether what stands stays. Of no order on both sides, the later publication wins, as it always did."""
    if standing.order == claim.order:
        return standing.order > 0 and standing.request_id != claim.request_id
    return standing.order > claim.order


def _files_out(files: Files) -> dict[str, dict[str, Any]]:
    return {path: _out(item) for path, item in files.items()}


def _out(item: StoredArtifact) -> dict[str, Any]:
    return {"sha256": item.sha256, "bytes": item.bytes}


def _heir_out(heir: Heir) -> dict[str, Any]:
    claim = heir.claim
    return {"revision": claim.revision, "order": claim.order, "files": _files_out(heir.files)}


def _heir_in(request_id: str, value: Mapping[str, Any]) -> Heir:
    claim = Claim(request_id, int(value["revision"]), int(value["order"]))
    return Heir(claim, _files_in(value["files"]))


def _leaves_in(value: Mapping[str, Any]) -> Leaves:
    return {path: tuple(_files_in({path: item})[path] for item in items) for path, items in value.items()}


def _files_in(value: Mapping[str, Any]) -> dict[str, StoredArtifact]:
    files = {path: artifact_of(item["sha256"], int(item["bytes"])) for path, item in value.items()}
    for path in files:
        output_key(path)  # what leads elsewhere makes the whole record unreadable
    return files
