"""The port: what the programs may ask of a queue. Redis and the in-memory queue both keep it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from lib.jobqueue.admin.observed import LOOKED_AT, EndedJobs, ListedJobs, PlaceInLine, StretchOfLine
from lib.jobqueue.admin.port import Admin
from lib.jobqueue.id_prefixes import MOST_KNOWN, MOST_UNDER
from lib.jobqueue.model import (
    CancelOutcome,
    Changed,
    EnqueueOutcome,
    Event,
    Failure,
    FinishedJob,
    JobRecord,
    JobState,
    Lease,
    Placement,
    RetryOutcome,
    Snapshot,
    WatcherInfo,
)
from lib.jobspec.model import JobSpec
from lib.redislink.term import Term


class JobQueue(Protocol):
    """A queue of narration jobs in which a worker that lost its lease can change nothing.

    Calls block and return within seconds or raise; only `claim` and `follow_events` wait longer, at most
    `block_s`. Every call is safe to repeat after a lost reply. One instance may be used from several threads.

    Raises, from every method:
        Unavailable: the server does not answer, or refuses in a way that a retry did not mend.
    """

    def enqueue(
        self, specs: Sequence[JobSpec], *, changed: Changed = Changed.REFUSE, dry_run: bool = False
    ) -> list[EnqueueOutcome]:
        """Accept the jobs, all or none, once per request id; outcomes in the order given.

        `changed` says what becomes of an id that is known with other content: with `REFUSE` nothing is
        enqueued, with `REPLACE` the job is its next revision (a running one loses its lease, the record of a
        finished one is kept for its time), and fields outside the fingerprint are updated. Over the depth
        limit nothing is enqueued. Each job gets the next place in the order of asking, known or not. Of more
        than 500 jobs the known ones are asked for again in portions, after the new ones were accepted.

        Raises:
            ServerFull: the server's memory is full.
            QueueBusy: another producer is enqueueing the same ids and did not finish within seconds.
        """
        ...

    def claim(
        self, consumer: str, *, count: int = 1, block_s: float = 0.0, lease_ms: int | None = None
    ) -> list[Lease]:
        """Lease up to `count` jobs: first those whose lease ran out, then by priority, none starving.

        With none to give, waits up to `block_s` and wakes at once when there is one; [] after that, when
        paused, or when `wake` was called. `lease_ms` is in milliseconds, at least 1; None: the queue's own.
        """
        ...

    def adopt(
        self, term: Term, consumer: str, *, hosts: Collection[str], lease_ms: int | None = None
    ) -> list[Lease]:
        """Take over the running jobs of others whose work lies on these hosts, as the leader of that term.

        Their leases need not run out, and an attempt that began goes on: it is neither counted again nor
        lost. Every other holder's writes are refused from then on. Paused or not; each job once.

        Raises:
            LeadershipLost: that term is over; what was adopted before it ended goes out when its lease does.
        """
        ...

    def assign(self, placements: Sequence[Placement]) -> list[Lease]:
        """Note where the work of leases lies, in one round trip; returns the leases that are lost.

        A repeat overwrites. It is forgotten when the job runs no more; a lease that runs out and is given
        on, or adopted, tells it to the next worker.
        """
        ...

    def begin(self, lease: Lease) -> Lease:
        """Say that work begins: this is what an attempt is. Once per lease; a repeat changes nothing.

        Raises:
            LeaseLost: the lease is not the job's any more.
        """
        ...

    def renew(self, leases: Sequence[Lease], *, lease_ms: int | None = None) -> list[Lease]:
        """Extend the leases from now, in one round trip; returns those that are lost."""
        ...

    def progress(self, lease: Lease, data: Mapping[str, Any]) -> None:
        """Store the latest progress (small JSON) of a running job.

        Raises:
            LeaseLost: the lease is not the job's any more.
        """
        ...

    def complete(self, lease: Lease, result: Mapping[str, Any]) -> int:
        """Record the result, once and for all; returns the job's place in the order of asking.

        Repeating it with the same lease is fine.

        Raises:
            LeaseLost: the lease is not the job's any more.
        """
        ...

    def complete_many(self, results: Sequence[tuple[Lease, Mapping[str, Any]]]) -> list[int | None]:
        """As `complete`, for several; None instead of raising, where the lease is lost."""
        ...

    def fail(self, lease: Lease, failure: Failure) -> JobState:
        """Record a failure and return where the job went: delayed, waiting, failed or canceled.

        A job that killed `poison_limit` workers is failed, once these were on two hosts or there is only one;
        in any case at twice as many.

        Raises:
            LeaseLost: the lease is not the job's any more.
        """
        ...

    def release(self, lease: Lease, reason: str, *, alone: bool = False) -> None:
        """Hand the job back, to be given out first; spends no attempt.

        With `alone` its next leases say that it is to be run singly, until it begins, ends or fails.

        Raises:
            LeaseLost: the lease is not the job's any more.
        """
        ...

    def release_unplaced(self, consumer: str, *, known: Collection[str], reason: str) -> list[str]:
        """Hand back what a consumer that is gone had leased and not placed yet; returns the request ids.

        For a successor that is sure of its end, since it holds what that one had locked. Left alone are the
        jobs of `known`, those that were assigned to a host, and those that began: somebody may go on with
        them. A repeat hands back nothing more. Costs grow with the number of leases.
        """
        ...

    def excuse(self, request_id: str, host: str) -> bool:
        """Hold the death of a worker on `host` against the job no more: the host is the suspect.

        The job is blamed for one death less, the attempt does not count, and it may go there again. False
        when no death there is held against it, or it is finished; a repeat changes nothing.
        """
        ...

    def cancel(self, request_id: str) -> CancelOutcome:
        """Withdraw a job. A running one is canceled at once; its worker learns that its lease is lost."""
        ...

    def retry(self, request_ids: Sequence[str]) -> list[RetryOutcome]:
        """Requeue failed and canceled jobs with fresh attempts; any other changes nothing."""
        ...

    def pause(self) -> None:
        """Stop giving out jobs; running ones and enqueueing go on."""
        ...

    def resume(self) -> None:
        """Give out jobs again."""
        ...

    def wake(self) -> None:
        """Make every `claim` of this instance that waits in another thread return at once."""
        ...

    def snapshot(self) -> Snapshot:
        """The queue in numbers with its watchers, all of one moment."""
        ...

    def server_health(self) -> dict[str, Any]:
        """The server as people judge it: `name`, `version`, `place`, and where there is a server
        `used_memory_bytes`, `maxmemory_bytes` (0: no limit), `eviction_policy`, `appendonly` and
        `last_write_ok`.
        """
        ...

    def job(self, request_id: str) -> JobRecord | None:
        """What is known about one job; None when the id is unknown."""
        ...

    def jobs(self, request_ids: Sequence[str]) -> list[JobRecord | None]:
        """As `job`, for many in few round trips; without progress and last error."""
        ...

    def specs(self, request_ids: Sequence[str]) -> list[JobSpec | None]:
        """What was asked for under each id; None when it is unknown, or done: then it is kept no more."""
        ...

    def result(self, request_id: str) -> FinishedJob | None:
        """The record of a finished job; None when it is unknown or not finished."""
        ...

    def revisions(self, request_id: str) -> list[FinishedJob]:
        """The records of its finished revisions that a newer one replaced, the oldest first."""
        ...

    def results(self, request_ids: Sequence[str]) -> list[FinishedJob | None]:
        """As `result`, for many in few round trips; in the order given."""
        ...

    def history(
        self,
        *,
        limit: int = 20,
        status: JobState | None = None,
        since: float | None = None,
        behind: FinishedJob | None = None,
    ) -> list[FinishedJob]:
        """Finished jobs, most recent first; of one terminal state and finished since, if given.

        Fewer than `limit` means that there are no more. To read on, give the last record as `behind`: jobs
        that finish meanwhile neither repeat nor hide any. Jobs of one millisecond are ordered by their ids.
        Of one state, those of other states are looked at too.
        """
        ...

    def place(self, request_id: str) -> PlaceInLine | None:
        """Where a waiting job stands; None when it does not wait."""
        ...

    def look_along(self, behind: str = "", *, count: int = LOOKED_AT) -> StretchOfLine:
        """Whose jobs are in line: the batches of a stretch of it, high priority first, nothing claimed.

        Looks at up to `count` jobs, at fewer where they are long; go on with the reply's `behind` until it
        is "". A job that moves between two looks may be missed or counted twice.
        """
        ...

    def listed(self, state: JobState | None, behind: str = "", *, count: int = LOOKED_AT) -> ListedJobs:
        """Ids of jobs in this state (None: finished), a page of them; go on with the reply's `behind`.

        Waiting ones in the order of the line, delayed ones as they come due, running ones by their ids and
        at most a thousand; finished ones as `history` has them, and `behind` is MILLISECONDS:ID of the last.
        Looks at up to `count`, so a page may hold fewer. A job that moves between two looks may be missed or
        come twice.
        """
        ...

    def ended(self, moments: Sequence[float]) -> list[EndedJobs]:
        """How many kept jobs had ended before each moment, in seconds since the epoch; of one look."""
        ...

    def ids_under(
        self, prefix: str, *, at_most: int = MOST_UNDER, among: int = MOST_KNOWN
    ) -> tuple[str, ...]:
        """The known ids that begin with `prefix`, in order. Time grows with the number of known jobs.

        Raises:
            TooMany: more than `at_most` begin so, or more than `among` are known; then none was looked at.
        """
        ...

    def nearest(self, request_id: str) -> tuple[str, ...]:
        """Up to three known ids that look like `request_id`, best first; found by a bounded search.

        Of one that ends with a colon, beginnings of known ids that look like it, as long as it is.
        """
        ...

    def last_event_id(self) -> str:
        """The newest event's id, for following from now on."""
        ...

    def latest_events(self, count: int) -> list[Event]:
        """The newest `count` events that are kept, in order."""
        ...

    def follow_events(self, after: str, *, block_s: float = 0.0, count: int = 500) -> list[Event]:
        """Events after that id in order, at most `count`; waits up to `block_s` for the first."""
        ...

    def register_watcher(self, name: str, data: Mapping[str, Any]) -> None:
        """Enter a watcher into the registry, as started now; again for the same name: only seen now."""
        ...

    def heartbeat_watcher(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        """Say that the watcher is alive, and replace its data if given."""
        ...

    def remove_watcher(self, name: str) -> None:
        """Take the watcher out of the registry, and its consumer out of the group if it holds nothing."""
        ...

    def watchers(self) -> list[WatcherInfo]:
        """All registered watchers, the longest running first."""
        ...

    def admin(self) -> Admin | None:
        """An operator's hands on what the queue lies on; None where there is nothing to keep up."""
        ...

    def close(self) -> None:
        """Give back connections. The queue itself stays."""
        ...
