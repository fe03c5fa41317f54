"""Staging a job file: texts and manifest change together, or not at all.

One rename can switch one file only, but a job's text has a fixed name. So a compile that changes a text which
the present manifest relies on first puts the whole new manifest, which carries all texts, beside the old one
under another name. With that rename the change is decided: a process killed later leaves a change that
`finish_interrupted_compile` completes, and every reader of ours calls that first. Before it, nothing the old
manifest relies on has been touched.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.jobspec import JobSpec
from lib.manifest.folder import DRAFT, OutFolder
from lib.manifest.manifest_json import MANIFEST, MAX_BYTES, InvalidManifest, manifest_bytes, parse_manifest
from lib.manifest.order import Order
from lib.manifest.texts import staged

DECIDED: Final = ".manifest.json.next"  # a whole manifest that is to replace the present one
_DRAFTS: Final = ".compile"  # new texts that wait for the decision
_FORMER: Final = f"{_DRAFTS}/former"  # the manifest that was replaced, until the texts only it has are gone


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a compile did. `unchanged` counts the texts that were there already."""

    path: Path  # the manifest
    orders: tuple[Order, ...]
    sha256: str
    written: int  # texts
    unchanged: int
    removed: int  # texts of jobs that are no longer there


def compile_manifest(specs: Iterable[JobSpec], out: Path) -> Compiled:
    """Stage `specs` (a valid job file's) under `out`; the same specs give the same bytes anywhere.

    A folder that is compiled already changes only where it differs. Audio and results are left alone.

    Raises:
        FolderBusy: another compile or run works there.
        InTheWay: a link, file or folder stands where ours has to be.
        OSError: the disk is full or read-only; the old manifest and its texts are whole.
    """
    orders = tuple(Order(spec) for spec in specs)
    data = manifest_bytes(orders)
    folder = OutFolder(out)
    folder.make()
    with folder.lock():
        finish_interrupted_compile(folder)
        return _Staging(folder, orders, data).run()


def finish_interrupted_compile(folder: OutFolder) -> bool:
    """Complete a change that was decided, drop one that was not; the folder must be locked.

    Returns whether there was one to complete.
    """
    data = folder.read(DECIDED, MAX_BYTES)
    decided = None
    if data is not None:
        try:
            decided = parse_manifest(data, folder.path(DECIDED))
        except InvalidManifest:
            folder.remove(DECIDED)  # of another version of ours: its change cannot be completed
    if decided is not None:
        for order in decided.orders:
            if staged(folder, order) != order.text_bytes():
                folder.write(order.text_path, order.text_bytes(), sync=False)
        folder.put(DECIDED, MANIFEST)
        folder.sync()
    folder.remove(DRAFT)
    former = _orders_of(folder, _FORMER)
    if former:
        _remove_dropped(folder, former, _orders_of(folder, MANIFEST))
    folder.remove_tree(_DRAFTS)
    return decided is not None


def _remove_dropped(folder: OutFolder, former: Sequence[Order], present: Sequence[Order]) -> int:
    """Remove the texts that only the former manifest has, unless someone edited them."""
    kept = {order.spec.output_name for order in present}
    removed = 0
    for order in former:
        if order.spec.output_name not in kept and staged(folder, order) == order.text_bytes():
            folder.remove(order.text_path)
            folder.prune(order.text_path)
            removed += 1
    return removed


def _orders_of(folder: OutFolder, name: str) -> tuple[Order, ...]:
    """The orders of a manifest; none where there is none, or one that is not ours."""
    data = folder.read(name, MAX_BYTES)
    try:
        return () if data is None else parse_manifest(data, folder.path(name)).orders
    except InvalidManifest:
        return ()


class _Staging:
    """One compile in a locked folder."""

    def __init__(self, folder: OutFolder, orders: tuple[Order, ...], data: bytes) -> None:
        self._folder, self._orders, self._data = folder, orders, data

    def run(self) -> Compiled:
        old = self._folder.read(MANIFEST, MAX_BYTES)
        before = () if old is None or old == self._data else _orders_of(self._folder, MANIFEST)
        fresh, changed = self._compare({order.spec.output_name for order in before})
        for order in fresh:
            self._folder.write_new(order.text_path, order.text_bytes())
        removed = 0
        if old is not None and before:
            os.mkdir(self._folder.path(_DRAFTS))
            self._folder.write_draft(_FORMER, old)
            self._switch(changed)
            removed = _remove_dropped(self._folder, before, self._orders)
            self._folder.remove_tree(_DRAFTS)
        else:  # what they are changed from is relied on by no manifest
            for order in changed:
                self._folder.write(order.text_path, order.text_bytes(), sync=False)
            if old != self._data:
                self._put_manifest(MANIFEST)
        return self._report(len(fresh) + len(changed), removed)

    def _compare(self, relied_on: Set[str]) -> tuple[list[Order], list[Order]]:
        """Which texts nobody relies on and may be written at once, and which are to be replaced."""
        fresh, changed = [], []
        for order in self._orders:
            found = staged(self._folder, order)
            if found is None and order.spec.output_name not in relied_on:
                fresh.append(order)
            elif found != order.text_bytes():
                changed.append(order)
        return fresh, changed

    def _switch(self, changed: Sequence[Order]) -> None:
        """Replace the manifest, with the texts that have to change in the same moment."""
        folder = self._folder
        if not changed:
            return self._put_manifest(MANIFEST)
        for number, order in enumerate(changed):
            folder.write_draft(f"{_DRAFTS}/{number}", order.text_bytes())
        self._put_manifest(DECIDED)
        for number, order in enumerate(changed):
            folder.put(f"{_DRAFTS}/{number}", order.text_path)
        folder.put(DECIDED, MANIFEST)
        folder.sync()

    def _put_manifest(self, name: str) -> None:
        self._folder.write(name, self._data)
        self._folder.sync()

    def _report(self, written: int, removed: int) -> Compiled:
        return Compiled(
            path=self._folder.path(MANIFEST),
            orders=self._orders,
            sha256=hashlib.sha256(self._data).hexdigest(),
            written=written,
            unchanged=len(self._orders) - written,
            removed=removed,
        )
