"""Writes down on this disk what a process still owes, before the work is handed out.

A process that is killed leaves its journal behind. The next one renews the leases it finds there and goes on
with the work at hand, instead of letting them run out and have everything done again; and it publishes what
was finished and could not be published. The files hold fencing tokens, so the folder is for this user alone
and is never sent to a machine.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from lib.dispatch.delivery_port import Publication
from lib.errors import BadInput
from lib.files import sweep_drafts, write_whole
from lib.jobqueue import Lease
from lib.jobspec import from_payload, to_payload
from lib.records import InvalidRecord, made_from
from lib.spool import SpoolFull, SpoolUnusable, is_passing

_CONSUMERS = "consumers"  # the file of names
_KINDS = {
    **{"lease_no": int, "attempt": int, "excused": int, "alone": bool, "killed": list},
    **{"expires_at": int | float, "enqueued_at": int | float, "revision": int},
}
_SINCE: Final = {"order": 0, "revision": 1}  # what the version before did not write
_FIELDS = {field.name: _KINDS.get(field.name, str) for field in fields(Lease)}
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, BadInput, InvalidRecord)


class LeaseJournal:
    """`Journal` in a folder: a small file for each lease and each publication that is owed.

    Threads: the claimer's and the loop's at once: each entry is a file of its own. The file of names is the
    loop's, before anything is claimed.
    Raises: as `Journal`, from every method; OSError where the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep_drafts(folder)

    def write(self, entry: str, lease: Lease, host: str) -> None:
        """Record the lease; it is on the disk when this returns."""
        record = {"host": host, "lease": {**asdict(lease), "spec": to_payload(lease.spec)}}
        self._put(f"{entry}.json", record)

    def forget(self, entry: str) -> None:
        """Forget a settled lease. Forgetting one twice is fine."""
        self._remove(f"{entry}.json")

    def leases(self) -> Iterator[tuple[str, Lease, str]]:
        """What a predecessor held. A file that cannot be read is dropped: its lease runs out by itself."""
        for path, record in self._read("json"):
            try:
                lease, host = _lease_of(record["lease"]), str(record["host"])
            except _UNREADABLE:
                self._remove(path.name)
                continue
            yield path.stem, lease, host

    def owe(self, publication: Publication) -> None:
        """Record that a finished job is to be published; it is on the disk when this returns."""
        record = {
            "request_id": publication.request_id,
            "lease_no": publication.lease_no,
            "order": publication.order,
            "revision": publication.revision,
            "takes": [take.to_json() for take in publication.takes],
        }
        self._put(f"{publication.entry}.publish", record)

    def published(self, entry: str) -> None:
        """Forget a publication that was made. Forgetting one twice is fine."""
        self._remove(f"{entry}.publish")

    def publications(self) -> Iterator[Publication]:
        """What a predecessor could not publish. A file that cannot be read is dropped."""
        for path, record in self._read("publish"):
            try:
                found = _publication_of(path.stem, {**_SINCE, **record})
            except _UNREADABLE:
                self._remove(path.name)
                continue
            yield found

    def probe(self) -> None:
        """See that a lease could be recorded now."""
        self._put("probe", {"room": "." * 65_536})
        self._remove("probe")

    def sign(self, name: str) -> tuple[str, ...]:
        """Record who leases from now on; returns who did before, until they are struck.

        A process that is killed between a claim and the record of its lease leaves nothing here but its name.
        """
        before = tuple(known for known in self._names() if known != name)
        self._put(_CONSUMERS, {"names": [*before, name]})
        return before

    def strike(self, names: Collection[str]) -> None:
        """Strike these names from the record: they hold nothing any more."""
        if names:
            self._put(_CONSUMERS, {"names": [name for name in self._names() if name not in names]})

    def _names(self) -> list[str]:
        """A file that cannot be read names nobody: what they held runs out by itself."""
        with self._as_sentences(), contextlib.suppress(FileNotFoundError):
            text = (self._folder / _CONSUMERS).read_bytes()
            with contextlib.suppress(*_UNREADABLE):
                return [str(name) for name in json.loads(text)["names"]]
        return []

    def _read(self, suffix: str) -> Iterator[tuple[Path, Any]]:
        with self._as_sentences():
            paths = sorted(self._folder.glob(f"*.{suffix}"))
        for path in paths:
            with self._as_sentences():
                text = path.read_bytes()
            try:
                record = json.loads(text)
            except _UNREADABLE:
                self._remove(path.name)
                continue
            yield path, record

    def _put(self, name: str, record: Any) -> None:
        with self._as_sentences():
            write_whole(self._folder / name, json.dumps(record).encode(), sync=True)

    def _remove(self, name: str) -> None:
        with self._as_sentences():
            (self._folder / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _as_sentences(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = SpoolFull if is_passing(error) else SpoolUnusable
            raise kind(f"The journal {self._folder} cannot be used: {error.strerror or error}.") from error


def _lease_of(record: Any) -> Lease:
    record = {**_SINCE, **record}
    values = {name: record[name] for name in _FIELDS if name != "spec"}
    for name, value in values.items():
        if not isinstance(value, _FIELDS[name]):
            raise TypeError(name)
    values["killed"] = tuple(map(str, values["killed"]))
    return Lease(**values, spec=from_payload(record["spec"]))


def _publication_of(entry: str, record: Any) -> Publication:
    takes = tuple(made_from(take) for take in record["takes"])
    order, revision = record["order"], record["revision"]
    if not isinstance(order, int) or not isinstance(revision, int):
        raise TypeError("order")
    return Publication(entry, record["request_id"], record["lease_no"], takes, order, revision)
