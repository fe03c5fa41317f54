"""Looks for a secret in all that a machine has: its files, and what its processes were started with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20
_STARTED_WITH: Final = ("environ", "cmdline")


def places_of(secret: str, folder: Path, processes: Iterable[int]) -> list[str]:
    """Where these characters stand: files by their path in the folder, processes by number and place."""
    wanted = secret.encode()
    found = [str(file.relative_to(folder)) for file in _files(folder) if _holds(file, wanted)]
    for pid in processes:
        for name in _STARTED_WITH:
            if _holds(Path("/proc") / str(pid) / name, wanted):
                found.append(f"{name} of process {pid}")
    return sorted(found)


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place) / name
            if file.is_file() and not file.is_symlink():
                yield file


def _holds(file: Path, wanted: bytes) -> bool:
    """Whether a file has these bytes, read piece by piece; one that cannot be read has not."""
    with contextlib.suppress(OSError), file.open("rb") as source:
        before = b""
        while piece := source.read(_CHUNK):
            if wanted in before + piece:
                return True
            before = piece[-len(wanted) :]
    return False
