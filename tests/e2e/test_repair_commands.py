"""`retry`, `cancel`, `flush`, `explain`, `doctor` and `reconcile` against a real server (Q20-Q22)."""

from __future__ import annotations

import hashlib
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from lib.jobqueue import ErrorClass, Failure, JobState
from lib.storage import Claim, FileStorage
from tests.e2e.desk import Desk
from tests.e2e.home import PROGRAMS
from tests.integration.servers import Server


def fail(desk: Desk, name: str, kind: ErrorClass = ErrorClass.BAD_INPUT) -> None:
    desk.enqueue(name)
    (lease,) = desk.queue.claim("tests")
    desk.queue.fail(desk.queue.begin(lease), Failure(kind, f"{name} broke."))


def answer(desk: Desk, words: tuple[str, ...], reply: str) -> tuple[int, str]:
    """Run a command on a terminal and answer its question; status and stdout."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(PROGRAMS / "job-runner"), *words],
        cwd=desk.folder,
        env=desk.environ,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, reply.encode())
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    return process.returncode, out


# --- retry (Q20) ----------------------------------------------------------------------------------


def test_retry_requeues_a_failed_and_a_canceled_job(desk: Desk) -> None:
    """Q20."""
    fail(desk, "a")
    desk.enqueue("b")
    desk.queue.cancel("topic:b")

    for name in ("topic:a", "topic:b"):
        value = desk.shaped("retry", name, "--yes")
        assert value == {
            "requeued": 1,
            "jobs": [{"request_id": name, "requeued": True, "state": "waiting"}],
        }
    assert len(desk.queue.claim("tests", count=5)) == 2


def test_retry_says_whose_audio_it_will_replace(desk: Desk) -> None:
    """Q43."""
    fail(desk, "a")
    file = desk.folder / "audio"
    file.write_bytes(b"audio")
    storage = FileStorage(desk.folder / ".local/share/job-runner/storage")
    artifact = storage.put(file, sha256=hashlib.sha256(b"audio").hexdigest(), bytes=5)
    storage.publish(Claim("topic:other", 1, 1), "topic/a", {"topic/a.wav": artifact})

    said = desk.run("retry", "topic:a", "--yes").stderr

    assert "topic:a, once done, replaces the audio of topic:other, which topic/a holds now" in said


def test_retry_of_any_other_job_changes_nothing_and_names_its_state(world: Desk) -> None:
    """Q20."""
    for name in ("done", "waiting", "running", "delayed"):
        before = world.queue.job(f"topic:{name}")
        value = world.shaped("retry", f"topic:{name}", status=65)
        assert value["jobs"][0] == {"request_id": f"topic:{name}", "requeued": False, "state": name}
        assert f"is {name}" in world.run("retry", f"topic:{name}", "--yes").stderr
        assert world.queue.job(f"topic:{name}") == before
    unknown = world.shaped("retry", "topic:fialed", "--yes", schema="error", status=65)
    assert "topic:failed" in unknown["error"]["message"]


def test_retry_asks_first_and_without_a_terminal_ends_with_2(desk: Desk) -> None:
    """Q20."""
    fail(desk, "a")

    for words in (("retry", "topic:a"), ("retry", "--failed")):
        refused = desk.run(*words)
        assert refused.returncode == 2
        assert "--yes" in refused.stderr
        assert answer(desk, words, "n\n") == (0, "")
    assert desk.queue.snapshot().failed == 1
    assert answer(desk, ("retry", "topic:a"), "y\n")[0] == 0
    assert desk.queue.snapshot().waiting == 1


def test_retry_in_bulk_takes_the_failed_of_a_class_and_a_time(desk: Desk) -> None:
    """Q20."""
    fail(desk, "bad")
    desk.enqueue("gone")
    desk.queue.cancel("topic:gone")

    assert "Requeue 1 failed job?" in desk.run("retry", "--failed", "--error-class", "bad_input").stderr
    assert desk.shaped("retry", "--failed", "--since", "2099-01-01", "--yes")["requeued"] == 0
    assert desk.shaped("retry", "--failed", "--error-class", "transient", "--yes")["requeued"] == 0
    value = desk.shaped("retry", "--failed", "--error-class", "bad_input", "--since", "1h", "--yes")
    assert [job["request_id"] for job in value["jobs"]] == ["topic:bad"]
    assert desk.queue.snapshot().canceled == 1
    assert "Requeue 1 canceled job?" in desk.run("retry", "--failed", "--error-class", "canceled").stderr
    value = desk.shaped("retry", "--failed", "--error-class", "canceled", "--yes")
    assert [job["request_id"] for job in value["jobs"]] == ["topic:gone"]
    assert desk.queue.snapshot().canceled == 0


@pytest.mark.parametrize(
    "words", [(), ("topic:a", "--failed"), ("topic:a", "--since", "1h"), ("--error-class", "poison")]
)
def test_retry_of_nothing_or_of_two_things_is_a_mistake_of_usage(desk: Desk, words: tuple[str, ...]) -> None:
    """Q20."""
    assert desk.run("retry", *words).returncode == 2


# --- cancel (Q22) ---------------------------------------------------------------------------------


def test_cancel_withdraws_queued_delayed_and_running_jobs(desk: Desk) -> None:
    """Q22."""
    desk.enqueue("running")
    (lease,) = desk.queue.claim("tests")
    desk.enqueue("waiting", "delayed")

    for name in ("running", "waiting", "delayed"):
        value = desk.shaped("cancel", f"topic:{name}")
        assert value == {"request_id": f"topic:{name}", "canceled": True, "state": "canceled"}
    assert desk.queue.renew([lease]) == [lease]
    again = desk.run("cancel", "topic:running")
    assert (again.returncode, again.stdout) == (0, "")
    assert "already" in again.stderr


def test_cancel_of_a_finished_or_unknown_job_changes_nothing(world: Desk) -> None:
    """Q22."""
    assert world.shaped("cancel", "topic:done", status=65)["state"] == "done"
    assert "is failed" in world.run("cancel", "topic:failed").stderr
    assert "topic:done" in world.shaped("cancel", "topic:dne", schema="error", status=65)["error"]["message"]


# --- flush (Q21) ----------------------------------------------------------------------------------


def test_flush_says_key_by_key_what_goes_and_asks(desk: Desk) -> None:
    """Q21."""
    desk.enqueue("a", "b")
    prefix = desk.environ["JOBS_PREFIX"]

    refused = desk.run("flush")
    assert refused.returncode == 2
    assert f"{prefix}:stream" in refused.stdout
    assert "2 entries" in refused.stdout
    assert answer(desk, ("flush",), "n\n")[0] == 0
    assert desk.queue.snapshot().waiting == 2

    value = desk.shaped("flush", "--yes")
    assert (value["jobs"], value["leased"], value["hard"]) == (2, 0, False)
    assert {"key": f"{prefix}:stream", "type": "stream", "count": 2, "deleted": 2} in value["keys"]
    assert desk.shaped("flush", "--yes")["jobs"] == 0


def test_what_flush_says_is_what_is_gone_afterwards(desk: Desk) -> None:
    """Q21."""
    fail(desk, "failed")
    desk.enqueue("a", "delayed")
    desk.queue.pause()
    client = redis.Redis.from_url(desk.environ["REDIS_URL"], decode_responses=True, protocol=2)
    start = f"{desk.environ['JOBS_PREFIX']}:*"
    names = set(client.scan_iter(start))

    said = desk.shaped("flush", "--yes")["keys"]

    left = set(client.scan_iter(start))
    client.close()
    assert names - left == {item["key"] for item in said if item["deleted"] == item["count"]}
    partly = {
        item["key"]: item["count"] - item["deleted"] for item in said if item["deleted"] < item["count"]
    }
    kept = ("state", "spec", "meta")  # of the failed job, and the last number of the order of asking
    assert partly == {f"{start[:-1]}{name}": 1 for name in kept}
    assert desk.shaped("enqueue", desk.file_of("failed", "a"))["counts"] == {"duplicate": 1, "created": 1}


def test_flush_is_refused_with_75_while_a_watcher_holds_a_job(desk: Desk) -> None:
    """Q21."""
    desk.enqueue("a")
    desk.queue.claim("tests")

    refused = desk.shaped("flush", "--hard", "--yes", schema="error", status=75)
    assert "--force" in refused["error"]["message"]
    assert desk.shaped("flush", "--hard", "--force", "--yes")["leased"] == 1
    assert desk.json("status")["outstanding"] == 0


# --- explain (Q22) --------------------------------------------------------------------------------


def test_explain_has_one_sentence_for_a_job_in_each_state(world: Desk) -> None:
    """Q22."""
    found = {
        name: world.shaped("explain", f"topic:{name}")["reason"]
        for name in ("done", "gone", "failed", "canceled", "running", "waiting", "delayed")
    }

    assert found == {
        "done": "done",
        "gone": "artifact_gone",
        "failed": "failed",
        "canceled": "canceled",
        "running": "worker_silent",
        "waiting": "no_watcher",
        "delayed": "not_before",
    }
    shown = world.run("explain", "topic:failed").stdout
    assert shown.count("\n") == 1
    assert "bad_input: It cannot be spoken" in shown
    assert "topic:done" in world.shaped("explain", "topic:dne", schema="error", status=65)["error"]["message"]


def test_explain_counts_who_is_ahead(desk: Desk) -> None:
    """Q22."""
    desk.enqueue("a", "b", "c", "d")
    desk.queue.register_watcher("tests", {})
    desk.queue.claim("tests")

    value = desk.shaped("explain", "topic:d")

    assert (value["reason"], value["details"]["ahead"]) == ("in_line", 2)
    desk.queue.pause()
    assert desk.shaped("explain", "topic:d")["reason"] == "paused"


# --- doctor and reconcile (Q22); each finding: tests/integration/jobs ---------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose server keeps an append-only file."""
    server = Server("--appendonly", "yes")
    server.start()
    made = Desk(tmp_path, server.url, "kept")
    yield made
    made.queue.close()
    server.remove()


def test_doctor_finds_nothing_in_a_home_in_order_and_says_what_to_mend(kept: Desk) -> None:
    """Q22."""
    assert kept.shaped("doctor") == {"findings": []}

    with redis.Redis.from_url(kept.environ["REDIS_URL"], protocol=2) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    (finding,) = kept.shaped("doctor", status=78)["findings"]
    shown = kept.run("doctor").stdout

    assert finding["id"] == "D006"
    assert "D006" in shown
    assert "noeviction" in shown
    kept.environ["REDIS_URL"] = f"unix://{kept.folder}/nobody"
    assert [item["id"] for item in kept.shaped("doctor", status=69)["findings"]] == ["D001"]


def test_doctor_looks_at_the_embedded_server_too(tmp_path: Path) -> None:
    """Q22."""
    from tests.e2e.home import Home, check_shape

    home = Home(tmp_path)
    try:
        value = home.json("doctor")
        check_shape("doctor", value)
        assert value == {"findings": []}
    finally:
        home.run("down")


def test_reconcile_changes_nothing_until_it_is_told_to(desk: Desk) -> None:
    """Q22."""
    desk.enqueue("a")
    desk.work()
    key = f"{desk.environ['JOBS_PREFIX']}:history"
    with redis.Redis.from_url(desk.environ["REDIS_URL"], protocol=2) as client:
        client.zrem(key, "topic:a")
        Path(desk.json("result", "topic:a")["files"][0]).unlink()

        found = desk.shaped("reconcile", status=1)
        assert [item["id"] for item in found["findings"]] == ["R007", "R020"]
        assert (found["applied"], found["left"]) == (False, 2)
        assert client.zcard(key) == 0
        assert "--apply" in desk.run("reconcile").stderr

        mended = desk.shaped("reconcile", "--apply")
        assert (mended["applied"], mended["mended"], mended["left"]) == (True, 2, 0)
        assert client.zcard(key) == 1
    assert desk.shaped("reconcile")["findings"] == []
    assert desk.run("reconcile").stdout == "Everything fits together.\n"


def test_a_waveform_that_nothing_brings_back_is_told_and_fails_no_check(desk: Desk) -> None:
    """Q22."""
    desk.enqueue("a")
    desk.work()
    store = desk.folder / ".local/share/job-runner/storage"
    peaks = desk.json("result", "topic:a")["result"]["spoken"]["takes"][0]["peaks"]
    (store / peaks["key"]).unlink()
    (store / "outputs" / peaks["file"]).unlink()

    found = desk.shaped("reconcile", "--apply")

    assert [item["id"] for item in found["findings"]] == ["R021"]
    assert found["left"] == 1


# --- enqueue --durable ----------------------------------------------------------------------------


def test_enqueue_durable_says_where_the_jobs_are_or_refuses_before_it_enqueues(
    kept: Desk, desk: Desk
) -> None:
    done = kept.run("enqueue", kept.file_of("a"), "--durable")
    assert done.returncode == 0
    assert "on the server's disk" in done.stderr

    refused = desk.shaped("enqueue", desk.file_of("a"), "--durable", schema="error", status=78)
    assert "appendonly" in refused["error"]["message"]
    assert desk.queue.snapshot().outstanding == 0
    assert desk.queue.job("topic:a") is None
    assert JobState.WAITING in {record.state for record in kept.queue.jobs(["topic:a"]) if record}
