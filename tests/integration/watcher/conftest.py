"""A real server, real watcher processes with their real speech worker, and eyes on both."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lib.jobqueue import Event, JobQueue, JobState, connect
from lib.jobspec import JobSpec, normalize_job_spec
from tests import warm
from tests.integration.servers import Server
from tests.left_workers import end_workers
from tests.warm.process import WarmProcess

DEADLINE = 60.0  # seconds; generous, because two cores may be shared


@dataclass
class Deployment:
    """One queue and one data folder, and the watchers started on them."""

    queue: JobQueue
    url: str
    data: Path
    lease_ms: int = 3000
    processes: list[WarmProcess] = field(default_factory=list)

    def start_watcher(self, *arguments: str, **settings: str) -> WarmProcess:
        """`job-watcher run` on this deployment, warm. Its log is `<data>/watcher.log`."""
        environ = {
            **os.environ,
            "REDIS_URL": self.url,
            "JOBS_DATA_DIR": str(self.data),
            "WATCHER_LEASE_IDLE_MS": str(self.lease_ms),
            "LOCAL_WORKERS": "1",
            **settings,
        }
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "watcher.log").open("ab") as log:
            process = WarmProcess(
                ["job-watcher", "run", *arguments],
                warm.CALLS["job-watcher"],
                cwd=Path.cwd(),
                environ=environ,
                out=log.fileno(),
            )
        self.processes.append(process)
        return process

    def end(self) -> None:
        """End what was started."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        end_workers(self.data)

    def enqueue(self, specs: Sequence[JobSpec]) -> None:
        """Accept the jobs."""
        self.queue.enqueue(specs)

    def wait_for(self, what: str, condition: Callable[[], object]) -> None:
        """Return as soon as `condition` holds; fail after the deadline, showing the watcher's log."""
        give_up = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > give_up:
                log = (self.data / "watcher.log").read_text()[-3000:]
                pytest.fail(f"never happened: {what}\n{self.queue.snapshot()}\n{log}")
            self.queue.follow_events(self.queue.last_event_id(), block_s=0.05)

    def wait_until_done(self, specs: Sequence[JobSpec]) -> None:
        """Every job is done."""
        ids = [spec.request_id for spec in specs]
        self.wait_for(
            "all jobs done",
            lambda: all(r is not None and r.state is JobState.DONE for r in self.queue.jobs(ids)),
        )

    def events(self, kind: str) -> list[Event]:
        """All events of that kind so far."""
        return [event for event in self.queue.follow_events("0", count=10_000) if event.kind == kind]

    def output(self, spec: JobSpec) -> Path:
        """Where the job's audio or picture is published."""
        return self.data / "storage" / "outputs" / f"{spec.output_name}.{spec.suffix}"


def beats(count: int, *, sentences: int = 1, **fields: object) -> list[JobSpec]:
    """Narration of `sentences` sentences a beat."""
    text = "The tide turns twice a day, and nobody has ever been able to argue with it. "
    return [
        normalize_job_spec(
            {
                "output_name": f"tides/beat-{number:03d}",
                "text": f"Beat number {number}. " + text * sentences,
                "speaker": "Ryan",
                "chunk": sentences > 4,
                **fields,
            }
        )
        for number in range(1, count + 1)
    ]


@pytest.fixture
def deployment(own_server: Server, tmp_path: Path) -> Iterator[Deployment]:
    """A queue on a server of its own with an empty data folder."""
    queue = connect(own_server.url)
    deployed = Deployment(queue, own_server.url, tmp_path / "data")
    yield deployed
    deployed.end()
    queue.close()
