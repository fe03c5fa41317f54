"""Says before jobs are requeued whose audio they will replace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from job_runner import wiring
from lib.cli import output
from lib.jobqueue import JobQueue
from lib.jobs.names import to_be_replaced

_MOST_NAMED: Final = 5


def tell_of_replaced(queue: JobQueue, request_ids: Sequence[str]) -> None:
    """Name on stderr the jobs whose audio lies under the names of these: the order of asking will be theirs.

    Raises:
        StorageUnavailable: the store cannot be asked.
    """
    found = to_be_replaced(queue, wiring.here().storage(), request_ids)
    for request_id, name, owner in found[:_MOST_NAMED]:
        output.note(f"{request_id}, once done, replaces the audio of {owner}, which {name} holds now")
    if len(found) > _MOST_NAMED:
        output.note(f"{len(found) - _MOST_NAMED} more replace the audio of other jobs")
