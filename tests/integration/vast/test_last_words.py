"""What a machine finished is not lost with the watcher: it says so before it ends itself (W7, W13)."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from pathlib import Path

import pytest

from job_watcher.rehearsal.vast.machines import RehearsalMachine
from lib.jobqueue import JobState
from lib.providers.vast.onstart import LAST_WORDS_FILE
from tests.integration.vast.rented import RentingDeployment, market, renting
from tests.integration.watcher.conftest import beats
from tests.s3_servers import ACCESS, BUCKET, S3Server
from tests.warm.process import WarmProcess

__all__ = ["market", "renting"]


def shorten_its_lease(machine: RehearsalMachine, seconds: int) -> None:
    """Have it wait only so long for who renews its lease: the switch is started anew after a kill."""
    script = machine.home / ".job-runner/dead-man"
    lines = script.read_text().splitlines()
    kept = [f"lease_s={seconds}" if line.startswith("lease_s=") else line for line in lines]
    script.write_text("\n".join("tick_s=1" if line.startswith("tick_s=") else line for line in kept) + "\n")
    for pid in machine.processes():
        with contextlib.suppress(OSError):
            if b"dead-man\0watch" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


class Bucket:
    """A prefix of its own, with what a watcher needs to use it."""

    def __init__(self, server: S3Server, folder: Path) -> None:
        self._client, self._prefix = server.client(), f"words/{secrets.token_hex(8)}"
        secret = folder / "secret"
        secret.write_text(ACCESS.secret or "")
        secret.chmod(0o600)
        self.settings = {
            "STORAGE_URL": server.url(self._prefix),
            "AWS_ACCESS_KEY_ID": ACCESS.key_id or "",
            "AWS_SECRET_ACCESS_KEY_FILE": str(secret),
        }

    def below(self, folder: str) -> dict[str, bytes]:
        prefix = f"{self._prefix}/{folder}/"
        found = self._client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            key.removeprefix(prefix): self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            for key in (item["Key"] for item in found)
        }


@pytest.fixture
def bucket(seaweed: S3Server, tmp_path: Path) -> Bucket:
    return Bucket(seaweed, tmp_path)


def kill(renting: RentingDeployment, watcher: WarmProcess) -> None:
    watcher.kill()
    watcher.wait()
    renting.processes.remove(watcher)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_what_was_spoken_is_not_spoken_again_though_watcher_and_machine_are_gone(
    renting: RentingDeployment, bucket: Bucket
) -> None:
    """A real SSH machine, a real store; the watcher is killed while the machine speaks."""
    (spec,) = specs = beats(1, sentences=30)
    first = renting.start(**bucket.settings)
    renting.enqueue(specs)
    renting.wait_for("the work begun", lambda: renting.events("begun"))
    (instance,) = renting.fake.instances()
    machine = renting.fake.machine(instance.id)
    words = machine.home / LAST_WORDS_FILE
    urls = words.with_name("last-words.urls")
    renting.wait_for(
        "what its last words need", lambda: words.exists() and urls.exists() and urls.read_text()
    )
    kill(renting, first)

    def finished() -> bool:
        return any(machine.home.rglob("outbox/*/result.json"))

    renting.wait_for("the audio finished", finished)
    assert bucket.below("incoming") == {}
    assert urls.stat().st_mode & 0o777 == 0o600
    assert words.stat().st_mode & 0o777 == 0o700
    assert ACCESS.secret
    assert not machine.find(ACCESS.secret)
    shorten_its_lease(machine, 3)
    renting.wait_for("the machine gone", lambda: not renting.fake.living())
    said = bucket.below("incoming")
    assert sorted(name.rpartition("/")[2] for name in said) == [
        "audio.peaks.json",
        "audio.wav",
        "result.json",
    ]

    second = renting.start(**bucket.settings)
    renting.wait_until_done(specs)
    renting.wait_for("nothing left over", lambda: not bucket.below("incoming"))
    kill(renting, second)

    assert len(renting.fake.instances()) == 1  # nobody was rented who could have spoken it again
    (audio,) = [data for name, data in said.items() if name.endswith("audio.wav")]
    assert audio in bucket.below("outputs").values()
    record = renting.queue.job(spec.request_id)
    assert record is not None
    assert record.state is JobState.DONE
