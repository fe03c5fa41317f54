"""What the queue can refuse, each with its exit status."""

from __future__ import annotations

from lib.errors import BadInput, ExitStatus, JobRunnerError, TryAgain


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


class UnknownJob(BadInput):
    """No job of that request id is recorded. `nearest` holds up to three ids that look alike."""

    def __init__(self, request_id: str, nearest: tuple[str, ...] = ()) -> None:
        hint = f"; did you mean {', '.join(nearest)}?" if nearest else ""
        super().__init__(f"no job with the request id {request_id!r} is known{hint}")
        self.request_id = request_id
        self.nearest = nearest


class QueueBusy(TryAgain):
    """Another producer is enqueueing the same request ids at this moment."""


class ServerFull(TryAgain):
    """The server's memory is full; running jobs go on, only new ones are refused."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"the Redis server at {where} has no memory left for new jobs, nothing was enqueued; "
            "running jobs go on and free some, so try again later or raise its maxmemory"
        )
