"""`job-watcher run` with PROVIDER=ssh: a real watcher, a real sshd, the real engine."""

from __future__ import annotations

import hashlib
import json
import signal
import time
import urllib.error
import urllib.request

import pytest

from lib.jobs.explain import Reason, explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobspec import normalize_job_spec
from lib.storage import FileStorage
from lib.voices.voice_store import NewVoice, add_voice
from tests.integration.fleet.conftest import FleetDeployment
from tests.integration.servers import free_port
from tests.integration.watcher.conftest import beats


@pytest.mark.soak  # the storm sees the same, in passing
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
        assert hashlib.sha256(audio).hexdigest() == done.takes[0].main.sha256
    fleet.wait_for("told", lambda: fleet.stages() == ["ready"])
    (line,) = fleet.listed()["machines"]
    assert (line["machine"], line["stage"], line["provider"]) == (machine.address, "ready", "ssh")

    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(30) == 0, fleet.log()
    fleet.wait_for("the shell of the closed connection ends", lambda: not machine.processes())
    assert not [name for name in machine.files() if "inbox" in name or "outbox" in name or "golden" in name]


@pytest.mark.soak
def test_a_voice_of_ones_own_is_spoken_on_the_machine_that_was_brought_it(fleet: FleetDeployment) -> None:
    """V5: the machine's own registry has none but those that come with the program."""
    add_voice(
        fleet.data / "voices",
        NewVoice("evening", "hibari", "English", "own", "Jo Doe agreed", builtin="deep"),
    )
    spec = normalize_job_spec({"output_name": "a", "text": "Good evening.", "voice": "evening"})
    fleet.enqueue([spec])
    fleet.start(VOICES_DIR=str(fleet.data / "voices"))

    fleet.wait_until_done([spec])

    finished = fleet.queue.result(spec.request_id)
    assert finished is not None
    assert finished.done() is not None, finished.failure()
    (brought,) = [
        name for name in fleet.machines[0].files() if name.endswith("voice.yaml") and "/spool/" in name
    ]
    assert brought.endswith("/voices/evening/voice.yaml")


def test_a_killed_watcher_is_followed_at_once_on_its_folder_and_nothing_is_spoken_twice(
    fleet: FleetDeployment,
) -> None:
    """W15: the lock of a leader that is certainly gone is not waited for; its work goes on where it is."""
    specs = beats(3, sentences=12)
    fleet.lease_ms = 60_000  # the lock's lease is 20 s then
    fleet.enqueue(specs)
    first = fleet.start()
    fleet.wait_for("begun", lambda: fleet.events("begun"))
    first.kill()
    first.wait()

    fleet.start()
    fleet.wait_for("leading", lambda: fleet.log().count("leading in epoch") == 2)
    fleet.wait_until_done(specs)

    adopted = fleet.events("adopted")
    assert adopted
    assert adopted[0].at - fleet.events("claimed")[0].at < 15.0
    for spec in specs:
        finished = fleet.queue.result(spec.request_id)
        assert finished is not None
        assert finished.attempt == 1


def test_a_standby_on_another_computer_takes_over_within_two_lease_times_and_a_woken_leader_does_nothing(
    fleet: FleetDeployment,
) -> None:
    """W15: the stopped leader makes no call to a machine and no write, the stand-by adopts what runs."""
    specs = beats(3, sentences=12)
    fleet.enqueue(specs)
    first = fleet.start("first")
    fleet.wait_for("begun", lambda: fleet.events("begun"))
    fleet.start("second")
    fleet.wait_for("standing by", lambda: "standing by" in fleet.log())
    assert len(fleet.listed()["standby"]) == 1

    first.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    fleet.wait_for("the other leads", lambda: fleet.log().count("leading in epoch") == 2)
    lock_lease_s = fleet.lease_ms / 3000
    assert time.monotonic() - stopped < 2 * lock_lease_s + 1.0
    fleet.wait_for("adopted", lambda: fleet.events("adopted"))
    first.send_signal(signal.SIGCONT)
    fleet.wait_for("stands by", lambda: "leading no more" in fleet.log())
    fleet.wait_until_done(specs)

    for spec in specs:
        finished = fleet.queue.result(spec.request_id)
        assert finished is not None
        assert finished.attempt == 1
    takers = {event.data["consumer"] for event in fleet.events("adopted")}
    assert len(takers) == 1
    assert len(fleet.events("done")) == len(specs)
    told = fleet.listed()  # at the end, where it takes no time from what is measured
    assert len(told["standby"]) == 1
    assert (told["leader"]["epoch"], told["leader"]["live"]) == (2, True)
    assert f"{told['leader']['owner']} leads in epoch 2" in fleet.command("status").stdout


@pytest.mark.soak
def test_the_jobs_of_a_machine_that_is_switched_off_go_to_the_other(pair: FleetDeployment) -> None:
    """The loss is told once, nothing is counted against the jobs, and it comes back by itself."""
    specs = beats(8, sentences=20)
    off = pair.machines[1]
    pair.enqueue(specs)
    pair.start()
    pair.wait_for("both work", lambda: f"for {off.address}/1" in pair.log())
    off.stop()

    pair.wait_until_done(specs)

    assert pair.log().count(f"{off.address} is left out") == 1
    for spec in specs:
        finished = pair.queue.result(spec.request_id)
        assert finished is not None
    out = next(line for line in pair.listed()["machines"] if line["machine"] == off.address)
    assert (out["stage"], out["reason"]) == ("out", "unreachable")
    off.start()
    pair.wait_for("back", lambda: pair.stages() == ["ready", "ready"])


def test_that_the_only_machine_is_out_is_said_by_all_who_are_asked(fleet: FleetDeployment) -> None:
    """Nothing moves then: `status`, `explain` and /readyz say so and why, and it goes on by itself."""
    (machine,) = fleet.machines
    machine.stop()
    (job,) = beats(1)
    fleet.enqueue([job])
    probes = f"127.0.0.1:{free_port()}"
    fleet.start(WATCHER_LISTEN=probes)
    fleet.wait_for("out", lambda: fleet.stages() == ["out"])

    said = f"{machine.address} refuses connections: start its SSH server"
    assert f"No machine of SSH_MACHINES can be used. {said}" in fleet.command("status").stdout
    told = explain(evidence_of(fleet.queue, FileStorage(fleet.data / "storage"), job.request_id))
    assert told.reason is Reason.NO_MACHINE
    assert said in told.sentence
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{probes}/readyz", timeout=10)
    assert refused.value.code == 503
    answer = json.loads(refused.value.read())
    assert (answer["role"], answer["phase"]) == ("leader", "working")
    assert said in answer["machines"]

    machine.start()
    fleet.wait_until_done([job])
    with urllib.request.urlopen(f"http://{probes}/readyz", timeout=10) as ready:
        assert json.load(ready)["machines"] == "ok"


@pytest.mark.soak
def test_an_idle_machine_is_doubted_at_once_and_out_soon_with_the_reason(fleet: FleetDeployment) -> None:
    """Nobody would notice before the next job came, and `machines` would go on to call it ready."""
    (machine,) = fleet.machines
    fleet.lease_ms = 600_000  # one with jobs would be waited for two minutes, longer than this test waits
    fleet.start()
    fleet.wait_for("ready", lambda: fleet.stages() == ["ready"])
    machine.stop()
    fleet.wait_for("doubted", lambda: fleet.listed()["machines"][0]["doubt"])
    fleet.wait_for("out", lambda: fleet.stages() == ["out"])
    assert fleet.listed()["machines"][0]["reason"] == "unreachable"

    machine.start()
    fleet.wait_for("ready again", lambda: fleet.stages() == ["ready"])
    machine.stop()
    machine.new_host_key()
    machine.start()
    fleet.wait_for("out for its key", lambda: fleet.stages() == ["out"])
    (line,) = fleet.listed()["machines"]
    assert line["reason"] == "host_key"
    assert line["sentence"].count("SHA256:") == 2
