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


class JobsHeld(TryAgain):
    """Jobs are leased at this moment; nothing was deleted. `count` says how many."""

    def __init__(self, count: int) -> None:
        jobs = "1 job is" if count == 1 else f"{count} jobs are"
        super().__init__(
            f"{jobs} leased to a watcher at this moment, so nothing was deleted; stop the watchers and wait "
            "until their work is done, or add --force to throw it away"
        )
        self.count = count


class QueueBusy(TryAgain):
    """Another producer is enqueueing the same request ids at this moment."""
