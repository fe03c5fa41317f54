"""What the queue costs over raw Redis: ratios of the same work in the same run.

    python -m bench.queue [--json] [--jobs N] [--rounds N]
    python -m bench.queue --flat 1000000

Raw is the least that dedups and stores results: a script with SET NX and XADD per job, pipelined by 1000;
XREADGROUP by 100, then one pipeline with SET per result, XACK and XDEL. Jobs are 620 bytes, results 300.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import redis

from lib.jobqueue import JobQueue, JobSpec, QueueOptions, connect, normalize_job_spec
from lib.jobs.explain_evidence import evidence_of
from lib.storage import FileStorage
from tests.integration.servers import Server, free_port

PAYLOAD_BYTES = 620
RESULT = {"file": "x" * 287}
RAW_ENQUEUE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', 86400) then
  redis.call('XADD', KEYS[2], '*', 'id', ARGV[1], 'job', ARGV[2]) return 1
end
return 0
"""
PICKUPS = 400


def specs(count: int) -> list[JobSpec]:
    """Jobs whose stored form has 620 bytes."""
    made = []
    for number in range(count):
        name = f"course/lesson-{number:06}"
        raw = {"output_name": name, "speaker": "Ryan", "text": "A word to say. " * 60}
        text = raw["text"][: PAYLOAD_BYTES - 101]
        made.append(normalize_job_spec({**raw, "text": text}))
    return made


def plain(spec: JobSpec) -> dict[str, str]:
    return {
        "request_id": spec.request_id,
        "output_name": spec.output_name,
        "text": spec.text + "." * 20,
        "speaker": "Ryan",
    }


class Raw:
    """The floor."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url, decode_responses=True, protocol=2)
        self.enqueue_one = self.client.register_script(RAW_ENQUEUE)

    def bulk(self, jobs: list[JobSpec]) -> None:
        """Enqueue with dedup, pipelined."""
        for start in range(0, len(jobs), 1000):
            pipeline = self.client.pipeline(transaction=False)
            for spec in jobs[start : start + 1000]:
                self.enqueue_one(
                    keys=[f"raw:{spec.request_id}", "raw:stream"],
                    args=[spec.request_id, json.dumps(plain(spec))],
                    client=pipeline,
                )
            pipeline.execute()

    def make_group(self) -> None:
        """The consumer group."""
        self.client.xgroup_create("raw:stream", "g", "0", mkstream=True)

    def drain(self) -> int:
        """Take, store results, acknowledge, by 100."""
        done = 0
        while reply := self.read(100):
            entries = reply[0][1]
            pipeline = self.client.pipeline(transaction=False)
            for _, fields in entries:
                json.loads(fields["job"])
                pipeline.set(f"raw:result:{fields['id']}", json.dumps(RESULT), ex=86400)
            ids = [entry_id for entry_id, _ in entries]
            pipeline.xack("raw:stream", "g", *ids)
            pipeline.xdel("raw:stream", *ids)
            pipeline.execute()
            done += len(ids)
        return done

    def read(self, count: int, block: int | None = None) -> Any:
        """New entries."""
        return self.client.xreadgroup("g", "w", {"raw:stream": ">"}, count=count, block=block)


def drain(queue: JobQueue) -> int:
    done = 0
    while leases := queue.claim("w", count=100):
        assert None not in queue.complete_many([(lease, RESULT) for lease in leases])
        done += len(leases)
    return done


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def throughput(url: str, jobs: list[JobSpec], rounds: int) -> dict[str, Any]:
    raw, queue = Raw(url), connect(url)
    rates: dict[str, list[float]] = {name: [] for name in ("bulk", "again", "drain")}
    ratios: dict[str, list[float]] = {name: [] for name in rates}
    for _ in range(rounds):
        raw.client.flushall()
        raw.make_group()
        floor = {
            "bulk": timed(lambda: raw.bulk(jobs)),
            "again": timed(lambda: raw.bulk(jobs)),
            "drain": timed(raw.drain),
        }
        raw.client.flushall()
        ours = {
            "bulk": timed(lambda: queue.enqueue(jobs)),
            "again": timed(lambda: queue.enqueue(jobs)),
            "drain": timed(lambda: drain(queue)),
        }
        assert queue.snapshot().done == len(jobs)
        for name in rates:
            rates[name].append(len(jobs) / ours[name])
            ratios[name].append(floor[name] / ours[name])
    queue.close()
    return {
        f"{name}_{what}": statistics.median(values[name])
        for name in rates
        for what, values in (("per_s", rates), ("of_raw", ratios))
    }


def memory(url: str, jobs: list[JobSpec]) -> dict[str, Any]:
    """Bytes per job. The capped event stream is filled before: it is the same for any number of jobs."""
    client: redis.Redis = redis.Redis.from_url(url, protocol=2)
    client.flushall()
    queue = connect(url)
    for _ in range(6000):
        queue.pause()
        queue.resume()
    empty = client.info("memory")["used_memory"]
    queue.enqueue(jobs)
    waiting = client.info("memory")["used_memory"]
    drain(queue)
    finished = client.info("memory")["used_memory"]
    queue.close()
    return {
        "bytes_per_waiting_job": (waiting - empty) / len(jobs),
        "bytes_per_finished_job": (finished - empty) / len(jobs),
    }


def pickup(url: str) -> dict[str, list[float]]:
    """Milliseconds from the start of the enqueue call to the start of the work, in another process.

    Raw and ours take turns within the same seconds: the machine's mood is the same for both.
    """
    raw, queue = Raw(url), connect(url)
    raw.client.flushall()
    raw.make_group()
    queue.claim("nobody")
    found: dict[str, list[float]] = {"raw": [], "ours": []}
    with contextlib.ExitStack() as stack:
        workers = {kind: stack.enter_context(_worker(url, kind)) for kind in found}
        for spec in specs(PICKUPS):
            for kind, worker in workers.items():
                assert worker.stdout
                assert worker.stdout.readline() == "idle\n"
                time.sleep(random.uniform(0.005, 0.02))
                started = time.monotonic_ns()
                if kind == "raw":
                    raw.enqueue_one(
                        keys=[f"raw:{spec.request_id}", "raw:stream"],
                        args=[spec.request_id, json.dumps(plain(spec))],
                    )
                else:
                    queue.enqueue([spec])
                found[kind].append((int(worker.stdout.readline()) - started) / 1e6)
    queue.close()
    return found


def _worker(url: str, kind: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.queue", "--worker", kind, "--url", url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def work(url: str, kind: str) -> None:
    """The worker's side of `pickup`: says when it is about to wait, and when it has a job."""
    raw, queue = Raw(url), connect(url)
    for _ in range(PICKUPS):
        print("idle", flush=True)
        if kind == "raw":
            entries = raw.read(1, block=4000)[0][1]
            json.loads(entries[0][1]["job"])  # as in `drain`: work begins with the job in hand
            at = time.monotonic_ns()
            raw.client.xack("raw:stream", "g", entries[0][0])
        else:
            (lease,) = queue.claim("w", block_s=4)
            at = time.monotonic_ns()
            queue.complete(lease, RESULT)
        print(at, flush=True)


def pickups(url: str) -> dict[str, Any]:
    found = pickup(url)
    p50 = {kind: statistics.median(delays) for kind, delays in found.items()}
    p99 = {kind: statistics.quantiles(delays, n=100)[98] for kind, delays in found.items()}
    return {
        "pickup_p50_ms": p50["ours"],
        "pickup_p50_of_raw": p50["ours"] / p50["raw"],
        "pickup_p99_ms": p99["ours"],
        "pickup_p99_of_raw": p99["ours"] / p99["raw"],
    }


FLAT_CALLS: dict[str, Callable[[JobQueue, str], Any]] = {
    "status": lambda queue, _: queue.snapshot(),
    "history": lambda queue, _: queue.history(limit=20),
    "result": lambda queue, request_id: queue.result(request_id),
    "job": lambda queue, request_id: queue.job(request_id),
    "explain": lambda queue, request_id: evidence_of(queue, FileStorage(Path("/nowhere")), request_id),
}
FLAT_FROM = 50  # enough for a full page of history


def small(name: str) -> JobSpec:
    return JobSpec(request_id=name, output_name=name, text="Hello.", speaker="Ryan")


def flat(url: str, most: int) -> dict[str, Any]:
    """Milliseconds per reading call with few jobs, half of them done and half waiting, and with `most`."""
    queue = connect(url, QueueOptions(history_max=10 * most, max_depth=10 * most))
    found: dict[str, Any] = {}
    redis.Redis.from_url(url).flushall()
    enqueued = 0
    for count in (FLAT_FROM, most):
        while enqueued < count:
            step = min(count - enqueued, 10_000)
            names = range(enqueued, enqueued + step)
            queue.enqueue([small(f"j{number}") for number in names])
            enqueued += step
            done = 0
            while done < step // 2:
                leases = queue.claim("w", count=min(250, step // 2 - done))
                assert leases
                queue.complete_many([(lease, RESULT) for lease in leases])
                done += len(leases)
        for name, call in FLAT_CALLS.items():
            took = [timed(partial(call, queue, "j0")) * 1000 for _ in range(50)]
            found[f"{name}_ms_at_{count}"] = statistics.median(took)
    queue.close()
    return found


def everything(url: str, count: int, rounds: int) -> dict[str, Any]:
    jobs = specs(count)
    return {**throughput(url, jobs, rounds), **memory(url, jobs), **pickups(url)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--flat", type=int, metavar="JOBS", help="only: do reads cost the same with that many"
    )
    parser.add_argument("--unix", action="store_true", help="over the Unix socket instead of loopback TCP")
    parser.add_argument("--worker", choices=["raw", "ours"])
    parser.add_argument("--url")
    given = parser.parse_args()
    if given.worker:
        work(given.url, given.worker)
        return
    port = free_port()
    server = Server("--lazyfree-lazy-user-flush", "no", "--port", str(port))
    server.start()
    url = server.url if given.unix else f"redis://127.0.0.1:{port}/0"
    try:
        found = flat(url, given.flat) if given.flat else everything(url, given.jobs, given.rounds)
    finally:
        server.remove()
    rounded = {name: round(value, 3) for name, value in found.items()}
    print(
        json.dumps(rounded)
        if given.json
        else "\n".join(f"{key:24} {value}" for key, value in rounded.items())
    )


if __name__ == "__main__":
    main()
