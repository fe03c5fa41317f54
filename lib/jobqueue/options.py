"""How a queue is tuned. The values come from the settings; the defaults are theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

from lib.backoff import backoff_s
from lib.errors import BadConfiguration
from lib.jobqueue.model import Lease

DEFAULT_PREFIX: Final = "pab:jobs"
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,62}[A-Za-z0-9])?"
#: What a prefix may be; the setting JOBS_PREFIX is held to the same.
PREFIX_PATTERN: Final = rf"{_NAME}|\{{{_NAME}\}}"  # braces make it one slot of a cluster
_PREFIX: Final = re.compile(PREFIX_PATTERN)


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """The queue's bounds.

    `lease_ms` is how long a claim lasts without renewal. `lost_limit` is how many lost workers a job may
    have before it counts as poison; `poison_limit` how many workers it may kill for certain. Backoff of the
    n-th retry is drawn evenly from 0 to `backoff_base_s` times 2^(n-1), at most `backoff_cap_s`.

    Raises:
        BadConfiguration: the prefix holds characters that have a meaning in key patterns or cluster slots.
    """

    prefix: str = DEFAULT_PREFIX
    lease_ms: int = 180_000
    result_ttl_s: float = 30 * 86_400
    history_max: int = 100_000
    max_depth: int = 1_000_000
    events_max: int = 10_000
    lost_limit: int = 5
    poison_limit: int = 2
    backoff_base_s: float = 5.0
    backoff_cap_s: float = 600.0

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise BadConfiguration(
                f"JOBS_PREFIX is {self.prefix!r}; it must be 1 to 64 of A-Z a-z 0-9 . _ : - and begin and "
                "end with a letter or digit; braces may stand around the whole"
            )

    def retry_pause_ms(self, lease: Lease, chance: float) -> int:
        """Milliseconds until the next try of what failed under `lease`; `chance` is drawn from 0 to 1.

        Tries that were excused make no pause longer.
        """
        tries = max(1, lease.attempt - lease.excused)
        return round(1000 * backoff_s(tries, chance, base_s=self.backoff_base_s, cap_s=self.backoff_cap_s))


class QueueSettings(Protocol):
    """The settings that tune a queue, under their own names."""

    @property
    def jobs_prefix(self) -> str:
        """What its keys begin with."""
        ...

    @property
    def watcher_lease_idle_ms(self) -> int:
        """Milliseconds that a claim lasts without renewal."""
        ...

    @property
    def jobs_result_ttl(self) -> int:
        """Seconds that a result is kept."""
        ...

    @property
    def jobs_history_max(self) -> int:
        """Finished jobs that are kept."""
        ...

    @property
    def jobs_max_depth(self) -> int:
        """Unfinished jobs above which enqueueing is refused."""
        ...


def options_of(settings: QueueSettings) -> QueueOptions:
    """The queue that the settings describe: the same one for whoever enqueues and whoever works."""
    return QueueOptions(
        prefix=settings.jobs_prefix,
        lease_ms=settings.watcher_lease_idle_ms,
        result_ttl_s=settings.jobs_result_ttl,
        history_max=settings.jobs_history_max,
        max_depth=settings.jobs_max_depth,
    )
