"""What a server can refuse, each with its exit status."""

from __future__ import annotations

from lib.errors import TryAgain, Unavailable


class ServerUnavailable(Unavailable):
    """The server does not answer, or refuses for good: `reason` says why, `fix` what mends it."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason}; {fix}")
        self.reason = reason
        self.fix = fix


class ServerFull(TryAgain):
    """The server's memory is full; running jobs go on, only what adds work is refused."""

    def __init__(self, where: str, refused: str = "this, so nothing was changed") -> None:
        super().__init__(
            f"the Redis server at {where} has no memory left for {refused}; "
            "running jobs go on and free some, so try again later or raise its maxmemory"
        )
        self.where = where

    def as_enqueue(self) -> ServerFull:
        """The same, in the words of who wanted to enqueue."""
        return ServerFull(self.where, "new jobs, nothing was enqueued")
