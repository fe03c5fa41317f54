"""The worker's one thread that decides: claims tasks, hands them out, and has their ends written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final

from job_pipeline.database_trouble import DatabaseTrouble
from job_pipeline.log_tags import tell
from job_pipeline.worker.code_changes import CodeChanges
from job_pipeline.worker.held_tasks import HeldTasks
from job_pipeline.worker.options import PipelineWorkerOptions, stages_taken
from job_pipeline.worker.pace import WORTH_ASKING_S, ClaimPace
from job_pipeline.worker.pool import News, ProcessBroken, ProcessReady, TaskEnded, TaskPool
from job_pipeline.worker.rates import Rates
from job_pipeline.worker.reports import Reports, tell_task
from job_pipeline.worker.upkeep import WorkerUpkeep
from lib.clock import Clock
from lib.errors import JobRunnerError
from lib.pipeline import BadPipeline, Dag
from lib.pipeline.claims import UnsureClaim, claim, lost_leases, next_ready_s
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.work import ClaimedTask, Released
from lib.redact import Redactor

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S: Final = 60.0


class WorkerLoop:
    """One step after the other; between two the caller waits, as long as `step` says or until it is woken.

    Threads: one, except `lost` and `wake`, which are any's.
    Raises: BadPipeline from `step`, when no process could ever import the pipelines; from the constructor
        UsageError of the stage, and what the database says.
    """

    def __init__(
        self,
        ledger: PipelineLedger,
        dags: Sequence[Dag],
        options: PipelineWorkerOptions,
        *,
        pool: TaskPool,
        held: HeldTasks,
        redactor: Redactor,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._ledger, self._options = ledger, options
        self._stages = stages_taken(dags, options.stage)
        self._pool, self._held, self._clock = pool, held, clock
        self._rates = Rates(clock)
        self._changes = CodeChanges(ledger, dags, clock)
        self._reports = Reports(
            ledger,
            held,
            self._rates,
            owner=options.owner,
            settles=options.settles,
            redactor=redactor,
            clock=clock,
            chance=chance,
        )
        is_woken = ledger.database.dialect == "postgresql"
        self._upkeep = WorkerUpkeep(ledger, clock, chance) if options.settles else None
        self._pace = ClaimPace(poll_s=options.poll_s, is_woken=is_woken, chance=chance)
        self._trouble = DatabaseTrouble(log, "stage", "claiming", chance)
        self._claim_at = 0.0  # monotonic
        self._away_until = 0.0  # monotonic; the database did not answer
        self._woken = False  # since the last step
        self._was_woken = False  # since the last claim that found too little
        self._woke_others = False  # ourselves, maybe, and among them us
        self._look_again = False
        self._unsure: Sequence[ClaimedTask] = ()  # whether the last claim leased them
        self._lost: set[tuple[str, str, int]] = set()
        self._drains = 0
        self._gave_back = False
        self._was_ready = self._is_broken = False

    def wake(self) -> None:
        """Somebody says that something is ready."""
        self._woken = True

    def lost(self, task: ClaimedTask) -> None:
        """The lease of a task is gone: its work must stop, and nothing be written of it."""
        self._lost.add((task.run, task.name, task.lease_no))
        self._pool.stop(task)

    def drain(self) -> None:
        """Claim nothing any more; the second time, give back what is at work."""
        self._drains += 1
        count = len(self._held)
        words = "finishes what is at work" if self._drains == 1 else "gives back what is at work"
        tell(log, "stage", "drain", f"the worker {words}: {count} tasks", at_work=count)

    def step(self, news: Collection[News]) -> float | None:
        """Do what there is to do; seconds until there is something again, or None: it is drained."""
        for each in news:
            self._hear(each)
        if self._drains > 1 and not self._gave_back:
            self._gave_back = True
            self._pool.close()
            return 0.0  # what it told is heard in the next step
        if self._drains:
            self._give_back_unsure()
        if self._reports.write(at_once=self._gave_back):
            self._look_again = self._woke_others = True
        if self._drains:
            return self._pause_draining()
        self._claim()
        self._tend()
        self._rates.tell(at_work=len(self._held))
        return self._pause_s()

    def end(self) -> None:
        """Say the last word."""
        self._rates.tell(at_work=len(self._held), last=True)

    def _pause_draining(self) -> float | None:
        if not self._held:
            return None
        if not self._gave_back:
            due = self._reports.due_in_s
            return _LONGEST_PAUSE_S if due is None else due
        for task in self._held.all():  # the database is away and nobody wants to wait for it
            tell_task(task, "left", "not given back; its lease will run out", logging.WARNING)
        return None

    def _hear(self, news: News) -> None:
        match news:
            case ProcessReady():
                if not self._was_ready:
                    self._say_hello()
                self._was_ready, self._is_broken = True, False
                self._claim_at = 0.0
                self._changes.compare(news.digests)
            case ProcessBroken():
                if not self._was_ready:
                    raise BadPipeline(news.reason)
                if not self._is_broken:  # it is tried again every few seconds
                    tell(log, "stage", "process_broken", news.reason, level=logging.ERROR)
                self._is_broken = True
            case TaskEnded(task=task, outcome=None) if (task.run, task.name, task.lease_no) in self._lost:
                self._lost.discard((task.run, task.name, task.lease_no))
                self._held.drop([task])
                tell_task(task, "lost", "stopped: its lease is gone, or its run was stopped", logging.WARNING)
            case TaskEnded():
                outcome = Released(why="its worker was stopped") if news.outcome is None else news.outcome
                self._reports.add(news.task, outcome)

    def _say_hello(self) -> None:
        stages = "; ".join(f"{dag}: {', '.join(names)}" for dag, names in self._stages.items())
        owner, count = self._options.owner, self._options.concurrency
        sentence = f"the worker {owner} takes {count} tasks at a time of {stages}"
        tell(log, "stage", "worker_ready", sentence, owner=owner, concurrency=count)

    def _claim(self) -> None:
        now = self._clock.monotonic()
        if self._woken:
            self._woken, self._was_woken = False, True
            self._claim_at = min(self._claim_at, now + self._pace.courtesy_s())
        if self._look_again:
            self._look_again = False
            self._claim_at = now
        if now < max(self._claim_at, self._away_until) or not (self._unsure or self._room):
            return
        try:
            self._be_sure()
            if room := self._room:
                self._claim_anew(room, now)
        except JobRunnerError as error:
            if isinstance(error, UnsureClaim):
                self._unsure = error.tasks
            self._away_until = self._clock.monotonic() + self._trouble.failed(error)
        else:
            self._trouble.over()

    @property
    def _room(self) -> int:
        """How many tasks to claim. While ends cannot be written none: they would pile up, and their leases
        run out."""
        return self._pool.free if self._reports.due_in_s is None else 0

    def _claim_anew(self, room: int, now: float) -> None:
        owner, lease_s = self._options.owner, self._options.lease_s
        tasks = claim(self._ledger, self._stages, owner=owner, count=room, lease_s=lease_s)
        self._begin(tasks)
        self._claim_at = now if len(tasks) == room else now + self._next_look_s(bool(tasks))

    def _be_sure(self) -> None:
        """Begin what an earlier claim leased all the same: else each would wait for the end of its lease, and
        an attempt count that never was."""
        if self._unsure:
            lost = lost_leases(self._ledger, self._unsure, owner=self._options.owner)
            self._begin([task for task in self._unsure if task not in lost])
            self._unsure = ()

    def _give_back_unsure(self) -> None:
        """Have it written that what an earlier claim may have leased was not begun; of what it did not lease
        nothing is written."""
        self._held.add(self._unsure)
        for task in self._unsure:
            self._reports.add(task, Released(why="its worker was stopped"))
        self._unsure = ()

    def _begin(self, tasks: Sequence[ClaimedTask]) -> None:
        self._held.add(tasks)
        self._pool.begin_all(tasks)
        for task in tasks:
            tell_task(task, "begins", "begins")
        if tasks:
            self._pace.found()

    def _next_look_s(self, found: bool) -> float:
        if self._was_woken and not self._woke_others and not found:
            self._pace.found_nothing()
        self._was_woken = self._woke_others = False
        pause = self._pace.pause_s()
        if pause < WORTH_ASKING_S:
            return pause
        ready = next_ready_s(self._ledger, self._stages)
        return pause if ready is None else min(pause, ready)

    def _tend(self) -> None:
        if self._clock.monotonic() < self._away_until:
            return
        try:
            self._changes.tend()
            if self._upkeep is not None:
                self._upkeep.tend()
        except JobRunnerError as error:
            self._away_until = self._clock.monotonic() + self._trouble.failed(error)

    def _pause_s(self) -> float:
        now = self._clock.monotonic()
        away = self._away_until - now
        tended = self._changes.due_in_s
        if self._upkeep is not None:
            tended = min(tended, self._upkeep.due_in_s)
        ahead = [max(tended, away), self._rates.due_in_s, _LONGEST_PAUSE_S]
        if (due := self._reports.due_in_s) is not None:
            ahead.append(due)
        elif self._unsure or self._pool.free:
            ahead.append(max(self._claim_at - now, away))
        return max(0.0, min(ahead))
