"""The bridge between pipelines and the queue: parked tasks' jobs are enqueued, followed and canceled."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from lib.backoff import backoff_s
from lib.errors import BadInput, JobRunnerError, TryAgain, Unavailable
from lib.jobqueue import FinishedJob, JobQueue, JobRecord, JobState, Outcome
from lib.jobspec import InvalidJobSpec, JobSpec, normalize_job_spec
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.parked_tasks import has_orphans, parked_tasks, tend_parked

_log = logging.getLogger("job_pipeline")
_LOOK_EVERY_S: Final = 1.0  # what was parked elsewhere, or whose event was lost, is seen within this
_LONGEST_PAUSE_S: Final = 30.0


class QueueWork:
    """`lib.pipeline.parked_tasks.ExternalWork` by the queue of narration jobs; it says what is raised."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def order(self, specs: Mapping[str, Mapping[str, Any]]) -> None:
        """Enqueue jobs under their ids, all or none; those that are known already stay as they are."""
        jobs = [_job(request_id, spec) for request_id, spec in specs.items()]
        for outcome in self._queue.enqueue(jobs):
            if outcome.outcome is Outcome.CONFLICT:
                raise BadInput(
                    f"the queue knows {outcome.request_id} with other content: two databases of pipelines "
                    "share this queue and have runs of the same id"
                )
            if outcome.outcome is Outcome.REJECTED:
                raise TryAgain("the queue is full (JOBS_MAX_DEPTH); the stage waits until there is room")

    def ask(self, request_ids: Sequence[str]) -> Mapping[str, tuple[str, Any]]:
        """State and result record of jobs; those that the queue does not know are left out."""
        records = self._queue.jobs(request_ids)
        ended = [
            record.request_id
            for record in records
            if record and record.state in (JobState.DONE, JobState.FAILED)
        ]
        finished = {job.request_id: job for job in self._queue.results(ended) if job is not None}
        return {
            record.request_id: _answer(record, finished.get(record.request_id))
            for record in records
            if record
        }

    def cancel(self, request_ids: Sequence[str]) -> None:
        """Withdraw jobs that have not ended; one that the queue does not know needs no withdrawing."""
        for request_id in request_ids:
            self._queue.cancel(request_id)


def _job(request_id: str, spec: Mapping[str, Any]) -> JobSpec:
    try:
        return normalize_job_spec({**spec, "request_id": request_id})
    except InvalidJobSpec as error:
        raise BadInput(f"a job that the stage asks for is none: {error.message}") from None


def _answer(record: JobRecord, finished: FinishedJob | None) -> tuple[str, Any]:
    match record.state:
        case JobState.DONE:
            return "done", None if finished is None else finished.result
        case JobState.FAILED:
            error = (finished.error if finished else None) or {}
            return "failed", {"error": error.get("message"), "failure_class": error.get("class")}
        case JobState.CANCELED:
            return "canceled", None
        case JobState.RUNNING:
            return "running", None
        case _:
            return "enqueued", None


@contextlib.contextmanager
def kept_bridge(
    open_ledger: Callable[[], PipelineLedger], open_queue: Callable[[], JobQueue]
) -> Iterator[Bridge]:
    """A bridge that tends in a thread of its own, on a ledger of its own, as long as the block runs.

    Raises: what `open_ledger` raises.
    """
    ledger = open_ledger()
    bridge = Bridge(ledger, open_queue)
    thread = threading.Thread(target=bridge.run, name="bridge", daemon=True)
    thread.start()
    try:
        yield bridge
    finally:
        bridge.stop()
        thread.join()
        ledger.database.close()


class Bridge:
    """Tends parked tasks until it is stopped; any number of processes may have one.

    `run` is for a thread of its own; `wake` and `stop` may be called from any. The queue is opened when there
    is a parked task for the first time, so that pipelines without one need no queue.
    """

    def __init__(
        self,
        ledger: PipelineLedger,
        open_queue: Callable[[], JobQueue],
        *,
        told: Callable[[], None] | None = None,
    ) -> None:
        """`told` is called after something changed, for whoever writes that down elsewhere."""
        self._ledger = ledger
        self._open = open_queue
        self._told = told or (lambda: None)
        self._queue: JobQueue | None = None
        self._woken = threading.Event()
        self._stopped = threading.Event()

    def wake(self) -> None:
        """Something was parked: look now."""
        self._woken.set()

    def stop(self) -> None:
        """Let `run` return, within a second."""
        self._stopped.set()
        self._woken.set()

    def tend(self) -> bool:
        """Bring everything parked as far as the queue is, once; whether anything is parked.

        Raises:
            Unavailable, TryAgain: the queue or the database is not there; what was done until then stands.
        """
        changed = self._tend()
        if changed:
            self._told()
        return bool(parked_tasks(self._ledger))

    def _tend(self) -> list[tuple[str, str]]:
        if self._queue is None:
            if not parked_tasks(self._ledger) and not has_orphans(self._ledger):
                return []
            self._queue = self._open()
        changed = tend_parked(self._ledger, QueueWork(self._queue))
        for run, task in changed:
            _log.info(
                "the queue has news of %s of %s", task, run, extra={"tag": "stage", "run": run, "task": task}
            )
        return changed

    def run(self) -> None:
        """Tend until `stop`. A queue that is away is said once and tried again, with pauses."""
        failures = 0
        while not self._stopped.is_set():
            try:
                waiting = self.tend()
                failures = 0
                self._wait(waiting)
            except (Unavailable, TryAgain) as error:
                failures += 1
                if failures == 1:
                    _log.warning("%s", error.message, extra={"tag": "stage"})
                self._pause(backoff_s(failures, 1.0, base_s=1.0, cap_s=_LONGEST_PAUSE_S))
            except JobRunnerError as error:
                failures += 1
                _log.error("%s", error.message, extra={"tag": "stage"})
                self._pause(_LONGEST_PAUSE_S)
            except Exception:  # without this thread every parked task would wait for ever
                _log.exception("parked stages were not tended", extra={"tag": "stage"})
                self._pause(_LONGEST_PAUSE_S)
        if self._queue is not None:
            self._queue.close()

    def _wait(self, waiting: bool) -> None:
        """Until the queue tells an event, something is parked, or a second is over."""
        if waiting and self._queue is not None and not self._woken.is_set():
            self._queue.follow_events(self._queue.last_event_id(), block_s=_LOOK_EVERY_S)
        else:
            self._pause(_LOOK_EVERY_S)

    def _pause(self, seconds: float) -> None:
        if self._woken.wait(seconds) and not self._stopped.is_set():
            self._woken.clear()
