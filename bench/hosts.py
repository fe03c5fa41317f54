"""What a thousand hosts cost the watcher, whoever runs them: no connection, the dispatcher alone.

    python -m bench.hosts [--json] [--hosts N] [--seconds S]

One process drives N hosts whose spools lie in memory on this computer; another process answers each job at
once. Its processor time and memory are its own only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.ssh import answer, dispatcher_of, jobs, measured, run_for, run_until
from lib.jobqueue import connect
from lib.spool import LocalFiles
from lib.workers import WorkerDeath
from tests.integration.servers import Server

_MEMORY = Path("/dev/shm")
_JOBS_EACH = 5


class SimulatedHost:
    """A spool whose worker is somebody else's business."""

    remote = False

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.machine = name, name
        self._files = LocalFiles(folder)

    def files(self) -> LocalFiles:
        """The spool."""
        return self._files

    def tend(self) -> WorkerDeath | None:
        """It lives."""
        return None

    def restart(self) -> None:
        """Nothing to restart."""

    def stop(self, grace: float) -> None:
        """Nothing to stop."""


def drive(url: str, folder: Path, count: int, seconds: float) -> dict[str, float]:
    """Be the watcher of `count` hosts."""
    logging.disable(logging.WARNING)  # of each answer
    dispatcher = dispatcher_of(connect(url), folder, connect(url))
    for number in range(count):
        dispatcher.add(SimulatedHost(f"far/{number}", folder / str(number) / "spool"), lambda: 4)
    dispatcher.register()
    dispatcher.start_renewing()
    run_for(dispatcher, 3.0)
    idle = measured(lambda: run_for(dispatcher, seconds), seconds)
    dispatcher.start_claiming()
    begun = time.monotonic()
    busy = measured(lambda: run_until(dispatcher, _JOBS_EACH * count, 300), 0)
    took = time.monotonic() - begun
    settled = dispatcher.settled
    dispatcher.close()
    return {
        "idle_core": idle,
        "busy_core": busy / took,
        "jobs_per_s": settled / took,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def both(count: int, seconds: float) -> dict[str, Any]:
    """The process of `drive` beside the one that answers."""
    redis = Server()
    folder = Path(tempfile.mkdtemp(prefix="jr-bench-", dir=_MEMORY if _MEMORY.is_dir() else None))
    redis.start()
    answering: subprocess.Popen[bytes] | None = None
    try:
        with contextlib.closing(connect(redis.url)) as queue:
            queue.enqueue(jobs("many", _JOBS_EACH * count))
        me = [sys.executable, "-m", "bench.hosts", "--hosts", str(count), "--seconds", str(seconds)]
        answering = subprocess.Popen([*me, "--answer", str(folder)])
        driving = [*me, "--drive", json.dumps([redis.url, str(folder)])]
        done = subprocess.run(driving, stdout=subprocess.PIPE, timeout=500, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    finally:
        if answering is not None:
            answering.kill()
            answering.wait()
        redis.remove()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--answer")
    parser.add_argument("--drive")
    given = parser.parse_args()
    if given.answer:
        answer(Path(given.answer), given.hosts)
    elif given.drive:
        url, folder = json.loads(given.drive)
        print(json.dumps(drive(url, Path(folder), given.hosts, given.seconds)))
    else:
        found = both(given.hosts, given.seconds)
        if given.json:
            print(json.dumps(found))
            return
        for name, value in found.items():
            print(f"{name:12} {value:8.2f}")


if __name__ == "__main__":
    main()
