"""No-op jobs by the peers procrastinate and pgqueuer, for `bench.pipeline`; runs in the peers' own Python.

    python -m bench.peers.pipeline_noop prepare PEER URL 0        make the peer's tables
    python -m bench.peers.pipeline_noop enqueue PEER URL COUNT    enqueue COUNT jobs
    python -m bench.peers.pipeline_noop work PEER URL SLOTS       a worker, until it is killed

Both keep what became of each job, and both take up the jobs of a worker that was killed: procrastinate by its
heartbeat, pgqueuer by its own; these are their defaults. Their no-ops are coroutines, their fastest kind.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any

_BATCH = 1000


async def noop(number: object) -> None:
    """What both do."""


def procrastinate_app(url: str) -> tuple[Any, Any]:
    """The app, and its one task."""
    procrastinate = import_module("procrastinate")

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=12))

    return app, app.task(name="noop")(noop)


async def prepare_procrastinate(url: str, _: int) -> None:
    app, _task = procrastinate_app(url)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def enqueue_procrastinate(url: str, count: int) -> None:
    app, task = procrastinate_app(url)
    async with app.open_async():
        for begin in range(0, count, _BATCH):
            numbers = range(begin, min(count, begin + _BATCH))
            await task.batch_defer_async(*({"number": number} for number in numbers))


async def work_procrastinate(url: str, slots: int) -> None:
    app, _ = procrastinate_app(url)
    async with app.open_async():
        await app.run_worker_async(concurrency=slots, delete_jobs="never")


async def pgqueuer_connection(url: str) -> Any:
    asyncpg = import_module("asyncpg")

    return await asyncpg.connect(url)


async def pgqueuer_queries(url: str) -> Any:
    queries_of = import_module("pgqueuer.queries").Queries.from_asyncpg_connection

    return queries_of(await pgqueuer_connection(url))


async def prepare_pgqueuer(url: str, _: int) -> None:
    queries = await pgqueuer_queries(url)
    await queries.install()


async def enqueue_pgqueuer(url: str, count: int) -> None:
    queries = await pgqueuer_queries(url)
    for begin in range(0, count, _BATCH):
        many = min(count, begin + _BATCH) - begin
        await queries.enqueue(["noop"] * many, [b"{}"] * many, [0] * many)


async def work_pgqueuer(url: str, slots: int) -> None:
    app_of = import_module("pgqueuer").PgQueuer.from_asyncpg_connection

    app = app_of(await pgqueuer_connection(url))

    app.entrypoint("noop")(noop)
    await app.run(batch_size=slots, max_concurrent_tasks=2 * slots)


_ACTIONS = {
    ("prepare", "procrastinate"): prepare_procrastinate,
    ("prepare", "pgqueuer"): prepare_pgqueuer,
    ("enqueue", "procrastinate"): enqueue_procrastinate,
    ("enqueue", "pgqueuer"): enqueue_pgqueuer,
    ("work", "procrastinate"): work_procrastinate,
    ("work", "pgqueuer"): work_pgqueuer,
}


def main() -> None:
    what, peer, url, number = sys.argv[1:]
    asyncio.run(_ACTIONS[what, peer](url, int(number)))


if __name__ == "__main__":
    main()
