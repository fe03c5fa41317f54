"""A home whose queue is on a real server of the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import redis

from lib.jobqueue import JobQueue, QueueOptions, connect
from lib.jobspec import load_job_file
from tests.e2e.home import Home, check_shape

#: A job in each state, as the fixture `world` has them.
WORLD = ("done", "gone", "failed", "canceled", "running", "waiting", "delayed", "changed", "missing")


class Desk(Home):
    """A home whose queue is on a server of the test, and that queue itself."""

    def __init__(self, folder: Path, url: str, prefix: str) -> None:
        super().__init__(folder, REDIS_URL=url, JOBS_PREFIX=prefix)
        self.queue: JobQueue = connect(url, QueueOptions(prefix=prefix))

    def close(self) -> None:
        """End what still runs, and let go of the queue."""
        super().close()
        self.queue.close()

    def shaped(self, *words: str | Path, schema: str | None = None, status: int = 0) -> Any:
        """What a command prints with `--json`, held against its schema."""
        done = self.run(*words, "--json")
        assert done.returncode == status, done.stderr
        value = json.loads(done.stdout)
        check_shape(schema or str(words[0]), value)
        return value

    def work(self) -> None:
        """Have the waiting jobs spoken, for real."""
        worked = self.run("once", program="job-watcher")
        assert worked.returncode == 0, worked.stderr

    def file_of(self, *names: str, text: str = "The sea comes back.", name: str = "some.yaml") -> Path:
        """A file of jobs topic/<name>; `delayed` is not due in our time."""
        lines = ["defaults: {speaker: Ryan}", "jobs:"]
        for job in names:
            late = ", not_before: 2099-01-01T00:00:00Z" if job == "delayed" else ""
            lines.append(f"  - {{output_name: topic/{job}, text: 'Job {job}. {text}'{late}}}")
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def empty(self) -> None:
        """Delete every key of this queue."""
        with redis.Redis.from_url(self.environ["REDIS_URL"], protocol=2) as client:
            for key in client.scan_iter(f"{self.environ['JOBS_PREFIX']}:*"):
                client.delete(key)

    def enqueue(self, *names: str) -> None:
        self.queue.enqueue(load_job_file(self.file_of(*names)).specs)
