"""What only a queue on a server offers, asked for in this one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib.errors import BadConfiguration
from lib.jobqueue import JobQueue

if TYPE_CHECKING:
    from lib.jobqueue.redis.upkeep import Upkeep


def admin_of(queue: JobQueue) -> Upkeep | None:
    """The operator's hands on a queue; None for one that lies in memory: it has nothing to keep up."""
    try:
        return required_admin(queue)
    except BadConfiguration:
        return None


def required_admin(queue: JobQueue) -> Upkeep:
    """The operator's hands on a queue, for what cannot be done without them.

    Raises:
        BadConfiguration: the queue lies on no server.
    """
    from lib.jobqueue.redis.upkeep import upkeep_of

    return upkeep_of(queue)
