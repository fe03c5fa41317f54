"""Work that a killed watcher left is taken over for the same work only, whatever became of the queue."""

from __future__ import annotations

import signal

from lib.jobqueue import JobState
from lib.jobs.admin import required_admin
from lib.spool import LocalFiles, Phase, SpoolClient
from tests.integration.watcher.conftest import Deployment, beats


def _left_finished(deployment: Deployment) -> SpoolClient:
    """A watcher is killed while its worker speaks; the worker finishes and leaves its audio in the outbox."""
    spool = SpoolClient(LocalFiles(deployment.data / "watchers" / "0" / "spool-1"))
    watcher = deployment.start_watcher()
    deployment.wait_for("job at the worker", lambda: Phase.WORK in spool.entries().values())
    watcher.send_signal(signal.SIGKILL)
    watcher.wait()
    deployment.wait_for("finished", lambda: list(spool.entries().values()) == [Phase.OUTBOX])
    return spool


def test_audio_left_for_a_job_is_not_given_to_another_text_of_the_same_id(deployment: Deployment) -> None:
    """The lease numbers of a flushed job begin anew, so its entry's number says nothing."""
    (before,) = beats(1, sentences=20)
    (after,) = beats(1, sentences=1)
    assert (before.request_id, before.text != after.text) == (after.request_id, True)
    deployment.enqueue([before])
    _left_finished(deployment)
    required_admin(deployment.queue).flush(hard=True, force=True)

    deployment.enqueue([after])
    deployment.start_watcher()
    deployment.wait_until_done([after])

    finished = deployment.queue.result(after.request_id)
    assert finished is not None
    done = finished.done()
    assert done is not None
    assert (finished.lease_no, done.record.characters) == (1, len(after.text))


def test_audio_left_for_a_job_is_taken_over_when_the_same_is_enqueued_again(deployment: Deployment) -> None:
    (spec,) = beats(1, sentences=20)
    deployment.enqueue([spec])
    _left_finished(deployment)
    required_admin(deployment.queue).flush(hard=True, force=True)

    deployment.enqueue([spec])
    deployment.start_watcher()
    deployment.wait_until_done([spec])

    record = deployment.queue.job(spec.request_id)
    assert record is not None
    assert record.state is JobState.DONE
    log = (deployment.data / "watchers" / "0" / "worker-1.log").read_text()
    assert "failed" not in log
    deployment.wait_for("published", deployment.output(spec).exists)


def test_a_job_claimed_by_a_watcher_that_was_killed_that_moment_waits_for_no_lease(
    deployment: Deployment,
) -> None:
    """Redis knows of the claim, the journal does not; the successor has the same folder."""
    deployment.lease_ms = 900_000
    (spec,) = beats(1)
    watcher = deployment.start_watcher()
    deployment.wait_for("registered", deployment.queue.watchers)
    (name,) = [seen.name for seen in deployment.queue.watchers()]
    signed = deployment.data / "watchers" / "0" / "leases" / "consumers"
    deployment.wait_for("ready to claim", lambda: signed.exists() and name in signed.read_text())
    watcher.send_signal(signal.SIGKILL)
    watcher.wait()
    deployment.enqueue([spec])
    assert deployment.queue.claim(name, lease_ms=deployment.lease_ms)

    deployment.start_watcher()

    deployment.wait_until_done([spec])
    record = deployment.queue.job(spec.request_id)
    assert record is not None
    assert (record.lease_no, record.attempt, record.lost) == (2, 1, 0)
