"""A real database, real workers on it, and words to watch them by."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib.clock import Clock
from lib.pipeline import Dag
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import TaskRow, TrailEvent
from lib.pipeline.runs import NewRun, StageRules, start_jobs
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.trail import events_after
from lib.pipeline.views import list_runs
from lib.sql import open_database
from tests.integration.pipeline import sample_dags
from tests.unit.house import ROOT
from tests.warm.process import WarmProcess

SAMPLES = "tests.integration.pipeline.sample_dags"
_WITHIN_S = 60.0


def until(what: Callable[[], Any], why: str = "", within_s: float = _WITHIN_S, pause_s: float = 0.03) -> Any:
    """Wait until something is true and return it."""
    give_up = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < give_up, why or "it did not happen"
        time.sleep(pause_s)
    return found


class WorkerProcess:
    """A worker, or recovery, in a process of its own."""

    def __init__(self, shop: Shop, options: dict[str, Any]) -> None:
        self.owner = str(options.get("owner", ""))
        self.log = shop.folder / f"worker-{len(shop.processes)}.log"
        with self.log.open("wb") as sink:
            self.process = WarmProcess(
                ["job-pipeline", shop.url, shop.schema or "", json.dumps(options)],
                "tests.integration.pipeline.worker_program:main",
                cwd=ROOT,
                environ={**os.environ, "PYTHONPATH": str(ROOT)},
                out=sink.fileno(),
            )

    def says(self, words: str) -> bool:
        """Whether its log has these words."""
        return words in self.log.read_text()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status. A worker first comes as far as to heed one."""
        if number == signal.SIGTERM:
            until(lambda: self.says("tasks at a time"))
        self.send(number)
        return self.process.wait(_WITHIN_S)


class Shop:
    """A ledger in a database, and what works on it."""

    def __init__(self, url: str, schema: str | None, folder: Path) -> None:
        self.url, self.schema, self.folder = url, schema, folder
        self.runs = folder / "runs"
        self.runs.mkdir()
        self.ledger = PipelineLedger(open_database(url, schema=schema))
        self.processes: list[WorkerProcess] = []
        self.clock: Clock | None = None

    def keep_time_by(self, clock: Clock) -> None:
        """Have leases run out by this clock and not by the database's: a busy machine may stand still."""
        self.clock = clock
        self.ledger = PipelineLedger(self.ledger.database, clock=clock)

    def open_ledger(self) -> PipelineLedger:
        """The ledger on connections of its own."""
        return PipelineLedger(open_database(self.url, schema=self.schema), clock=self.clock)

    def start(self, dag: Dag, *runs: str, rules: StageRules | None = None, **inputs: Any) -> None:
        """Start runs of a pipeline, all with these inputs."""
        snapshot = save_snapshot(self.ledger, dag.graph())
        start_jobs(self.ledger, snapshot.id, [NewRun(id=run, inputs=inputs) for run in runs], rules)

    def worker(self, *dags: str, **options: Any) -> WorkerProcess:
        """Start a worker for some of the sample pipelines."""
        names = [f"{SAMPLES}:{dag}" for dag in dags]
        return self.program({"dags": names, "folder": str(self.runs), "poll_s": 0.05, **options})

    def program(self, options: dict[str, Any]) -> WorkerProcess:
        """Start a worker, or with `recovery` that."""
        process = WorkerProcess(self, options)
        self.processes.append(process)
        return process

    def task(self, run: str, name: str) -> TaskRow:
        """A task as it is."""
        return self.ledger.look(lambda t: t.boards([run], lock=False)[run].tasks[name])

    def states(self) -> dict[str, int]:
        """How many runs are in each state."""
        return dict(Counter(str(line.run.state) for line in list_runs(self.ledger, count=100_000)))

    def events(self, run: str) -> list[TrailEvent]:
        """The trail of a run."""
        return events_after(self.ledger, 0, run=run)

    def story(self, run: str) -> list[str]:
        """The trail of a run in words: kinds, with their stage."""
        return [f"{e.kind}:{e.task}" if e.task else str(e.kind) for e in self.events(run)]

    def notes(self) -> list[tuple[str, str, int, str, int]]:
        """What tasks noted."""
        return sample_dags.told(self.runs)

    def began(self, task: str, attempt: int = 1) -> int:
        """The process in which an attempt of a task began; 0: it has not."""
        found = [
            pid for _, name, no, event, pid in self.notes() if (name, no, event) == (task, attempt, "begins")
        ]
        return found[0] if found else 0

    def close(self) -> None:
        """End what is still there."""
        for each in self.processes:
            if each.process.poll() is None:
                each.process.kill()
                each.process.wait()
        self.ledger.database.close()


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def helper_of(shop: Shop) -> int:
    """The process that a task of `spin` started for itself."""
    return next(int(event.partition("=")[2]) for *_, event, _ in shop.notes() if event.startswith("helper="))
