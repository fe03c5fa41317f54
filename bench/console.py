"""What the console costs: requests of status, an event's way to an open page, idle pages, a long history.

    python -m bench.console [--json] [--jobs 100000] [--streams 200] [--requests 3000] [--events 50]

The program itself over a real server on its Unix socket and SQLite, asked over loopback. Processor time is
the console's own, of /proc, so that a busy machine changes little: "one core" is a second of it. Goals: 500
requests of `status` a second on one core; an event at an open page within 200 ms; 200 idle streams under 10 %
of a core; with 100,000 jobs in the history a page under 100 KB in all and within 100 ms of processor time.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from job_console.access.session import COOKIE, sign_in
from lib.jobqueue import ErrorClass, Failure, JobQueue, QueueOptions, connect
from lib.jobspec import normalize_job_spec
from lib.records import FileRef
from tests.doubles.console import BEARER, TOKEN, ConsoleDesk, done_record_of
from tests.integration.servers import Server

_API: Final = "/api/v1"
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_PORTION: Final = 500
_PAGES: Final = (
    *("/", "/queue", "/queue?state=failed", "/history", "/history?text=t:0500", "/upload"),
    *("/runs", "/gates", "/machines", "/voices"),
)
_STATIC: Final = re.compile(r'(?:src|href)="(/static/[^"]+)"')
_IMPORTED: Final = re.compile(r'from "\./([^"]+)"')
_FIRST: Final = (
    "/queue/status",
    "/queue/history?limit=50",
    "/runs?limit=20",
    "/gates",
    "/machines",
    "/costs",
)


class Console:
    """The program, and a way to ask it over one connection."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        argv = [sys.executable, "-m", "job_console", "serve", "--json", "--listen", "127.0.0.1:0"]
        environ = {
            **os.environ,
            "JOBS_DATA_DIR": str(folder),
            "REDIS_URL": redis_url,
            "DATABASE_URL": f"sqlite:///{folder / 'pipeline.db'}",
            "JOB_CONSOLE_TOKEN": TOKEN,
        }
        self.process = subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        url = json.loads(self.process.stdout.readline())["url"]
        self.port = int(url.rpartition(":")[2])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)

    def used_s(self) -> float:
        """Seconds of the processor that it has used, in all of its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S

    def get(self, path: str, headers: Mapping[str, str] = BEARER) -> bytes:
        """The body of an answer, which must be good. Of REST, unless it is a page's path (`page:/queue`)."""
        shown = path.removeprefix("page:")
        self.connection.request("GET", shown if shown != path else _API + path, headers=dict(headers))
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body

    def stop(self) -> None:
        """End it in good order."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def fill(queue: JobQueue, count: int) -> None:
    """Bring so many jobs to their end, every fiftieth to a bad one."""
    record = done_record_of(FileRef("t/a.wav", 4, "0" * 64, "blobs/sha256/00/" + "0" * 64))
    for first in range(0, count, _PORTION):
        queue.enqueue(
            [
                normalize_job_spec({"output_name": f"t/{n:06d}", "text": "Hello.", "speaker": "Ryan"})
                for n in range(first, min(count, first + _PORTION))
            ]
        )
        done = 0
        while done < min(_PORTION, count - first):
            leases = queue.claim("bench", count=100)
            bad = [lease for lease in leases if lease.request_id.endswith(("01", "51"))]
            for number, lease in enumerate(bad):
                queue.fail(lease, Failure(ErrorClass.BAD_INPUT, f"Take {number} is silent."))
            queue.complete_many([(lease, record) for lease in leases if lease not in bad])
            done += len(leases)


def rate_of(console: Console, path: str, count: int) -> dict[str, float]:
    """Requests over four connections, one after another on each, by the wall and by the processor."""
    used, began = console.used_s(), time.perf_counter()
    threads = [threading.Thread(target=_ask, args=(console.port, path, count // 4)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, used = time.perf_counter() - began, console.used_s() - used
    return {"per_core_second": round(count / used, 1), "per_wall_second": round(count / wall, 1)}


def _ask(port: int, path: str, count: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(count):
        connection.request("GET", _API + path, headers=BEARER)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()


@contextmanager
def stream(port: int, query: str = "") -> Iterator[socket.SocketIO]:
    """The lines of an open stream, behind its first event."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = f"GET {_API}/events{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        connection.sendall(head.encode())
        lines = connection.makefile("rb", buffering=0)
        while not lines.readline().startswith(b"data:"):
            pass
        yield lines


def latency_ms(console: Console, desk: ConsoleDesk, count: int) -> dict[str, Any]:
    """Milliseconds from before a change is committed until an open page has read its event."""
    found: dict[str, list[float]] = {"run": [], "job": []}
    with stream(console.port) as lines:
        for number in range(count):
            for kind in found:
                began = time.perf_counter()
                if kind == "run":
                    desk.start(f"bench-{number}")
                else:
                    desk.enqueue(f"bench-{number}")
                while not lines.readline().startswith(b"data:"):
                    pass
                found[kind].append((time.perf_counter() - began) * 1000)
                time.sleep(0.03)  # at another moment between two looks
    return {
        kind: {"median": round(statistics.median(each), 1), "worst": round(max(each), 1)}
        for kind, each in found.items()
    }


def idle_share(console: Console, count: int, seconds: float) -> dict[str, float]:
    """What share of a core is used without any stream, and with so many that hear nothing."""

    def share() -> float:
        time.sleep(2.0)
        used, began = console.used_s(), time.perf_counter()
        time.sleep(seconds)
        return round((console.used_s() - used) / (time.perf_counter() - began) * 100, 2)

    alone = share()
    held = []
    for _ in range(count):
        held.append(stream(console.port))
        held[-1].__enter__()
    with_streams = share()
    for each in held:
        each.__exit__(None, None, None)
    return {"no_stream_percent": alone, f"{count}_streams_percent": with_streams}


def first_answers(console: Console) -> dict[str, Any]:
    """Of what REST says first: bytes, and milliseconds by the wall and by the console's processor."""
    return {path: _looks(console, path, BEARER) for path in _FIRST}


def first_pages(console: Console, run: str, job: str) -> dict[str, Any]:
    """The same of pages, as somebody sees them who is logged in; `all_bytes` with all that a page loads."""
    cookie, _ = sign_in("bench", TOKEN, time.time())
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    told = {}
    for path in (*_PAGES, f"/runs/{run}", f"/jobs/{job}"):
        found = _looks(console, f"page:{path}", headers)
        loaded = _loaded(console, console.get(f"page:{path}", headers).decode())
        told[path] = {**found, "all_bytes": found["bytes"] + sum(loaded.values())}
    return told


def _looks(console: Console, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    times = 40
    size = len(console.get(path, headers))
    used, began = console.used_s(), time.perf_counter()
    for _ in range(times):
        console.get(path, headers)
    return {
        "bytes": size,
        "wall_ms": round((time.perf_counter() - began) / times * 1000, 2),
        "processor_ms": round((console.used_s() - used) / times * 1000, 2),
    }


def _loaded(console: Console, page: str) -> dict[str, int]:
    """The bytes of each style and script that a page loads, those that scripts import among them."""
    found: dict[str, int] = {}
    left = _STATIC.findall(page)
    while left:
        address = left.pop()
        if address in found:
            continue
        content = console.get(f"page:{address}", {})
        found[address] = len(content)
        if address.endswith(".js"):
            folder = address.rpartition("/")[0]
            left += [f"{folder}/{name}" for name in _IMPORTED.findall(content.decode())]
    return found


def measure(jobs: int, streams: int, requests: int, events: int) -> dict[str, Any]:
    server = Server()
    server.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        queue = connect(server.url, QueueOptions())
        desk = ConsoleDesk(folder, queue)
        fill(queue, jobs)
        for number in range(20):
            desk.start(f"r{number}")
        console = Console(folder, server.url)
        try:
            console.get("/queue/status")
            return {
                "jobs_in_history": jobs,
                "first_answers": first_answers(console),
                "first_pages": first_pages(console, "r0", "t:000000"),
                "status": rate_of(console, "/queue/status", requests),
                "event_to_page_ms": latency_ms(console, desk, events),
                "idle": idle_share(console, streams, 10.0),
            }
        finally:
            console.stop()
            desk.close()
            server.remove()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--events", type=int, default=50)
    asked = parser.parse_args()
    found = measure(asked.jobs, asked.streams, asked.requests, asked.events)
    print(json.dumps(found, indent=None if asked.json else 2))


if __name__ == "__main__":
    main()
