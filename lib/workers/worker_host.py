"""The port of a place where a resident worker runs, as the dispatcher uses it."""

from __future__ import annotations

from typing import Protocol

from lib.spool import Files
from lib.workers.worker_death import WorkerDeath


class WorkerHost(Protocol):
    """One resident worker (`voice-synth work`) and the spool it serves, wherever that is.

    `name` is unique among all hosts of a queue: it stands in the rows of leases. `machine` is where it runs:
    hosts of one machine share its fate, so what ends workers on two of them may still be the machine.
    `remote` says that its files come over a network: where the store signs for it, such a worker uploads
    them itself. Each call but `stop` returns within 30 s or raises.

    Threads: `files` any; `tend` and `restart` the loop's; `stop` one for each host, while the loop waits.
    Raises: only `files`, as it says; OSError from `tend`, where the machine starts no process.
    """

    name: str
    machine: str
    remote: bool

    def files(self) -> Files:
        """The spool's files.

        Raises:
            HostUnreachable: the machine does not answer.
        """
        ...

    def tend(self) -> WorkerDeath | None:
        """Start the worker where it should run and does not; report each death once. Returns at once."""
        ...

    def restart(self) -> None:
        """End the worker now, without grace, and have a new one started. For one that stands still."""
        ...

    def stop(self, grace: float) -> None:
        """Ask the worker to finish the piece at hand and end, waiting up to `grace` seconds. Repeatable."""
        ...
