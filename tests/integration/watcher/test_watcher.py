"""The watcher with its real worker: what it makes, and what a crash, a stop or a refusal leaves behind."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
import soundfile

from lib.jobqueue import JobState
from lib.spool import SpoolClient, entry_name, job_digest, lease_mark
from lib.spool.files import LocalFiles
from lib.spool.model import Phase
from tests.integration.servers import Server
from tests.integration.watcher.conftest import Deployment, beats


def test_a_job_becomes_a_playable_file_whose_record_matches_it(deployment: Deployment) -> None:
    specs = beats(2) + beats(1, format="flac", variants=3, output_name="tides/lossless")
    deployment.enqueue(specs)
    deployment.start_watcher()

    deployment.wait_until_done(specs)

    for spec in specs:
        deployment.wait_for("published", deployment.output(spec).exists)
        finished = deployment.queue.result(spec.request_id)
        assert finished is not None
        done = finished.done()
        assert done is not None
        audio, rate = soundfile.read(deployment.output(spec))
        assert len(audio) / rate == pytest.approx(done.audio_seconds, abs=0.01)
        assert done.loudness_lufs == pytest.approx(-19.0, abs=0.5)
        for take in done.takes:
            place = deployment.data / "storage" / "outputs" / take.main.file
            deployment.wait_for("each take published", place.exists)
            assert hashlib.sha256(place.read_bytes()).hexdigest() == take.main.sha256
        assert (len(done.takes), finished.attempt) == (spec.variants, 1)


def test_one_worker_process_serves_all_jobs(deployment: Deployment) -> None:
    specs = beats(8)
    deployment.enqueue(specs)
    deployment.start_watcher()

    deployment.wait_until_done(specs)

    log = (deployment.data / "watchers" / "0" / "worker-1.log").read_text()
    assert log.count("ready:") == 1


def test_an_idle_watcher_takes_a_new_job_at_once(deployment: Deployment) -> None:
    """W1, Q40: it does not poll on the seconds."""
    deployment.start_watcher()
    warm, late = beats(2)
    deployment.enqueue([warm])
    deployment.wait_until_done([warm])

    deployment.enqueue([late])
    deployment.wait_until_done([late])

    created, claimed = deployment.events("created")[-1], deployment.events("claimed")[-1]
    assert claimed.request_id == created.request_id == late.request_id
    assert claimed.at - created.at < 2.5  # its block lasts 5 s, and began with the first job: it was woken


def test_a_free_slot_takes_a_new_job_at_once_and_a_long_one_costs_the_server_little(
    deployment: Deployment, own_server: Server
) -> None:
    """One long job is held and three slots are free: the queue is waited at, not asked over and over."""
    long, *late = beats(1, sentences=800) + beats(3)[1:]
    deployment.lease_ms = 60_000
    deployment.enqueue([long])
    deployment.start_watcher()
    deployment.wait_for("begun", lambda: deployment.events("begun"))
    with redis.Redis.from_url(own_server.url, decode_responses=True) as client:
        before, started = _commands(client), time.monotonic()
        time.sleep(5.0)  # a rate needs a while to be measured in
        rate = (_commands(client) - before) / (time.monotonic() - started)

    for number, spec in enumerate(late, start=2):
        time.sleep(0.5)  # so that who does not wait at the queue is between two looks
        deployment.enqueue([spec])
        deployment.wait_for("claimed", lambda n=number: len(deployment.events("claimed")) == n)  # type: ignore[misc]  # loop variable bound

    created, claimed = deployment.events("created")[-1], deployment.events("claimed")[-1]
    assert claimed.at - created.at < 2.5  # a block of 5 s began when the job before it was claimed
    assert rate < 2.0


def _commands(client: redis.Redis) -> int:
    """Scripts and waits the server was asked for; what a script does inside is the server's own business."""
    stats = client.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval", "xread"))


def test_a_server_that_is_killed_and_comes_back_costs_nothing(
    deployment: Deployment, own_server: Server
) -> None:
    """The loop, the renewals and the intake all wait for it."""
    specs = beats(4, sentences=8)
    deployment.lease_ms = 60_000
    deployment.enqueue(specs)
    watcher = deployment.start_watcher()
    deployment.wait_for("one done", lambda: deployment.queue.snapshot().done >= 1)

    worker = _worker_pid(deployment)
    os.kill(worker, signal.SIGSTOP)  # or it may be done with all before the server's last writes are on disk
    own_server.kill()
    os.kill(worker, signal.SIGCONT)
    log = deployment.data / "watchers" / "0" / "spool-1" / "outbox"
    _until(lambda: len(list(log.iterdir())) >= 1)  # work goes on, and is kept
    own_server.start()
    deployment.wait_until_done(specs)

    assert watcher.poll() is None
    deployment.wait_for("published", lambda: all(deployment.output(spec).exists() for spec in specs))
    assert {event.data.get("lease_no") for event in deployment.events("claimed")} == {1}


def _until(condition: Callable[[], object]) -> None:
    """For times without a server."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_watcher_is_resumed_without_speaking_anything_twice(deployment: Deployment) -> None:
    specs = beats(8, sentences=2)
    deployment.enqueue(specs)
    for kills in range(1, 4):
        watcher = deployment.start_watcher()
        deployment.wait_for("some more done", lambda n=kills: deployment.queue.snapshot().done >= n)  # type: ignore[misc]  # loop variable bound
        watcher.kill()
        watcher.wait()

    deployment.start_watcher()
    deployment.wait_until_done(specs)

    assert len(deployment.events("begun")) == len(specs)
    assert len(deployment.events("done")) == len(specs)
    assert {e.data.get("lease_no") for e in deployment.events("claimed")} == {1}


def test_work_finished_by_an_orphaned_worker_is_settled_not_repeated(deployment: Deployment) -> None:
    (spec,) = beats(1, sentences=30)
    deployment.enqueue([spec])
    watcher = deployment.start_watcher()
    spool = SpoolClient(LocalFiles(deployment.data / "watchers" / "0" / "spool-1"))
    deployment.wait_for("job at the worker", lambda: Phase.WORK in spool.entries().values())

    watcher.kill()
    watcher.wait()
    deployment.wait_for(
        "worker left", lambda: not _locked(deployment.data / "watchers/0/spool-1/worker.lock")
    )
    deployment.start_watcher()
    deployment.wait_until_done([spec])

    assert len(deployment.events("claimed")) == 1
    deployment.wait_for("published", deployment.output(spec).exists)


def test_a_stopped_watcher_woken_after_its_lease_can_change_nothing(deployment: Deployment) -> None:
    """Q33: the zombie. SIGSTOP past the lease, another finishes, SIGCONT.

    The voice is another preset for each, so what the zombie would publish are other bytes.
    """
    (spec,) = beats(1, sentences=40, speaker=None, voice="anchor")
    deployment.lease_ms = 2500
    deployment.enqueue([spec])
    zombie = deployment.start_watcher(VOICES_DIR=str(_voices(deployment.data / "low", "low")))
    deployment.wait_for("begun", lambda: deployment.events("begun"))
    zombie.send_signal(signal.SIGSTOP)
    deployment.start_watcher(VOICES_DIR=str(_voices(deployment.data / "mid", "mid")))
    deployment.wait_until_done([spec])
    finished = deployment.queue.result(spec.request_id)
    assert finished is not None
    assert finished.lease_no > 1
    deployment.wait_for("published", deployment.output(spec).exists)
    before = deployment.output(spec).stat()
    outbox = deployment.data / "watchers" / "0" / "spool-1" / "outbox"
    deployment.wait_for("the zombie's worker is done too", lambda: list(outbox.iterdir()))

    zombie.send_signal(signal.SIGCONT)
    log = deployment.data / "watcher.log"
    deployment.wait_for("the zombie noticed", lambda: "lost" in log.read_text())

    assert deployment.queue.result(spec.request_id) == finished
    assert len(deployment.events("done")) == 1
    after = deployment.output(spec).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def _voices(folder: Path, preset: str) -> Path:
    voice = folder / "anchor" / "voice.yaml"
    voice.parent.mkdir(parents=True)
    fields = {"name": "anchor", "engine": "hibari", "language": "English", "builtin": preset}
    fields |= {"licence": "Apache-2.0", "consent": "Synthetic."}
    voice.write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    return folder


def test_sigterm_finishes_the_work_at_hand_and_hands_back_the_rest(deployment: Deployment) -> None:
    """W17: nothing is lost, no attempt is spent on what never began."""
    specs = beats(6, sentences=15)
    deployment.enqueue(specs)
    watcher = deployment.start_watcher()
    deployment.wait_for("one begun", lambda: deployment.events("begun"))

    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(timeout=60) == 0

    shot = deployment.queue.snapshot()
    assert shot.pending == 0
    assert shot.done >= 1
    assert shot.done + shot.waiting == len(specs)
    waiting = [
        r for r in deployment.queue.jobs([s.request_id for s in specs]) if r and r.state is JobState.WAITING
    ]
    assert all(record.attempt == 0 for record in waiting)
    assert deployment.queue.watchers() == []


def test_a_second_sigterm_hands_everything_back_now(deployment: Deployment) -> None:
    (spec,) = beats(1, sentences=800)
    deployment.enqueue([spec])
    watcher = deployment.start_watcher()
    deployment.wait_for("begun", lambda: deployment.events("begun"))

    watcher.send_signal(signal.SIGTERM)
    log = deployment.data / "watcher.log"
    deployment.wait_for("draining", lambda: "draining" in log.read_text())
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(timeout=30) == 0

    record = deployment.queue.job(spec.request_id)
    assert record is not None
    assert record.state is JobState.WAITING
    assert record.attempt - record.excused == 0


def test_a_job_that_kills_its_worker_twice_is_poison(deployment: Deployment) -> None:
    """Q35: terminal after two, with the evidence, and the worker goes on with the others."""
    bad, good = beats(1, sentences=800)[0], beats(2)[1]
    deployment.enqueue([bad])
    deployment.start_watcher()
    spool = SpoolClient(LocalFiles(deployment.data / "watchers" / "0" / "spool-1"))
    for kills in (1, 2):
        deployment.wait_for(
            "the bad job is at hand",
            lambda n=kills: (
                (b := spool.heartbeat()) is not None
                and any(e.startswith(f"{job_digest(bad.request_id)}.{n}-") for e in b.entries)
            ),  # type: ignore[misc]  # loop variable bound
        )
        os.kill(_worker_pid(deployment), signal.SIGKILL)
        deployment.wait_for(
            "blamed",
            lambda n=kills: (r := deployment.queue.job(bad.request_id)) is not None and r.poisoned >= n,  # type: ignore[misc]  # loop variable bound
        )
    deployment.enqueue([good])
    deployment.wait_until_done([good])

    finished = deployment.queue.result(bad.request_id)
    assert finished is not None
    assert finished.state is JobState.FAILED
    assert finished.error is not None
    assert finished.error["class"] == "poison"
    assert "SIGKILL" in finished.error["message"]


def test_bad_input_is_terminal_at_once(deployment: Deployment) -> None:
    (spec,) = beats(1, speaker="Nobody")
    deployment.enqueue([spec])
    deployment.start_watcher()

    deployment.wait_for("failed", lambda: deployment.queue.result(spec.request_id))

    finished = deployment.queue.result(spec.request_id)
    assert finished is not None
    assert finished.error is not None
    assert finished.error["class"] == "bad_input"
    assert "Nobody" in finished.error["message"]


def test_a_store_that_refuses_loses_nothing(deployment: Deployment) -> None:
    """W14: not acknowledged before it is stored; stored and acknowledged once the store is back."""
    specs = beats(2)
    store = deployment.data / "storage"
    store.parent.mkdir(parents=True)
    store.write_text("a file stands where the folder should be")
    deployment.enqueue(specs)
    deployment.start_watcher()
    log = deployment.data / "watcher.log"
    deployment.wait_for("refused", lambda: "not stored" in log.read_text())
    assert deployment.queue.snapshot().done == 0

    store.unlink()
    deployment.wait_until_done(specs)

    deployment.wait_for("published", lambda: all(deployment.output(spec).exists() for spec in specs))


def test_a_canceled_running_job_stops_and_writes_nothing(deployment: Deployment) -> None:
    (spec,) = beats(1, sentences=400)
    deployment.enqueue([spec])
    deployment.start_watcher()
    deployment.wait_for("begun", lambda: deployment.events("begun"))

    deployment.queue.cancel(spec.request_id)
    spool = SpoolClient(LocalFiles(deployment.data / "watchers" / "0" / "spool-1"))
    deployment.wait_for("spool empty", lambda: not spool.entries())

    assert not deployment.output(spec).exists()
    finished = deployment.queue.result(spec.request_id)
    assert finished is not None
    assert finished.state is JobState.CANCELED


def test_a_missing_published_file_of_a_job_done_before_the_crash_is_published_again(
    deployment: Deployment,
) -> None:
    (spec,) = beats(1)
    deployment.enqueue([spec])
    watcher = deployment.start_watcher()
    deployment.wait_until_done([spec])
    deployment.wait_for("published", deployment.output(spec).exists)
    watcher.send_signal(signal.SIGTERM)
    watcher.wait(timeout=30)
    deployment.output(spec).unlink()
    _write_journal_of_done_job(deployment, spec.request_id)

    deployment.start_watcher()

    deployment.wait_for("published again", deployment.output(spec).exists)


def _write_journal_of_done_job(deployment: Deployment, request_id: str) -> None:
    """What a watcher leaves that was killed between `complete` and publishing."""
    from lib.dispatch import LeaseJournal
    from lib.jobqueue import Lease

    finished = deployment.queue.result(request_id)
    assert finished is not None
    (spec,) = beats(1)
    lease = Lease(
        request_id=request_id,
        lease_no=finished.lease_no,
        token="gone-for-good",
        consumer="dead",
        spec=spec,
        attempt=1,
        expires_at=0.0,
        enqueued_at=0.0,
    )
    folder = deployment.data / "watchers" / "0" / "leases"
    entry = entry_name(request_id, finished.lease_no, lease_mark(lease.token))
    LeaseJournal(folder).write(entry, lease, "nowhere")


def _worker_pid(deployment: Deployment) -> int:
    deadline = time.monotonic() + 30
    lock = deployment.data / "watchers" / "0" / "spool-1" / "worker.lock"
    while time.monotonic() < deadline:
        text = lock.read_text().strip()
        if text and Path(f"/proc/{text}").exists():
            return int(text)
        time.sleep(0.01)
    raise AssertionError("no worker runs")


def _locked(path: Path) -> bool:
    import fcntl

    with path.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
