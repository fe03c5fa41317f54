"""What a rented machine does at its start, on a real SSH machine of the fake."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer, Mishap
from lib.clock import SystemClock
from lib.errors import BadConfiguration
from lib.providers.rental import BootPlan, Endpoint, PassingTrouble
from lib.providers.vast.onstart import ENDING_FILE, LEASE_FILE, NONCE_FILE, host_keys_in
from tests.integration.vast.adapter import provider_of, rented
from tests.integration.vast.switches import NONCE

QUICK = Conduct(null_s=0.1, created_s=0.1, loading_s=0.1, ssh_after_s=0.0)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", str(file)], check=True)
    return file


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[FakeVast]:
    try:
        fake = FakeVast(tmp_path / "vast", clock=SystemClock(), offers=[HostOffer(1, conduct=QUICK)])
    except BadConfiguration as error:
        pytest.skip(error.message)
    with fake:
        yield fake


def plan_of(key: Path, **times: int) -> BootPlan:
    return BootPlan(key.with_suffix(".pub").read_text().strip(), NONCE, **times)


def over_ssh(vast: FakeVast, endpoint: Endpoint, key: Path, host_key: str, command: str) -> str:
    known = key.with_name("known_hosts")
    known.write_text(f"[{endpoint.host}]:{endpoint.port} {host_key}\n")
    words = ["ssh", "-F", "none", "-i", str(key), "-p", str(endpoint.port)]
    words += ["-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
    words += [f"{vast.ssh_user}@{endpoint.host}", command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_lets_us_in_by_both_ways_says_who_it_is_and_goes_when_its_lease_ends(
    machines: FakeVast, key: Path
) -> None:
    provider = provider_of(machines, plan=plan_of(key, lease_s=6, nobody_s=60))
    instance = rented(provider, machines)
    machine = machines.machine(int(instance))
    assert machines.wait_for(lambda _: all(machine.open_doors) and "host-key" in machine.log())
    shown = provider.show(instance)
    assert shown is not None
    assert [endpoint.direct for endpoint in shown.endpoints] == [True, False]

    keys = host_keys_in(provider.logs(instance), NONCE)
    assert keys == (machine.host_key,)
    for endpoint in shown.endpoints:
        assert over_ssh(machines, endpoint, key, keys[0], f"cat {NONCE_FILE}") == NONCE
    words = f"cat {ENDING_FILE} 2>/dev/null; env"
    seen = over_ssh(machines, shown.endpoints[0], key, keys[0], words)
    assert machines.api_key not in seen
    assert machines.api_key not in machine.execute(["grep", "-r", machines.api_key, "."])
    # its lease begins here, and is short: whatever is looked at on it was looked at before
    for number, endpoint in enumerate(shown.endpoints):
        over_ssh(machines, endpoint, key, keys[0], f"echo {number} >{LEASE_FILE}")
    assert machines.wait_for(lambda vast: not vast.living(), 30.0)  # the watcher is gone for good
    (entry,) = [entry for entry in machines.journal.entries("destroy") if entry.status == 200]
    assert entry.key == f"instance {instance}"


def test_it_lets_us_in_after_vast_wrote_its_keys_anew(machines: FakeVast, key: Path) -> None:
    provider = provider_of(machines, plan=plan_of(key, lease_s=6, nobody_s=60))
    instance = rented(provider, machines)
    machine = machines.machine(int(instance))
    file = machine.home / ".ssh/authorized_keys"
    public = key.with_suffix(".pub").read_text().strip()
    assert machines.wait_for(lambda _: file.exists() and public in file.read_text())
    machines.befall(int(instance), Mishap.KEYS_REFRESHED)
    assert machines.wait_for(lambda _: public in file.read_text())


def test_a_log_that_is_not_collected_is_a_passing_trouble(machines: FakeVast, key: Path) -> None:
    provider = provider_of(machines, plan=plan_of(key, lease_s=60, nobody_s=60))
    instance = rented(provider, machines)
    machines.account.results.misses = 10**6
    with pytest.raises(PassingTrouble, match="not collected in time"):
        provider.logs(instance, patience_s=1.0)


def test_only_the_machine_of_that_nonce_tells_its_key() -> None:
    log = (
        "2026-11-29T10:00:00Z job-runner-host-key nonce-12345 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 root@x\n"
        "job-runner-host-key other-nonce ssh-ed25519 BBBBC3NzaC1lZDI1NTE5AA\n"
        "job-runner-host-key nonce-12345 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 root@x\n"
        "job-runner-host-key nonce-12345 ssh-rsa short\n"
    )
    assert host_keys_in(log, "nonce-12345") == ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",)
    assert host_keys_in(log, ".*") == ()
