"""What a scraper and a prober are answered, over real sockets, and that neither can harm (W19)."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from job_watcher.probes import PageAnswer, ProbeServer, verdict
from lib.errors import BadConfiguration
from lib.events.metrics import Gauge, Metrics
from lib.events.model import JobDone, JobFailure, StorageRefused


@pytest.fixture
def server() -> Iterator[ProbeServer]:
    made = ProbeServer(
        "127.0.0.1:0", {"/livez": lambda: verdict(True), "/readyz": lambda: verdict(False, queue="away")}
    )
    yield made
    made.close()


def get(server: ProbeServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection(server.address, timeout=10)
    connection.request(method, path)
    reply = connection.getresponse()
    found = reply.status, reply.read()
    connection.close()
    return found


def test_pages_answer_and_nothing_else_does(server: ProbeServer) -> None:
    assert get(server, "/livez")[0] == 200
    status, body = get(server, "/readyz")
    assert (status, json.loads(body)) == (503, {"ok": False, "queue": "away"})
    assert get(server, "/etc/passwd")[0] == 404
    assert get(server, "/livez", "POST")[0] == 405


def test_strangers_that_say_nothing_or_too_much_keep_nobody_out_for_long(server: ProbeServer) -> None:
    host, _, port = server.address.rpartition(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(4)]
    flood = socket.create_connection((host, int(port)))
    flood.sendall(b"A" * 8192)
    assert flood.recv(64).startswith(b"HTTP/1.1 400")
    began = time.monotonic()

    assert get(server, "/livez")[0] == 200

    assert time.monotonic() - began < 4.5  # of a patience of five seconds
    for each in (*silent, flood):
        each.close()


def test_a_crowd_that_says_nothing_keeps_nobody_out(server: ProbeServer) -> None:
    host, _, port = server.address.rpartition(":")
    crowd = [socket.create_connection((host, int(port))) for _ in range(40)]
    for each in crowd[::2]:
        each.sendall(b"GET /li")  # and one letter now and then, for ever
    began = time.monotonic()

    assert [get(server, "/livez")[0] for _ in range(3)] == [200] * 3

    assert time.monotonic() - began < 4.5  # of a patience of five seconds
    for each in crowd:
        each.close()


def test_pages_that_take_long_do_not_keep_a_quick_one_waiting() -> None:
    let_go, asked = threading.Event(), threading.Semaphore(0)

    def slow() -> PageAnswer:
        asked.release()
        let_go.wait(20)
        return verdict(True)

    made = ProbeServer("127.0.0.1:0", {"/readyz": slow, "/livez": lambda: verdict(True)}, quick=("/livez",))
    with ThreadPoolExecutor(8) as crowd:
        asking = [crowd.submit(get, made, "/readyz") for _ in range(8)]
        for _ in asking:
            assert asked.acquire(timeout=20)
        assert get(made, "/readyz")[0] == 503
        assert get(made, "/livez")[0] == 200
        let_go.set()
        assert [each.result()[0] for each in asking] == [200] * 8
    made.close()


def test_head_has_the_head_of_get_and_no_body(server: ProbeServer) -> None:
    status, body = get(server, "/livez", "HEAD")
    assert (status, body) == (200, b"")


def test_a_second_watcher_takes_the_next_port_of_the_range_and_a_taken_one_is_said() -> None:
    first = ProbeServer("127.0.0.1:0", {})
    port = int(first.address.rpartition(":")[2])
    try:
        with pytest.raises(BadConfiguration, match="a range of ports"):
            ProbeServer(f"127.0.0.1:{port}", {})
        second = ProbeServer(f"127.0.0.1:{port}-{min(65535, port + 20)}", {})
        assert second.address != first.address
        second.close()
    finally:
        first.close()


def test_events_are_counted_by_ending_and_no_other_number_is_there() -> None:
    metrics = Metrics(lambda: [Gauge("job_queue_jobs", "x", {"waiting": 3})], {"watcher": "ann"})
    about = {"request_id": "a:b", "lease_no": 1, "attempt": 1, "host": "h"}
    metrics.emit(JobDone(**about, audio_seconds=2.5, work_seconds=1.0))  # type: ignore[arg-type] # one dict
    metrics.emit(JobFailure(**about, reason="no"))  # type: ignore[arg-type] # one dict for all
    metrics.emit(StorageRefused(**about, reason="no", pause_seconds=1))  # type: ignore[arg-type] # as above

    lines = metrics.text().decode().splitlines()

    assert 'job_watcher_jobs_total{outcome="done"} 1.0' in lines
    assert 'job_watcher_jobs_total{outcome="failed"} 1.0' in lines
    assert 'job_watcher_jobs_total{outcome="canceled"} 0.0' in lines
    assert "job_watcher_audio_seconds_total 2.5" in lines
    assert "job_watcher_storage_refusals_total 1.0" in lines
    assert 'job_queue_jobs{state="waiting"} 3.0' in lines
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert all(name.startswith(("job_watcher", "job_queue")) for name in names)


def test_broken_speech_is_counted_by_engine_and_voice_and_by_the_machines_of_late() -> None:
    metrics = Metrics(lambda: [], {})
    about = {"request_id": "a:b", "lease_no": 1, "attempt": 1, "engine": "qwen3", "voice": "Ryan"}

    def done(machine: str, spoken: int, broken: int) -> None:
        counted = {"pieces_spoken": spoken, "pieces_broken": broken}
        metrics.emit(JobDone(**about, **counted, host="h", machine=machine))  # type: ignore[arg-type] # dicts

    done("m0", 10, 0)
    for number in range(64):
        done(f"m{number}", 100, number)
    done("m7", 100, 3)

    lines = metrics.text().decode().splitlines()
    pieces = 'job_watcher_spoken_pieces_total{engine="qwen3",outcome="%s",voice="Ryan"} %s'
    assert pieces % ("broken", "2019.0") in lines
    assert pieces % ("sound", "4491.0") in lines
    of_machines = [line for line in lines if line.startswith("job_watcher_machine_broken")]
    assert 'job_watcher_machine_broken_pieces_per_thousand{machine="m7"} 50.0' in of_machines
    assert len(of_machines) == 64

    done("new", 100, 100)  # the one that did nothing for longest gives way
    lines = metrics.text().decode().splitlines()
    assert 'job_watcher_machine_broken_pieces_per_thousand{machine="new"} 1000.0' in lines
    assert not any('machine="m0"' in line for line in lines)


def test_engines_and_voices_are_told_apart_up_to_a_number() -> None:
    """An engine's name is what a machine says of itself: one that invents them fills nobody's memory."""
    metrics = Metrics(lambda: [], {})
    about = {"request_id": "a:b", "lease_no": 1, "attempt": 1, "pieces_spoken": 1, "host": "h"}
    for number in range(300):
        metrics.emit(JobDone(**about, engine=f"e{number}", voice="Ryan"))  # type: ignore[arg-type] # dicts

    pieces = [line for line in metrics.text().decode().splitlines() if "spoken_pieces_total{" in line]

    assert len(pieces) == 2 * (256 + 1)
    assert 'job_watcher_spoken_pieces_total{engine="other",outcome="sound",voice="other"} 44.0' in pieces


def test_a_page_that_fails_is_an_answer() -> None:
    def broken() -> PageAnswer:
        raise RuntimeError("why")

    made = ProbeServer("127.0.0.1:0", {"/metrics": broken})
    assert get(made, "/metrics")[0] == 500
    made.close()
