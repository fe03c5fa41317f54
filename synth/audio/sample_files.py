"""Samples that may lie on the disk: what is too long for the memory is written, and read in blocks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from synth.audio.levels import Samples

BLOCK: Final = 1 << 16  # samples


class SampleSink(Protocol):
    """Takes samples one after the other."""

    def add(self, samples: Samples) -> None:
        """The next ones (n,)."""
        ...

    def whole(self) -> Samples:
        """All of them, at least one; nothing may be added after."""
        ...


#: Makes an empty one, for one take.
MakeSink = Callable[[], SampleSink]


class MemorySink:
    """Samples in memory."""

    def __init__(self) -> None:
        self._parts: list[Samples] = []

    def add(self, samples: Samples) -> None:
        """Keep them."""
        self._parts.append(samples)

    def whole(self) -> Samples:
        """One array."""
        return np.concatenate(self._parts)


class FileSink:
    """Samples in a file at `path`, which is made anew and belongs to the caller. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")

    def add(self, samples: Samples) -> None:
        """Write them."""
        self._file.write(np.ascontiguousarray(samples, np.float32).data)

    def close(self) -> None:
        """Write no more, of what is thrown away; never raises."""
        with contextlib.suppress(OSError):
            self._file.close()

    def whole(self) -> Samples:
        """The file, mapped: what only measures or encodes walks it with `blocks_of`."""
        self._file.close()
        mapped: Samples = np.memmap(self.path, np.float32, "r")
        return mapped


def on_disk(samples: Samples) -> bool:
    """Whether they are a file that a `FileSink` wrote."""
    return isinstance(samples, np.memmap)


def blocks_of(samples: Samples, size: int = BLOCK) -> Iterator[Samples]:
    """The samples in blocks of `size`, the last one shorter.

    Those of a file are read, not mapped: of a mapping each page that was looked at counts as ours.
    """
    if isinstance(samples, np.memmap) and samples.filename is not None:
        with open(samples.filename, "rb") as file:
            while len(block := np.frombuffer(file.read(4 * size), np.float32)):
                yield block
    else:
        for first in range(0, len(samples), size):
            yield samples[first : first + size]
