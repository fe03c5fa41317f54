"""What a leader proves to the server with each call that only the leader may make."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib.errors import ExitStatus, JobRunnerError


@dataclass(frozen=True, slots=True)
class Term:
    """A leader's time: its epoch, which only rises, and the token that proves it is that leader."""

    epoch: int
    token: str = field(repr=False)


class LeadershipLost(JobRunnerError):
    """Another watcher leads, or may by now. Nothing was written; stop acting and stand by."""

    exit_status = ExitStatus.TRY_AGAIN

    def __init__(self, owner: str, epoch: int) -> None:
        super().__init__(
            f"the watcher {owner} does not lead any more: its lease of epoch {epoch} is over or was taken; "
            "it stops renting and destroying machines and stands by"
        )
        self.owner = owner
        self.epoch = epoch
