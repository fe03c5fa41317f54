"""How several watchers on one Valkey share the work: jobs a second with 1, 2 and 4 of them.

    python -m bench.cluster [--json] [--jobs N] [--seconds S] [--engine hibari]

Each watcher has one worker and a data folder of its own, all one folder as a store. The engine waits half a
second for each utterance as a GPU would, so that what is measured is queue, hand-over and store. With
`--engine hibari` they speak, and are bound by the cores of this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.waiting_engine import SECONDS, install
from lib.jobqueue import JobQueue, connect, normalize_job_spec
from tests.integration.servers import Server, free_port

COUNTS = (1, 2, 4)


@contextlib.contextmanager
def watchers(count: int, folder: Path, url: str, options: argparse.Namespace) -> Iterator[list[int]]:
    """That many `job-watcher run`; yields their process ids."""
    root = Path(__file__).parents[1]
    processes = []
    for number in range(count):
        own = folder / f"watcher-{number}"
        own.mkdir()
        environ = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder / "engines"), str(root)]),
            "HOME": str(own),
            "JOBS_DATA_DIR": str(own / "data"),
            "REDIS_URL": url,
            "STORAGE_URL": (folder / "store").as_uri(),
            "LOCAL_WORKERS": "1",
            "VOICE_ENGINE": options.engine,
            SECONDS: str(options.seconds),
        }
        with (own / "log").open("wb") as log:
            command = [sys.executable, "-m", "job_watcher.main", "run"]
            processes.append(
                subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def wait_for(queue: JobQueue, done: int) -> None:
    """Until that many jobs are done."""
    give_up = time.monotonic() + 600
    while queue.snapshot().done < done:
        snapshot = queue.snapshot()
        if snapshot.failed or time.monotonic() > give_up:
            raise SystemExit(f"it does not get on: {snapshot}")
        queue.follow_events(queue.last_event_id(), block_s=0.1)


def enqueue(queue: JobQueue, name: str, count: int) -> None:
    """Short jobs."""
    queue.enqueue(
        [
            normalize_job_spec(
                {
                    "output_name": f"{name}/{number:05}",
                    "speaker": "Ryan",
                    "text": f"The tide turns, {number}.",
                }
            )
            for number in range(count)
        ]
    )


def measure(count: int, options: argparse.Namespace) -> dict[str, Any]:
    """One run with that many watchers, all of them warm."""
    server = Server("--appendonly", "yes", port=free_port())
    server.start()
    with tempfile.TemporaryDirectory(prefix="jr-bench-") as name, contextlib.ExitStack() as stack:
        stack.callback(server.remove)
        folder = Path(name)
        install(folder / "engines")
        queue = stack.enter_context(contextlib.closing(connect(server.url)))
        url = f"redis://127.0.0.1:{server.port}"
        pids = stack.enter_context(watchers(count, folder, url, options))
        enqueue(queue, "warm", 4 * count)
        wait_for(queue, 4 * count)
        before, started = cpu_s(pids), time.monotonic()
        enqueue(queue, "tides", options.jobs * count)
        wait_for(queue, (options.jobs + 4) * count)
        took = time.monotonic() - started
        used = cpu_s(pids) - before
    return {
        "watchers": count,
        "jobs": options.jobs * count,
        "jobs_a_second": round(options.jobs * count / took, 2),
        "watcher_cpu_ms_a_job": round(used / (options.jobs * count) * 1000, 1),
    }


def cpu_s(pids: list[int]) -> float:
    """Processor time of the watchers themselves, without their workers, in seconds."""
    total = 0.0
    for pid in pids:
        row = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(row[11]) + int(row[12])) / os.sysconf("SC_CLK_TCK")
    return total


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Jobs a second of several watchers on one Valkey.")
    parser.add_argument("--jobs", type=int, default=40, help="for each watcher")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long the waiting engine takes")
    parser.add_argument("--engine", default="waiting")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = [measure(count, options) for count in COUNTS]
    for row in found:
        row["share_of_ideal"] = round(row["jobs_a_second"] / found[0]["jobs_a_second"] / row["watchers"], 2)
    if options.json:
        print(json.dumps(found))
        return
    for row in found:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
