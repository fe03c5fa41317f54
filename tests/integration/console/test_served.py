"""P30, P31: the program itself, over a real queue: stopped, started anew, starved by slow clients."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from job_console.route_services import ConsoleLimits
from lib.jobqueue import QueueOptions, connect
from lib.pipeline.trail import events_after
from tests.doubles.console import BEARER, TOKEN, ConsoleDesk
from tests.ports import kept_port

API = "/api/v1"


@pytest.fixture
def desk(tmp_path: Path, redis_url: str) -> Iterator[ConsoleDesk]:
    desk = ConsoleDesk(tmp_path, connect(redis_url, QueueOptions()))
    yield desk
    desk.close()


class Program:
    """`job-console serve` on a port that is kept for it."""

    def __init__(self, desk: ConsoleDesk, redis_url: str, port: int) -> None:
        self.place = f"127.0.0.1:{port}"
        self.url = f"http://{self.place}"
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        self._environ = {
            **kept,
            "HOME": str(desk.folder),
            "JOBS_DATA_DIR": str(desk.folder),
            "REDIS_URL": redis_url,
            "DATABASE_URL": f"sqlite:///{desk.folder / 'pipeline.db'}",
            "JOB_CONSOLE_TOKEN": TOKEN,
        }
        self._folder = desk.folder
        self._process: subprocess.Popen[str] | None = None

    def start(self, *words: str) -> dict[str, Any]:
        """Start it and wait until it listens; what it says then."""
        argv = [sys.executable, "-m", "job_console", "serve", "--json", "--listen", self.place]
        self._process = subprocess.Popen(
            [*argv, *words],
            env=self._environ,
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it; its exit status and what it said on stderr."""
        assert self._process is not None
        self._process.send_signal(number)
        _, said = self._process.communicate(timeout=30)
        status, self._process = self._process.returncode, None
        return status, said

    def close(self) -> None:
        if self._process is not None:
            self.stop(signal.SIGKILL)


@pytest.fixture
def program(desk: ConsoleDesk, redis_url: str) -> Iterator[Program]:
    with kept_port() as port:
        program = Program(desk, redis_url, port)
        yield program
        program.close()


class Page(threading.Thread):
    """A page that is open: when the server is gone it comes again with the last id."""

    def __init__(self, url: str, until: int) -> None:
        super().__init__(name="page")
        self._url, self._until = url, until
        self.told: list[dict[str, Any]] = []
        self.kinds: list[str] = []
        self.connected = threading.Event()
        self.connections = 0

    def run(self) -> None:
        place, deadline = "0.0-0", time.monotonic() + 60
        while len(self.told) < self._until and time.monotonic() < deadline:
            try:
                headers = {**BEARER, "Last-Event-ID": place}
                with httpx.stream("GET", f"{self._url}{API}/events", headers=headers, timeout=20) as answer:
                    kind = ""
                    for line in answer.iter_lines():
                        name, _, value = line.partition(": ")
                        if name == "id":
                            place = value
                        elif name == "event":
                            kind = value
                        elif name == "data":
                            self._take(kind, json.loads(value))
                        if len(self.told) >= self._until:
                            return
            except httpx.HTTPError:
                time.sleep(0.05)  # as a browser does before it comes again

    def _take(self, kind: str, value: dict[str, Any]) -> None:
        if kind == "begin":
            self.connections += 1
            self.connected.set()
        else:
            self.kinds.append(kind)
            self.told.append(value)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_page_misses_nothing_while_the_server_is_started_anew(
    desk: ConsoleDesk, program: Program, number: int
) -> None:
    for name in "abcdef":
        desk.start(f"run-{name}")
    program.start()
    page = Page(program.url, until=17)
    page.start()
    assert page.connected.wait(20)
    desk.enqueue("a", "b", "c")
    desk.work()
    page.connected.clear()
    program.stop(number)
    desk.enqueue("d", "e")  # while nobody serves
    desk.start("run-g")
    program.start()
    assert page.connected.wait(20)
    desk.start("run-h")
    desk.enqueue("f")
    page.join(60)
    runs = [each["position"] for each in page.told if "position" in each]
    jobs = [each["request_id"] for each in page.told if "request_id" in each]
    events = events_after(desk.ledger, 0)
    assert runs == [event.position for event in events][: len(runs)]
    assert jobs == [f"topic:{name}" for name in "abcdef"][: len(jobs)]
    assert len(runs) + len(jobs) == 17
    assert page.connections >= 2  # the server that is told to end may take it once more before it does


def test_it_stops_in_good_order_with_streams_open(desk: ConsoleDesk, program: Program) -> None:
    said = program.start()
    assert said == {"event": "listening", "url": program.url, "token": "JOB_CONSOLE_TOKEN"}
    with httpx.stream("GET", f"{program.url}{API}/events", headers=BEARER, timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("id: ")
        status, errors = program.stop()
        assert (status, [line for line in errors.splitlines() if "error" in line]) == (0, [])
        list(lines)  # ends as it should: with the last chunk


def test_the_token_is_made_once_and_never_printed(desk: ConsoleDesk, program: Program) -> None:
    del program._environ["JOB_CONSOLE_TOKEN"]
    said = program.start("--verbose")
    place = Path(said["token"])
    token = place.read_text().strip()
    assert place.stat().st_mode & 0o777 == 0o600
    bearer = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{program.url}{API}/runs", headers=bearer, timeout=20)
    assert answer.status_code == 200
    httpx.get(f"{program.url}{API}/runs?token={token}", timeout=20)
    _, errors = program.stop()
    assert token not in errors + json.dumps(said) + desk.parts.audit.path.read_text()


def test_health_says_that_the_queue_is_down(desk: ConsoleDesk, own_server: Any, tmp_path: Path) -> None:
    queue = connect(own_server.url, QueueOptions(), patience_s=1.0)
    (tmp_path / "other").mkdir()
    other = ConsoleDesk(tmp_path / "other", queue)
    with other.client({}) as client:
        assert client.get(f"{API}/healthz").json() == {"ok": True, "queue": "up", "database": "up"}
        own_server.kill()
        deadline = time.monotonic() + 30
        while client.get(f"{API}/healthz").status_code == 200 and time.monotonic() < deadline:
            pass  # the pulse is a second old at most
        answer = client.get(f"{API}/healthz")
        assert (answer.status_code, answer.json()["queue"]) == (503, "down")
        refused = client.get(f"{API}/queue/status", headers=BEARER)
        assert (refused.status_code, refused.json()["error"]["exit_status"]) == (503, 69)
    other.close()


def test_two_operators_decide_at_once_and_one_of_them_was_first(desk: ConsoleDesk) -> None:
    """P20."""
    desk.start()
    desk.work()
    with desk.client() as client:
        ready, answers = threading.Barrier(8), dict[str, httpx.Response]()

        def decide(who: str, what: str) -> None:
            ready.wait()
            path = f"{API}/runs/r1/gates/script/{what}"
            answers[who] = client.post(path, json={"operator": who})

        threads = [
            threading.Thread(target=decide, args=(f"op-{n}", "approve" if n % 2 else "reject"))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    won = [who for who, answer in answers.items() if answer.status_code == 200]
    lost = [answer for answer in answers.values() if answer.status_code == 409]
    assert (len(won), len(lost)) == (1, 7)
    assert all(won[0] in answer.json()["error"]["message"] for answer in lost)
    decided = [each for each in events_after(desk.ledger, 0) if each.kind.startswith("gate_") and each.data]
    assert [event.data["operator"] for event in decided] == won


def until_reset(slow: socket.socket) -> None:
    """Take nothing until the other side has hung up."""
    reset = select.poll()
    reset.register(slow, 0)  # errors alone: nothing is taken
    assert [found & select.POLLERR for _, found in reset.poll(20_000)] == [select.POLLERR]


class TestSlowClients:
    """Whoever says too little, or takes too little, is hung up on; others do not notice."""

    def test_a_head_that_does_not_come(self, desk: ConsoleDesk) -> None:
        limits = ConsoleLimits(head_s=1.0)
        with desk.client(limits=limits) as client:
            address = (client.base_url.host, client.base_url.port)
            for begin in (b"", b"GET /api", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "):
                with socket.create_connection(address, timeout=20) as slow:
                    slow.sendall(begin)
                    assert slow.recv(1000) == b""
            # Nor the second one on a connection that was of use before.
            with socket.create_connection(address, timeout=20) as slow:
                slow.sendall(b"GET /api/v1/healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                assert slow.recv(2000).startswith(b"HTTP/1.1 200")
                slow.sendall(b"GET /api/v1/h")
                while slow.recv(2000):
                    pass

    def test_a_body_that_does_not_come(self, desk: ConsoleDesk) -> None:
        limits = ConsoleLimits(body_s=0.3)
        head = (
            f"POST {API}/runs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
            'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a'
        )
        with desk.client(limits=limits) as client:
            with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as slow:
                slow.sendall(head.encode())
                assert slow.recv(4000).startswith(b"HTTP/1.1 408")
            assert client.get(f"{API}/gates").status_code == 200

    def test_an_answer_that_is_not_taken(self, desk: ConsoleDesk) -> None:
        desk.start()
        desk.work(files={"video.mp4": bytes(1 << 25)})
        head = f"GET {API}/runs/r1/artifacts/video.mp4 HTTP/1.1\r\nHost: a\r\n"
        head += f"Authorization: Bearer {TOKEN}\r\n\r\n"
        limits = ConsoleLimits(write_s=0.3)
        with desk.client(limits=limits) as client:
            with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as slow:
                slow.sendall(head.encode())
                before = slow.recv(1000)
                assert before.startswith(b"HTTP/1.1 200")
                until_reset(slow)
                taken = 0
                with contextlib.suppress(ConnectionResetError):
                    while part := slow.recv(1 << 20):
                        taken += len(part)
                assert taken < 1 << 25
            assert client.get(f"{API}/gates").status_code == 200

    def test_one_that_takes_nothing_for_good_holds_no_connection(self, desk: ConsoleDesk) -> None:
        desk.start()
        desk.work(files={"video.mp4": bytes(1 << 25)})
        head = f"GET {API}/runs/r1/artifacts/video.mp4 HTTP/1.1\r\nHost: a\r\n"
        head += f"Authorization: Bearer {TOKEN}\r\n\r\n"
        with desk.client(limits=ConsoleLimits(write_s=0.3)) as client, socket.socket() as slow:
            slow.connect((client.base_url.host, client.base_url.port))
            slow.sendall(head.encode())
            until_reset(slow)

    def test_a_head_that_is_too_long(self, desk: ConsoleDesk) -> None:
        with desk.client() as client:
            with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as long:
                with contextlib.suppress(OSError):
                    long.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * (1 << 22))
                answer = b"HTTP/1.1 400"
                with contextlib.suppress(OSError):  # hung up on before all was sent
                    answer = long.recv(1000)
            assert answer.startswith(b"HTTP/1.1 400") or answer == b""
            assert client.get(f"{API}/gates").status_code == 200
