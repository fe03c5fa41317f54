"""What follows when the code of a pipeline changes under runs and workers that are older."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from job_pipeline.log_tags import tell
from lib.clock import Clock
from lib.pipeline import Dag
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.orchestration import skip_unknown
from lib.pipeline.snapshots import save_snapshot

log = logging.getLogger(__name__)

#: How often runs of older code are looked at.
EVERY_S = 30.0


class CodeChanges:
    """Skips tasks that runs of older code have and this code does not, and notices code that is newer.

    Threads: one.
    Raises, from the constructor and `tend`: what the database says.
    """

    def __init__(self, ledger: PipelineLedger, dags: Sequence[Dag], clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._stages = {dag.name: list(dag.tasks) for dag in dags}
        self._digests = {dag.name: dag.graph().digest for dag in dags}
        # Not activated: which snapshot new runs are bound to is decided by whoever deploys the code.
        self._since = {dag.name: save_snapshot(ledger, dag.graph()).created_at for dag in dags}
        self._next = clock.monotonic()
        self._warned = False

    @property
    def due_in_s(self) -> float:
        """Seconds until `tend` has something to do."""
        return max(0.0, self._next - self._clock.monotonic())

    def tend(self) -> None:
        """Skip what the code does not have any more, if it is time."""
        now = self._clock.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY_S
        for dag, stages in self._stages.items():
            while gone := skip_unknown(self._ledger, dag, stages, snapshot_at=self._since[dag]):
                for run, task in gone:
                    sentence = f"skipped: the code of {dag} does not have it any more"
                    tell(log, "stage", "skipped", sentence, run=run, task=task, level=logging.WARNING)

    def compare(self, digests: Mapping[str, str]) -> None:
        """Look at what a process of this worker imported; another code is told once."""
        other = [dag for dag, digest in self._digests.items() if digests.get(dag) != digest]
        if other and not self._warned:
            self._warned = True
            names = ", ".join(other)
            sentence = f"the code of {names} was changed after this worker began; start the worker anew"
            tell(log, "stage", "code_changed", sentence, level=logging.WARNING)
