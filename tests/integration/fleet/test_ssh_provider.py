"""`job-watcher run` with PROVIDER=ssh: a real watcher, a real sshd, the real engine."""

from __future__ import annotations

import hashlib
import signal

from tests.integration.fleet.conftest import FleetDeployment
from tests.integration.watcher.conftest import beats


def test_jobs_are_spoken_on_the_machine_and_nothing_is_left_there(fleet: FleetDeployment) -> None:
    """W2, W12, W17: start to end, then a drain that leaves no process and no file of a job."""
    (machine,) = fleet.machines
    specs = beats(4)
    fleet.enqueue(specs)
    watcher = fleet.start()

    fleet.wait_until_done(specs)

    for spec in specs:
        fleet.wait_for("published", fleet.output(spec).exists)
        finished = fleet.queue.result(spec.request_id)
        assert finished is not None
        done = finished.done()
        assert done is not None
        assert done.provider == "ssh"
        audio = fleet.output(spec).read_bytes()
        assert hashlib.sha256(audio).hexdigest() == done.takes[0].audio.sha256
    fleet.wait_for("told", lambda: fleet.stages() == ["ready"])
    (line,) = fleet.listed()["machines"]
    assert (line["machine"], line["stage"], line["provider"]) == (machine.address, "ready", "ssh")

    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(30) == 0, fleet.log()
    print(fleet.log())
    assert machine.processes() == []
    assert not [name for name in machine.files() if "inbox" in name or "outbox" in name or "golden" in name]
