"""What an operator may ask of a queue beyond the port, where there is a server to keep up.

A queue gives it by `JobQueue.admin`; a use case asks for that, and never for a particular kind of queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from lib.jobqueue.admin.observed import Flushed, KeySize, Misfit, ServerFacts
from lib.jobqueue.model import ErrorClass


class Inspection(Protocol):
    """Looks at a queue's keys and its server; reads only. Costs that grow with the number of jobs are said.

    Raises, from every method:
        Unavailable: the server does not answer, or does not permit the look.
    """

    @property
    def prefix(self) -> str:
        """What all keys of the queue begin with, before a colon."""
        ...

    def has_spec(self, request_id: str) -> bool:
        """Whether what should be spoken is known."""
        ...

    def is_staged(self, request_id: str) -> bool:
        """Whether the id stands in a file that is being enqueued, or whose producer was stopped at it."""
        ...

    def job_states(self) -> Iterator[tuple[str, str]]:
        """Every known id with its state, `staged` and `damaged` included; grows with the jobs."""
        ...

    def done_results(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every done job with its result; grows with the jobs."""
        ...

    def failed_ids(self, *, error_class: ErrorClass | None, since: float | None) -> list[str]:
        """The failed (not canceled) jobs of that class that ended since then, most recent first."""
        ...

    def sizes(self) -> list[KeySize]:
        """Every key under the prefix, by name; grows with all keys of the server."""
        ...

    def counter(self, field: str) -> str:
        """A field of `meta` as it is stored; "" when it is not there."""
        ...

    def server(self) -> ServerFacts:
        """What the server says about itself, at this moment."""
        ...


class OnDisk(Protocol):
    """Waiting until what was enqueued is on the server's disk."""

    def require(self) -> None:
        """See that the server can tell, before anything is enqueued.

        Raises:
            BadConfiguration: it keeps no append-only file, or is too old to tell.
        """
        ...

    def wait(self) -> str:
        """Return once all that was written before is on the server's disk; where it is, for people.

        Raises:
            NotDurable: the server did not confirm it within five seconds.
        """
        ...


class Admin(Protocol):
    """An operator's hands on one queue: empty it, mend it, look into it.

    Raises, from every method:
        Unavailable: the server does not answer.
    """

    @property
    def inspector(self) -> Inspection:
        """Looks at the queue and its server."""
        ...

    @property
    def durability(self) -> OnDisk:
        """What the server can say about its disk."""
        ...

    def flush(self, *, hard: bool, force: bool) -> Flushed:
        """Delete what is under way, or with `hard` every key under the prefix.

        Raises:
            JobsHeld: live leases exist and `force` is not given; nothing was deleted.
        """
        ...

    def misfits(self, *, mend: bool) -> Iterable[Misfit]:
        """What does not fit between the keys; with `mend` each is mended in the same step."""
        ...

    def forget(self, jobs: Sequence[tuple[str, int]]) -> list[str]:
        """Forget done jobs (request id and lease number) so that they can be enqueued anew; which were."""
        ...
