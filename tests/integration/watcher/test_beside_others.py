"""What people do to a queue while a real watcher works on it: cancel, reconcile."""

from __future__ import annotations

from lib.findings import Finding
from lib.jobqueue import JobState
from lib.jobs.reconcile import reconcile
from lib.storage import FileStorage
from tests.integration.watcher.conftest import Deployment, beats


def test_jobs_canceled_before_they_begin_make_room_for_others_at_once(deployment: Deployment) -> None:
    """Long before the leases are renewed, and while the first job keeps the only worker busy."""
    deployment.lease_ms = 900_000
    first, *waiting = beats(4, sentences=2000)
    (other,) = beats(1, output_name="other")
    deployment.enqueue([first, *waiting])
    deployment.start_watcher()
    deployment.wait_for("begun", lambda: deployment.events("begun"))
    deployment.wait_for("all claimed", lambda: len(deployment.events("claimed")) == 4)
    deployment.enqueue([other])

    for spec in waiting:
        deployment.queue.cancel(spec.request_id)

    deployment.wait_for("room", lambda: len(deployment.events("claimed")) == 5)
    assert [event.request_id for event in deployment.events("begun")] == [first.request_id]
    (record,) = deployment.queue.jobs([first.request_id])
    assert record is not None
    assert record.state is JobState.RUNNING
    deployment.queue.cancel(first.request_id)  # found at once, too: the worker goes on to the other
    deployment.wait_until_done([other])


def test_reconciling_beside_a_working_watcher_finds_nothing_and_undoes_nothing(
    deployment: Deployment,
) -> None:
    specs = beats(25)
    deployment.enqueue(specs)
    deployment.start_watcher()
    storage = FileStorage(deployment.data / "storage")
    found: list[Finding] = []

    def look() -> bool:
        found.extend(reconcile(deployment.queue, storage, apply=True).findings)
        return bool(found) or deployment.queue.snapshot().done == len(specs)

    deployment.wait_for("an end", look)

    assert found == []
    deployment.wait_for("published", lambda: all(deployment.output(spec).exists() for spec in specs))
    assert {event.data["lease_no"] for event in deployment.events("claimed")} == {1}
    assert len(deployment.events("done")) == len(specs)
