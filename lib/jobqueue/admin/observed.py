"""What an inspection of a queue and its server sees: plain values, free of any Redis type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

COUNTED_AT_MOST: Final = 200  # jobs ahead in line that are counted
LOOKED_AT: Final = 200  # jobs in one look along the line: a millisecond or two of the server


@dataclass(frozen=True, slots=True)
class PlaceInLine:
    """Where a waiting job stands. `ahead` jobs of its priority come first, at most `COUNTED_AT_MOST` counted.

    `handed_back` jobs have no place: they are given out before all others. `reachable` is False when no
    worker would ever be given the job. `higher` counts entries of higher priorities, running ones included.
    """

    ahead: int
    more: bool
    handed_back: bool
    reachable: bool
    higher: int


class BatchInLine(NamedTuple):
    """The unfinished jobs of one batch that are due: those that wait, and those that are leased.

    `batch` is "" for jobs that name none: they are one batch together.
    """

    batch: str
    waiting: int
    running: int


class StretchOfLine(NamedTuple):
    """A stretch of the line, its batches by their first jobs; `behind` is where to look on, "" at its end."""

    batches: tuple[BatchInLine, ...]
    behind: str = ""


class ListedJobs(NamedTuple):
    """A page of unfinished jobs; `behind` is where the next one begins, "" at the end."""

    ids: tuple[str, ...]
    behind: str = ""


class EndedJobs(NamedTuple):
    """How many kept jobs had ended at a moment, and how many of these had failed or were canceled."""

    all: int
    badly: int


class Misfit(NamedTuple):
    """One thing that does not fit: a word of `upkeep.MISFITS`, and the job, entry, batch or counter."""

    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class Flushed:
    """What a flush deleted: unfinished jobs, and how many of these were leased."""

    jobs: int
    leased: int


@dataclass(frozen=True, slots=True)
class KeySize:
    """A key with how many entries, fields or members it has; 1 for a plain value."""

    key: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The server as it tells about itself. `maxmemory` 0: no limit; `appendfsync` None: it does not tell.

    `time` is its clock, seconds since the epoch; `refused` are commands of the queue this user may not send,
    `refused_upkeep` those of `flush`, `reconcile` and `enqueue --durable`; neither is asked of a replica.
    """

    name: str
    version: tuple[int, ...]
    role: str
    appendonly: bool
    appendfsync: str | None
    last_write_ok: bool
    eviction_policy: str
    used_memory: int
    maxmemory: int
    time: float
    refused: tuple[str, ...] = ()
    refused_upkeep: tuple[str, ...] = ()

    @property
    def version_text(self) -> str:
        """As people write it: 9.1.2."""
        return ".".join(map(str, self.version))
