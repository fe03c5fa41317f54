"""What the queue can refuse, each with its exit status."""

from __future__ import annotations

from lib.errors import BadInput, ExitStatus, JobRunnerError, TryAgain, Unavailable


class LeaseLost(JobRunnerError):
    """The write came from a worker whose lease is no longer the job's. Nothing was changed.

    The worker must stop the job and write nothing more for it; the job itself is in good hands.
    """

    exit_status = ExitStatus.TRY_AGAIN

    def __init__(self, request_id: str, lease_no: int, consumer: str) -> None:
        super().__init__(
            f"lease {lease_no} of job {request_id}, held by {consumer}, is lost: it ran out and was given "
            "on, or the job was finished or canceled meanwhile; nothing was written, stop working on it"
        )
        self.request_id = request_id
        self.lease_no = lease_no
        self.consumer = consumer


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


class UnknownJob(BadInput):
    """No job of that request id is recorded. `nearest` holds up to three ids that look alike."""

    def __init__(self, request_id: str, nearest: tuple[str, ...] = ()) -> None:
        hint = f"; did you mean {', '.join(nearest)}?" if nearest else ""
        super().__init__(f"no job with the request id {request_id!r} is known{hint}")
        self.request_id = request_id
        self.nearest = nearest


class NotAccepted(UnknownJob):
    """The id stands in a file that is not accepted: it is being enqueued, or its producer was stopped."""

    def __init__(self, request_id: str) -> None:
        BadInput.__init__(
            self,
            f"{request_id} is not accepted: the file it stands in is being enqueued at this moment, or the "
            "producer was stopped; enqueue the file again, which is safe in both cases",
        )
        self.request_id = request_id
        self.nearest = ()


class DamagedRow(JobRunnerError):
    """What the server keeps of a job's state cannot be read: somebody wrote past the scripts."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"the row of {request_id} in the hash of states cannot be read (R022); job-runner reconcile "
            "--apply removes it with all that is kept of the job, then enqueue the job again"
        )
        self.request_id = request_id


class QueueBusy(TryAgain):
    """Another producer is enqueueing the same request ids at this moment."""


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
