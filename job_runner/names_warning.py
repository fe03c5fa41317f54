"""Says before jobs are spoken whose audio they will replace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from job_runner import wiring
from lib.cli import output
from lib.jobqueue import JobQueue
from lib.jobs.names import HeldName, held_by_others, to_be_replaced
from lib.jobspec import JobSpec
from lib.storage import Storage, StorageUnavailable

_MOST_NAMED: Final = 5


def tell_of_replaced(queue: JobQueue, request_ids: Sequence[str]) -> None:
    """Name on stderr the jobs whose audio lies under the names of these: the order of asking will be theirs.

    Raises:
        StorageUnavailable: the store cannot be asked.
    """
    tell_of_held(to_be_replaced(queue, wiring.here().storage(), request_ids))


def held_names(storage: Storage, specs: Sequence[JobSpec]) -> list[HeldName]:
    """The names that these jobs would take over from others; none, and a warning, where the store refuses."""
    try:
        return held_by_others(storage, specs)
    except StorageUnavailable as error:
        output.warn(f"{error.message} So it is not known whether the names hold the audio of other jobs.")
        return []


def tell_of_held(found: Sequence[HeldName]) -> None:
    """Warn of names that hold the audio of other jobs, by these jobs that will take them over."""
    for request_id, name, owner in found[:_MOST_NAMED]:
        output.warn(f"{request_id}, once done, replaces the audio of {owner}, which {name} holds now")
    if len(found) > _MOST_NAMED:
        output.warn(f"{len(found) - _MOST_NAMED} more replace the audio of other jobs")
