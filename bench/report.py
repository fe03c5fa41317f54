"""What `report` costs beyond the YAML, for a file whose jobs are all done.

    .venv/bin/python -m bench.report [--json] [--jobs 10000]

Seconds from validated specifications to the report's JSON, on a real server over its Unix socket, with an
artifact per job in a folder store (goal: under 1.5 for 10,000 jobs); beside them what reading the file takes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from lib.jobqueue import JobQueue, QueueOptions, connect
from lib.jobs.report import report_on
from lib.jobspec import load_job_file
from lib.records import DoneRecord, FileRef, Timings
from lib.storage import FileStorage
from tests.doubles import records
from tests.integration.servers import Server

_ROUNDS = 5


def job_file(folder: Path, count: int) -> Path:
    """Short narration."""
    jobs = [
        {"output_name": f"t/{n:05d}", "text": f"This is sentence {n} of many. " * 8, "speaker": "Ryan"}
        for n in range(count)
    ]
    path = folder / "jobs.yaml"
    path.write_text(json.dumps(jobs))
    return path


def done_of(file: FileRef) -> DoneRecord:
    """The record of a job with that one take."""
    return DoneRecord(records.spoken(records.take(audio=file)), Timings(0.0, 0.0, 0.0), "local")


def finish(queue: JobQueue, root: Path) -> None:
    """Bring all jobs to their end, each with an artifact of its own."""
    while leases := queue.claim("bench", count=100):
        done = []
        for lease in leases:
            sha256 = f"{abs(hash(lease.request_id)):064x}"
            key = f"blobs/sha256/{sha256[-2:]}/{sha256}"
            blob = root / key
            blob.parent.mkdir(parents=True, exist_ok=True)
            blob.write_bytes(b"RIFF")
            file = FileRef(f"{lease.spec.output_name}.wav", 4, sha256, key)
            done.append((lease, done_of(file).to_json()))
        assert None not in queue.complete_many(done)


def measure(count: int) -> dict[str, Any]:
    """All numbers."""
    server = Server()
    server.start()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            begun = time.perf_counter()
            specs = load_job_file(job_file(Path(scratch), count)).specs
            read_s = time.perf_counter() - begun
            queue = connect(server.url, QueueOptions(history_max=2 * count))
            queue.enqueue(specs)
            finish(queue, Path(scratch))
            storage, took = FileStorage(Path(scratch)), []
            for _ in range(_ROUNDS):
                begun = time.perf_counter()
                report = report_on(queue, specs, storage, time.time())
                json.dumps(report.to_json())
                took.append(time.perf_counter() - begun)
            assert report.totals()["done"] == count
            queue.close()
    finally:
        server.remove()
    return {
        "jobs": count,
        "read_file_s": round(read_s, 3),
        "report_s": round(statistics.median(took), 3),
        "goal_s": 1.5,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=10_000)
    given = parser.parse_args()
    found = measure(given.jobs)
    text = "\n".join(f"{key:14} {value}" for key, value in found.items())
    print(json.dumps(found) if given.json else text)


if __name__ == "__main__":
    main()
