"""Judges whether the job, the machine or nobody is to blame when a worker ends. Pure.

One job at hand is charged with the death; the second on another machine makes it poison, where there is
another machine. Two different jobs that die on one machine accuse the machine, where there is another one to
go to, and cost their jobs nothing. Of a batch nobody knows which job did it: its members run by themselves
next time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Blame:
    """The judgement of one death: which jobs count it, and whether the machine does. By request id.

    `charged` did it as far as is known; `lost` lost their machine; `singly` are to run by themselves;
    `excused` were charged for earlier deaths there and did not do it.
    """

    charged: str | None = None
    lost: str | None = None
    singly: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    accused: bool = False  # the machine


@dataclass(slots=True)
class MachineDeaths:
    """Counts the deaths of one machine's workers by the job at hand, since it last finished one.

    Threads: the loop's only.
    Raises: nothing.
    """

    jobs: list[str] = field(default_factory=list)

    def judge(self, at_hand: Sequence[str], *, machines: int, accused: bool) -> Blame:
        """Judge a death that may be a job's doing. `machines` is how many there are to try."""
        if len(at_hand) > 1:
            return Blame(singly=tuple(at_hand), accused=accused)
        if not at_hand:
            return Blame(accused=accused)
        (job,) = at_hand
        others = [other for other in self.jobs if other != job]
        if machines > 1 and (accused or others):
            self.jobs.clear()
            return Blame(lost=job, excused=tuple(others), accused=True)
        if job not in self.jobs:
            self.jobs.append(job)
        return Blame(charged=job)

    def finished_one(self) -> None:
        """Forget the deaths so far: the machine finished a job, so they say nothing against it."""
        self.jobs.clear()
