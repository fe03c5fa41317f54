"""How tasks ended, on its way into the ledger, until it is known to be there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from job_pipeline.database_trouble import DatabaseTrouble
from job_pipeline.log_tags import tell
from job_pipeline.worker.held_tasks import HeldTasks
from job_pipeline.worker.pace import retry_in_s
from job_pipeline.worker.rates import Rates
from lib.clock import Clock
from lib.errors import JobRunnerError, TryAgain
from lib.pipeline.claims import finish
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.work import ClaimedTask, Done, Failed, Parked, Released, TaskReport
from lib.redact import Redactor

log = logging.getLogger(__name__)


class Reports:
    """Writes outcomes, in one transaction for all that are there.

    A lease's number lets each be written once, so that what is not known to be written is written again.

    Threads: one.
    Raises: nothing.
    """

    def __init__(
        self,
        ledger: PipelineLedger,
        held: HeldTasks,
        rates: Rates,
        *,
        owner: str,
        settles: bool,
        redactor: Redactor,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._ledger, self._held, self._rates = ledger, held, rates
        self._owner, self._settles, self._redactor = owner, settles, redactor
        self._clock, self._chance = clock, chance
        self._trouble = DatabaseTrouble(log, "stage", "writing how tasks ended", chance)
        self._waiting: list[TaskReport] = []
        self._not_before = 0.0

    def add(self, task: ClaimedTask, outcome: Done | Failed | Released | Parked) -> None:
        """Take an outcome in: without secrets, and with the pause before the next attempt."""
        if isinstance(outcome, Failed):
            pause = retry_in_s(task.failures + 1, self._chance())
            outcome = replace(outcome, error=self._redactor.hide(outcome.error), retry_in_s=pause)
        self._waiting.append(TaskReport(task, outcome))

    @property
    def due_in_s(self) -> float | None:
        """Seconds until what is left should be written; None: nothing is left."""
        return max(0.0, self._not_before - self._clock.monotonic()) if self._waiting else None

    def write(self, *, at_once: bool = False) -> bool:
        """Write what is there, unless the last try was only just now; whether anything was written."""
        if not self._waiting or (self._clock.monotonic() < self._not_before and not at_once):
            return False
        together, self._waiting = self._waiting, []
        try:
            self._write(together)
        except TryAgain as error:  # some run is locked by somebody: the others must not wait with it
            self._run_by_run(together, error)
        except JobRunnerError as error:
            self._put_off(together, error)
        if not self._waiting:
            self._trouble.over()
        return len(self._waiting) < len(together)

    def _run_by_run(self, together: Sequence[TaskReport], error: TryAgain) -> None:
        runs: dict[str, list[TaskReport]] = {}
        for report in together:
            runs.setdefault(report.task.run, []).append(report)
        if len(runs) == 1:
            self._put_off(together, error)
            return
        for reports in runs.values():
            try:
                self._write(reports)
            except JobRunnerError as again:
                self._put_off(reports, again)

    def _put_off(self, reports: Sequence[TaskReport], error: JobRunnerError) -> None:
        self._waiting += reports
        self._not_before = self._clock.monotonic() + self._trouble.failed(error)

    def _write(self, reports: Sequence[TaskReport]) -> None:
        try:
            lost = self._finish(reports)
        except JobRunnerError:
            raise
        except Exception:  # one of them cannot be written: the others must not suffer for it
            log.exception("a task's end cannot be written as it is")
            lost = [task for report in reports for task in self._alone(report)]
        self._tell(reports, lost)

    def _finish(self, reports: Sequence[TaskReport]) -> list[ClaimedTask]:
        return finish(self._ledger, reports, owner=self._owner, settle=self._settles)

    def _alone(self, report: TaskReport) -> list[ClaimedTask]:
        """Write one, as failed if need be; what is lost of it."""
        failed = Failed(error="its result cannot be written into the ledger")
        for each in (report, TaskReport(report.task, failed)):
            try:
                return self._finish([each])
            except Exception as error:  # then its lease runs out
                log.error("the end of %s of %s: %s", report.task.name, report.task.run, type(error).__name__)
        return [report.task]

    def _tell(self, reports: Sequence[TaskReport], lost: Sequence[ClaimedTask]) -> None:
        gone = {id(task) for task in lost}
        self._held.drop(report.task for report in reports)
        for report in reports:
            if id(report.task) in gone:
                sentence = "its end was not written now: its lease had ended, or it was written before"
                tell_task(report.task, "lost", sentence, logging.WARNING)
            else:
                self._rates.count(report.outcome)
                tell_task(report.task, *_words(report.outcome))


def tell_task(task: ClaimedTask, event: str, sentence: str, level: int = logging.INFO) -> None:
    """Write a line about a task."""
    tell(log, "stage", event, sentence, run=task.run, task=task.name, attempt=task.attempt, level=level)


def _words(outcome: Done | Failed | Released | Parked) -> tuple[str, str, int]:
    match outcome:
        case Done():
            files = f" with {len(outcome.artifacts)} files" if outcome.artifacts else ""
            return "done", f"done{files}", logging.INFO
        case Failed(for_good=True):
            return "failed", f"failed for good: {outcome.error}", logging.WARNING
        case Failed():
            return "failed", f"failed: {outcome.error}", logging.WARNING
        case Released():
            return "released", f"given back: {outcome.why}", logging.INFO
        case Parked():
            return "parked", f"parked: the queue is to do {len(outcome.specs)} jobs", logging.INFO
