"""What machines over SSH cost the watcher, and how soon a job is spoken on one.

    python -m bench.ssh [--json] [--hosts N] [--seconds S]

Three measurements, on real sshd of this computer. `hosts`: one process with a Dispatcher drives N
connections, each with a worker whose spool another process answers at once; its processor time and memory are
its own only. `pickup`: enqueue to done on a warm machine with the real engine, less what the worker says it
took. `handover`: a batch of 8 jobs over a line of 40 ms there and back, in round trips a job.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib.clock import SystemClock
from lib.dispatch import Dispatcher, DispatchLimits, DispatchParts, LeaseJournal, StorageDelivery
from lib.jobqueue import JobQueue, JobState, connect
from lib.jobspec import JobSpec, normalize_job_spec
from lib.spool import (
    Heartbeat,
    ResultError,
    ResultErrorClass,
    SpoolClient,
    SpoolJob,
    SpoolResult,
    WorkerSpool,
    WorkerState,
)
from lib.storage import open_storage
from lib.workers.ssh import (
    KnownHosts,
    Place,
    SftpFiles,
    SshAddress,
    SshHost,
    SshMachine,
    SshThread,
    SshWorkerSetup,
)
from tests.integration.servers import Server
from tests.integration.sshd import SshServer

ROUND_TRIP_S = 0.04
SLEEPER = ("sh", "-c", "exec sleep 3600", "sh")
ENGINE = (sys.executable, "-P", "-m", "synth.main")


def jobs(name: str, count: int) -> list[JobSpec]:
    """Short lines."""
    return [
        normalize_job_spec(
            {"output_name": f"{name}/{number:05}", "speaker": "Ryan", "text": "The tide turns."}
        )
        for number in range(count)
    ]


def machine_of(server: SshServer | _Told, thread: SshThread, port: int = 0) -> SshMachine:
    """A connection of its own."""
    address = SshAddress(server.user, "127.0.0.1", port or server.port)
    return SshMachine(
        thread, address, key_file=server.key_file, known_hosts=KnownHosts(server.folder / "known_hosts")
    )


# --- a hundred hosts --------------------------------------------------------------------------------------


def answer(folder: Path, count: int) -> None:
    """Be the worker of every spool: beat, and answer each job at once. Until killed."""
    spools = [WorkerSpool(folder / str(number) / "spool") for number in range(count)]
    for spool in spools:
        spool.__enter__()
    error = ResultError(ResultErrorClass.BAD_INPUT, "Nothing is spoken here.", ())
    next_beat, finished, begun = 0.0, 0, time.time()
    while True:
        now = time.time()
        if now >= next_beat:
            next_beat = now + 1.0
            for spool in spools:
                spool.beat(Heartbeat(1, WorkerState.IDLE, now, begun, "none", finished))
        for spool in spools:
            for taken in spool.take(8):
                job = taken.job
                assert job is not None
                spool.publish(
                    taken.entry,
                    SpoolResult(taken.entry, job.request_id, now, now, None, error, job.fingerprint),
                )
                finished += 1
        time.sleep(0.02)


def drive(url: str, server_told: dict[str, Any], folder: Path, count: int, seconds: float) -> None:
    """Be the watcher of `count` hosts; prints what it took."""
    server = _Told(server_told)
    with SshThread() as thread:
        queue, clock = connect(url), SystemClock()
        dispatcher = dispatcher_of(queue, folder, connect(url))
        hosts = []
        for number in range(count):
            setup = SshWorkerSetup(SLEEPER, str(folder / str(number)), "none", "/", clock)
            machine = machine_of(server, thread)
            hosts.append(SshHost(f"far/{number}", machine, setup))
            dispatcher.add(hosts[-1], lambda: 4)
        dispatcher.register()
        dispatcher.start_renewing()
        begun = time.monotonic()
        while time.monotonic() - begun < 10 or not all(host.is_settled() for host in hosts):
            step(dispatcher, 0.2)
        connected_s = time.monotonic() - begun
        idle = measured(lambda: run_for(dispatcher, seconds), seconds)
        dispatcher.start_claiming()
        before = dispatcher.settled
        begun = time.monotonic()
        busy = measured(lambda: run_until(dispatcher, before + 10 * count, 120), 0)
        took = time.monotonic() - begun
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = {
            "connected_s": connected_s,
            "idle_core": idle,
            "busy_core": busy / took,
            "jobs_per_s": (dispatcher.settled - before) / took,
            "rss_mb": rss,
        }
        print(json.dumps(told), flush=True)
        dispatcher.stop_workers(0.0)
        dispatcher.close()
        for host in hosts:
            host.close()


class _Told:
    """What another process said of its server."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.user, self.port = str(told["user"]), int(told["port"])
        self.key_file, self.folder = Path(told["key"]), Path(told["folder"])


def dispatcher_of(queue: JobQueue, folder: Path, renewals: JobQueue) -> Dispatcher:
    """A dispatcher with a store of its own."""
    clock = SystemClock()
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    parts = DispatchParts(
        name="bench",
        provider="ssh",
        queue=queue,
        delivery=StorageDelivery(
            open_storage(f"file://{folder}/storage"), provider="ssh", scratch=folder / "scratch", clock=clock
        ),
        journal=LeaseJournal(folder / "leases"),
        clock=clock,
        limits=DispatchLimits(),
    )
    return Dispatcher(parts, renewals=renewals)


def step(dispatcher: Dispatcher, wait_s: float) -> None:
    """One pass."""
    dispatcher.step()
    dispatcher.wait(wait_s)


def run_for(dispatcher: Dispatcher, seconds: float) -> None:
    """Passes as an idle watcher makes them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        step(dispatcher, 5.0)


def run_until(dispatcher: Dispatcher, settled: int, within_s: float) -> None:
    """Passes until so many jobs are settled."""
    end = time.monotonic() + within_s
    while dispatcher.settled < settled and time.monotonic() < end:
        step(dispatcher, 0.5)


def measured(act: Callable[[], None], seconds: float) -> float:
    """Processor seconds that it took; with `seconds`, as a share of a core."""
    before = time.process_time()
    act()
    took = time.process_time() - before
    return took / seconds if seconds else took


def hundred(count: int, seconds: float) -> dict[str, Any]:
    """The process of `drive` beside the one of `answer`."""
    redis, server = Server(), SshServer()
    folder = Path(tempfile.mkdtemp(prefix="jr-bench-"))
    redis.start()
    server.start()
    answering: subprocess.Popen[bytes] | None = None
    try:
        queue = connect(redis.url)
        queue.enqueue(jobs("many", 10 * count))
        told = {
            "user": server.user,
            "port": server.port,
            "key": str(server.key_file),
            "folder": str(server.folder),
        }
        me = [sys.executable, "-m", "bench.ssh"]
        answering = subprocess.Popen([*me, "--answer", str(folder), "--hosts", str(count)])
        driving = [*me, "--drive", json.dumps([redis.url, told, str(folder)]), "--hosts", str(count)]
        done = subprocess.run(
            [*driving, "--seconds", str(seconds)], stdout=subprocess.PIPE, timeout=400, check=True
        )
        queue.close()
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    finally:
        if answering is not None:
            answering.kill()
            answering.wait()
        server.remove()
        redis.remove()


# --- one job ----------------------------------------------------------------------------------------------


def pickup(rounds: int) -> dict[str, Any]:
    """From enqueue to done, less what the engine says it took."""
    redis, server = Server(), SshServer()
    folder = Path(tempfile.mkdtemp(prefix="jr-bench-"))
    redis.start()
    server.start()
    try:
        with SshThread() as thread:
            queue = connect(redis.url)
            dispatcher = dispatcher_of(queue, folder, connect(redis.url))
            environ = {"PYTHONPATH": str(Path.cwd()), "HOME": str(folder)}
            setup = SshWorkerSetup(
                ENGINE, str(folder / "far"), "hibari", str(folder), SystemClock(), environ=environ
            )
            host = SshHost("far/1", machine_of(server, thread), setup)
            dispatcher.add(host, lambda: 4)
            dispatcher.register()
            dispatcher.start_renewing()
            dispatcher.start_claiming()
            looping = threading.Event()
            loop = threading.Thread(target=lambda: _loop(dispatcher, looping))
            loop.start()
            beyond = []
            asking = connect(redis.url)
            for spec in jobs("warm", rounds + 2):
                beyond.append(one_job(asking, spec))
            looping.set()
            dispatcher.end()
            loop.join()
            dispatcher.stop_workers(5.0)
            dispatcher.close()
            host.close()
        warm = sorted(beyond[2:])
        return {"median_ms": 1000 * statistics.median(warm), "worst_ms": 1000 * warm[-1]}
    finally:
        server.remove()
        redis.remove()


def _loop(dispatcher: Dispatcher, ended: threading.Event) -> None:
    while not ended.is_set():
        step(dispatcher, 5.0)


def one_job(queue: JobQueue, spec: JobSpec) -> float:
    """Seconds from enqueue to done beyond those that the worker had it at hand."""
    begun = time.time()
    queue.enqueue([spec])
    since = queue.last_event_id()
    while True:
        row = queue.jobs([spec.request_id])[0]
        if row is not None and row.state is JobState.DONE:
            break
        events = queue.follow_events(since, block_s=1.0)
        since = events[-1].id if events else since
    took = time.time() - begun
    finished = queue.result(spec.request_id)
    assert finished is not None
    assert finished.result is not None
    return took - float(finished.result["timings"]["worked_s"])


# --- a batch over a long line -----------------------------------------------------------------------------


def handover(batch: int) -> dict[str, Any]:
    """Submit a batch as the claimer does, one job after the other, over a line with a delay."""
    server = SshServer()
    server.start()
    folder = Path(tempfile.mkdtemp(prefix="jr-bench-"))
    try:
        with SshThread() as thread:
            port = thread.call(_delayed(server.port), 5)
            files = SftpFiles(
                machine_of(server, thread, port), Place(str(folder / "spool"), str(folder / "run"))
            )
            files.write("inbox/warm", b"")
            begun = time.monotonic()
            for number in range(batch):
                job = SpoolJob(f"job-{number}", 1, "marknone", 1, "v1:any", {"text": "Hello."})
                SpoolClient(files).submit(job)
            took = time.monotonic() - begun
            files.close()
        return {"round_trips_per_job": took / batch / ROUND_TRIP_S, "ms_per_job": 1000 * took / batch}
    finally:
        server.remove()


async def _delayed(target: int) -> int:
    """A port that leads to `target` over a line with half a round trip of delay each way."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        with contextlib.suppress(asyncio.CancelledError):  # the measurement is over
            await asyncio.gather(_late(reader, far_writer), _late(far_reader, writer))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    return int(listener.sockets[0].getsockname()[1])


async def _late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(ROUND_TRIP_S / 2, writer.write, data)
    loop.call_later(ROUND_TRIP_S / 2, writer.close)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    parser.add_argument("--drive", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.answer:
        answer(Path(told.answer), told.hosts)
    elif told.drive:
        url, server, folder = json.loads(told.drive)
        drive(url, server, Path(folder), told.hosts, told.seconds)
    else:
        found = {"handover": handover(8), "pickup": pickup(10), "hosts": hundred(told.hosts, told.seconds)}
        print(json.dumps(found) if told.json else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
