"""What the commands say of jobs that lost a part, and while the server's memory is full (Q22, Q37)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from lib.jobs.advice import AUDIO_GONE
from tests.e2e.desk import Desk
from tests.integration.servers import Server
from tests.integration.topologies import binary_of


@pytest.fixture
def raw(desk: Desk) -> Iterator[Any]:
    url = desk.environ["REDIS_URL"]
    with contextlib.closing(redis.Redis.from_url(url, decode_responses=True, protocol=2)) as client:
        yield client


def key(desk: Desk, name: str) -> str:
    return f"{desk.environ['JOBS_PREFIX']}:{name}"


def done(desk: Desk, raw: Any, name: str) -> str:
    """A done job without audio; its id."""
    desk.enqueue(name)
    (lease,) = desk.queue.claim("tests")
    desk.queue.complete(lease, {})
    return f"topic:{name}"


def test_a_done_job_without_its_record_is_told_as_one_and_mended_by_reconcile(desk: Desk, raw: Any) -> None:
    name = done(desk, raw, "a")
    raw.hdel(key(desk, "result"), name)

    assert desk.shaped("result", name, status=1)["state"] == "done"
    said = desk.run("result", name)
    assert "its record is lost; job-runner reconcile --apply forgets the job" in said.stderr
    assert desk.shaped("explain", name)["reason"] == "record_gone"
    report = desk.shaped("report", desk.file_of("a"), status=1)["jobs"][0]["reason"]
    assert "its record is lost; job-runner reconcile --apply" in report

    assert desk.shaped("reconcile", "--apply")["mended"] == 1
    assert desk.shaped("enqueue", desk.file_of("a"))["counts"] == {"created": 1}


def test_a_waiting_job_without_its_specification_names_reconcile(desk: Desk, raw: Any) -> None:
    desk.enqueue("a", "delayed")
    raw.delete(key(desk, "spec"))

    for name in ("topic:a", "topic:delayed"):
        value = desk.shaped("explain", name)
        assert value["reason"] == "unspecified"
        assert "job-runner reconcile --apply ends it as failed" in value["frees"]


def test_a_job_whose_producer_was_stopped_is_not_taken_for_a_mistyped_one(desk: Desk, raw: Any) -> None:
    desk.enqueue("b")
    row = '["staged","v1:00","normal",3,1,1,"feedfeedfeedfeed",""]'
    raw.hset(key(desk, "state"), "topic:a", row)

    said = desk.shaped("explain", "topic:a", schema="error", status=65)["error"]["message"]
    assert "topic:a is not accepted" in said
    assert "enqueue the file again" in said
    for command in ("result", "cancel"):
        other = desk.shaped(command, "topic:a", schema="error", status=65)["error"]["message"]
        assert "did you mean topic:b?" in other


def test_report_and_explain_give_the_same_advice_for_audio_that_is_gone(world: Desk) -> None:
    explained = world.shaped("explain", "topic:gone")
    (reported,) = world.shaped("report", world.file_of("gone"), status=1)["jobs"]

    assert explained["frees"] == AUDIO_GONE
    assert reported["reason"].endswith(AUDIO_GONE)


def test_status_and_explain_name_the_same_way_to_start_a_watcher(desk: Desk) -> None:
    desk.enqueue("a")

    assert "job-watcher run, or job-runner up" in desk.json("status")["sentence"]
    assert "job-watcher run, or job-runner up" in desk.shaped("explain", "topic:a")["frees"]


def test_a_damaged_row_is_a_finding_and_a_sentence(desk: Desk, raw: Any) -> None:
    desk.enqueue("a")
    raw.hset(key(desk, "state"), "weird", "notjson")
    raw.hset(key(desk, "state"), "topic:b", '["sleeping"]')

    found = desk.shaped("reconcile", status=1)["findings"]
    assert sorted((item["id"], item["subject"]) for item in found) == [("R022", "topic:b"), ("R022", "weird")]
    said = desk.shaped("explain", "topic:b", schema="error", status=1)["error"]["message"]
    assert "(R022)" in said
    assert desk.shaped("reconcile", "--apply")["mended"] == 2
    assert desk.shaped("reconcile")["findings"] == []


def test_reading_commands_and_cancel_work_while_the_memory_is_full(tmp_path: Path) -> None:
    """Q37; on Redis 7.0, which refuses more then than others."""
    server = Server(binary=binary_of("redis-7"))
    server.start()
    try:
        with contextlib.closing(Desk(tmp_path, server.url, "full")) as desk:
            desk.enqueue("a", "b")
            with redis.Redis.from_url(server.url, protocol=2) as client:
                client.config_set("maxmemory", 1)

            assert desk.json("status")["waiting"] == 2
            assert desk.shaped("result", "topic:a", status=75)["state"] == "waiting"
            assert desk.shaped("explain", "topic:a")["reason"] == "no_watcher"
            assert desk.shaped("history") == []
            assert desk.shaped("report", desk.file_of("a", "b"), status=75)["totals"]["waiting"] == 2
            assert desk.shaped("cancel", "topic:a")["canceled"]
            assert desk.shaped("reconcile")["findings"] == []
            refused = desk.run("retry", "topic:a", "--yes")
            assert (refused.returncode, "enqueue" in refused.stderr) == (75, False)
            assert "nothing was enqueued" in desk.run("enqueue", desk.file_of("c")).stderr
    finally:
        server.remove()
