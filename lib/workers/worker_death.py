"""How a worker ended, and whether the job at hand may have been at fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Exit statuses that a job can cause: an uncaught error, SIGKILL, SIGABRT and SIGSEGV as a shell tells them.
_OF_A_JOB: Final = frozenset({1, 70, 134, 137, 139})


@dataclass(frozen=True, slots=True)
class WorkerDeath:
    """A resident worker ended without being asked to."""

    status: int  # exit status; negative: the signal that ended it
    sentence: str  # "exit status 3", "signal SIGSEGV"
    log_tail: tuple[str, ...]  # its last lines, oldest first
    with_its_machine: bool = False  # the machine started anew, so nothing is wrong with the worker

    @property
    def blames_the_job(self) -> bool:
        """Whether the job at hand may have killed it.

        A worker that ends by itself with a sysexits status (configuration, busy spool, bad usage)
        says that it never got to the job.
        """
        return self.status < 0 or self.status in _OF_A_JOB

    @property
    def last_line(self) -> str:
        """The last thing it wrote; "" for nothing."""
        return " ".join(self.log_tail[-1:])
