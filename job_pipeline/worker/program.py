"""A worker put together: its ledger's connections, its threads, its processes, and their end."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack

from job_pipeline.dag_loading import load_dags
from job_pipeline.worker.held_tasks import HeldTasks, LeaseHeartbeat
from job_pipeline.worker.loop import WorkerLoop
from job_pipeline.worker.news import Mailbox, WakeBell
from job_pipeline.worker.options import PipelineWorkerOptions
from job_pipeline.worker.pool import News, TaskPool
from lib.clock import Clock, SystemClock
from lib.pipeline import Dag
from lib.pipeline.ledger import PipelineLedger
from lib.redact import Redactor
from lib.sql.listen import Listener


class PipelineWorker:
    """Takes tasks of its pipelines until it is drained.

    `open_ledger` opens the ledger on connections of its own; it is called twice. `redactor` hides secrets in
    what tasks fail with. `chance` draws from 0 to 1.

    Threads: `run` is one thread's, `drain` any's.
    Raises: from `run`, before anything is claimed: BadConfiguration and BadPipeline of the code, UsageError
        of the stage, and what the database says. Later nothing of the database's: it is tried again.
    """

    def __init__(
        self,
        open_ledger: Callable[[], PipelineLedger],
        options: PipelineWorkerOptions,
        *,
        redactor: Redactor | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._open_ledger, self._options = open_ledger, options
        self._redactor = redactor or Redactor()
        self._clock, self._chance = clock or SystemClock(), chance
        self._bell = WakeBell()
        self._mail: Mailbox[News] = Mailbox(self._bell)
        self._drains = 0

    def drain(self) -> None:
        """Claim nothing any more and end when the work at hand is done; the second time, give it back."""
        self._drains += 1
        self._bell.ring()

    def run(self) -> None:
        """Work until drained."""
        dags = load_dags(self._options.dags)
        with ExitStack() as stack:
            loop = self._put_together(stack, dags)
            told, pause = 0, 0.0
            while True:
                self._bell.wait(pause)
                for _ in range(told, self._drains):
                    told += 1
                    loop.drain()
                wanted = loop.step(self._mail.take())
                if wanted is None:
                    break
                pause = wanted
            loop.end()

    def _put_together(self, stack: ExitStack, dags: Sequence[Dag]) -> WorkerLoop:
        """Open and start everything; the stack ends it again, the last first."""
        options, held = self._options, HeldTasks()
        ledger, beating = self._opened(stack), self._opened(stack)
        pool = TaskPool(
            options.dags,
            options.concurrency,
            self._mail.put,
            clock=self._clock,
            folder=options.folder,
            allow_placeholders=options.allow_placeholders,
        )
        stack.callback(pool.close)
        loop = WorkerLoop(
            ledger,
            dags,
            options,
            pool=pool,
            held=held,
            redactor=self._redactor,
            clock=self._clock,
            chance=self._chance,
        )
        heartbeat = LeaseHeartbeat(
            beating,
            held,
            loop.lost,
            owner=options.owner,
            lease_s=options.lease_s,
            clock=self._clock,
            chance=self._chance,
        )
        stack.callback(heartbeat.close)
        if ledger.database.dialect == "postgresql":
            stack.callback(self._listener(ledger, loop, {"", *(dag.name for dag in dags)}).close)
        return loop

    def _opened(self, stack: ExitStack) -> PipelineLedger:
        ledger = self._open_ledger()
        stack.callback(ledger.database.close)
        return ledger

    def _listener(self, ledger: PipelineLedger, loop: WorkerLoop, dags: Collection[str]) -> Listener:
        def wake(dag: str) -> None:
            if dag in dags:
                loop.wake()
                self._bell.ring()

        return Listener(ledger.database.address, ledger.channel, wake, chance=self._chance)
