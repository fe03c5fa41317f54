"""The bytes of `manifest.json`: written in one way only, read as if a stranger had written them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from lib.errors import BadInput
from lib.files import NotPlain, open_plain
from lib.foreign import DEEPEST, parse_json
from lib.jobspec import InvalidJobSpec, from_payload
from lib.jobspec.files.collisions import clashes
from lib.manifest.order import Order

MANIFEST: Final = "manifest.json"
FORMAT: Final = 2
MAX_BYTES: Final = 1024 * 1024 * 1024
_SHOWN: Final = 60
_DEEPEST: Final = DEEPEST + 4  # manifest, jobs, job and spec stand around the fields


class InvalidManifest(BadInput):
    """The file is no manifest of ours, or was changed by hand; nothing of it was used."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A valid manifest. `path` is the file; paths of its orders are relative to the folder `root`."""

    path: Path
    orders: tuple[Order, ...]
    sha256: str  # of the file's bytes

    @property
    def root(self) -> Path:
        """The folder that texts and audio lie in."""
        return self.path.parent


def manifest_bytes(orders: Iterable[Order]) -> bytes:
    """The file for `orders`, in their order: one job a line, sorted keys, UTF-8, LF."""
    lines = ",\n".join(
        json.dumps(order.entry(), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        for order in orders
    )
    return f'{{"format":{FORMAT},"jobs":[\n{lines}\n]}}\n'.encode()


def load_manifest(path: Path) -> Manifest:
    """Read and check a manifest whole.

    Everything in it must follow from the job specifications it carries, so a path, command line or hash that
    was put there by hand is refused. Texts are not looked at (`check_texts` does that).

    Raises:
        InvalidManifest: not readable, no manifest, of another version, or changed.
    """
    data = _read(path)
    return parse_manifest(data, path)


def parse_manifest(data: bytes, path: Path) -> Manifest:
    """Check the bytes of a manifest. Raises InvalidManifest; no bytes raise anything else."""
    reading = _ManifestReading(str(path))
    orders = reading.orders(data)
    return Manifest(path, orders, hashlib.sha256(data).hexdigest())


def _read(path: Path) -> bytes:
    reading = _ManifestReading(str(path))
    try:
        fd = open_plain(path, follow=True)
    except NotPlain:
        reading.refuse("is not a plain file", advice="; name the manifest.json that compile made")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        reading.refuse(f"cannot be read: {reason or 'no usable path'}", advice="")
    with open(fd, "rb") as file:
        if os.fstat(fd).st_size > MAX_BYTES:
            reading.refuse(f"is larger than {MAX_BYTES} bytes")
        return file.read(MAX_BYTES + 1)


class _ManifestReading:
    """One manifest while it is checked; every refusal names the file, and the job where there is one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def refuse(self, problem: str, *, advice: str = "; compile it again") -> NoReturn:
        """Raise InvalidManifest."""
        raise InvalidManifest(f"The manifest {self._name} {problem}{advice}.")

    def orders(self, data: bytes) -> tuple[Order, ...]:
        """All jobs of the file."""
        value = self._parsed(data)
        if not isinstance(value, dict) or "format" not in value:
            self.refuse("is a JSON file that is no manifest", advice="; name the manifest.json of compile")
        version = value["format"]
        if version != FORMAT or isinstance(version, bool):
            self.refuse(f"has the format {_shown(version)}, and this version reads {FORMAT}")
        if set(value) != {"format", "jobs"}:
            extra = sorted(set(value) ^ {"format", "jobs"})
            self.refuse(f"must hold format and jobs and nothing else (see {_shown(extra[0])})")
        jobs = value["jobs"]
        if not isinstance(jobs, list) or not jobs:
            self.refuse("holds no list of jobs")
        orders = tuple(self._order(number, job) for number, job in enumerate(jobs, start=1))
        self._check_together(orders)
        return orders

    def _parsed(self, data: bytes) -> Any:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.refuse(f"is not UTF-8 at byte {error.start}")
        try:
            return parse_json(
                text, deepest=_DEEPEST, object_pairs_hook=_no_duplicates, parse_constant=_no_constant
            )
        except ValueError as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
            self.refuse(f"is no valid JSON: {_shown(reason, quote=False)}{line}")

    def _order(self, number: int, job: object) -> Order:
        where = f"is wrong in job {number}"
        if not isinstance(job, dict) or not isinstance(job.get("spec"), dict):
            self.refuse(f"{where}: it holds no job specification")
        try:
            order = Order(from_payload(job["spec"]))
        except InvalidJobSpec as error:
            self.refuse(f"{where}: {error.problems[0] if error.problems else 'spec'}")
        expected = order.entry()
        if job != expected:
            self._refuse_difference(f"{where} ({order.spec.request_id})", job, expected)
        return order

    def _refuse_difference(self, where: str, job: Mapping[str, Any], expected: Mapping[str, Any]) -> NoReturn:
        for key in expected:
            if key not in job:
                self.refuse(f"{where}: {key} is missing")
        for key in job:
            if key not in expected:
                self.refuse(f"{where}: {_shown(key)} is no known key")
        key = next(key for key in expected if job[key] != expected[key])
        self.refuse(f"{where}: {key} does not follow from its spec, so one of them was changed")

    def _check_together(self, orders: Sequence[Order]) -> None:
        values = [
            {
                "request_id": o.spec.request_id,
                "output_name": o.spec.output_name,
                "format": o.spec.format,
                "kind": o.spec.kind,
            }
            for o in orders
        ]
        for clash in clashes(values):
            other = orders[clash.other].spec.request_id
            self.refuse(f"is wrong in job {clash.index + 1}: {clash.field} {clash.message} job {other}")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _shown(value: object, *, quote: bool = True) -> str:
    text = str(value)
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    if quote:
        return ascii(cut) if not cut.isprintable() else repr(cut)
    return cut if cut.isprintable() else ascii(cut)[1:-1]
