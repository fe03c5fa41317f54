"""What the watcher asks of the place where a resident worker runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WorkerDeath:
    """A resident worker ended without being asked to."""

    status: int  # exit status; negative: the signal that ended it
    sentence: str  # "exit status 3", "signal SIGSEGV"
    log_tail: tuple[str, ...]  # its last lines, oldest first

    @property
    def blames_the_job(self) -> bool:
        """Whether the job at hand may have killed it.

        A worker that ends by itself with a sysexits status (configuration, busy spool, bad usage)
        says that it never got to the job.
        """
        return self.status < 0 or self.status in (1, 70, 134, 137, 139)


class ResidentWorker(Protocol):
    """The process that speaks (`voice-synth work`), wherever it runs."""

    def tend(self) -> WorkerDeath | None:
        """Start it when it should run and does not; report each death once. Returns at once."""
        ...

    def restart(self) -> None:
        """End it now, without grace; the next `tend` starts a new one. For a worker that hangs."""
        ...

    def stop(self, grace: float) -> None:
        """Ask it to finish the piece at hand and end, waiting up to `grace` seconds. Repeatable."""
        ...
