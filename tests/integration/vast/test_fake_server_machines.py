"""The fake Vast's machines: real SSH servers that run onstart in a folder they cannot leave. Fact 15."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from job_watcher.rehearsal.clock import RehearsalClock
from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer, Mishap
from job_watcher.rehearsal.vast.confinement import can_confine, marked, programs
from lib.errors import BadConfiguration
from tests.integration.sshd import make_key, need_sshd
from tests.integration.vast.fake_vast import client, refusal, rent

AT_ONCE = Conduct(null_s=0, created_s=0, loading_s=0, ssh_after_s=0)
OFFERS = tuple(HostOffer(number, conduct=AT_ONCE) for number in range(1, 31))
WITHOUT_GPU, WITH_ANOTHER = 101, 102
ODD_OFFERS = (
    HostOffer(WITHOUT_GPU, dph_base=9.0, conduct=replace(AT_ONCE, gpu_shown="")),
    HostOffer(WITH_ANOTHER, dph_base=9.0, conduct=replace(AT_ONCE, gpu_shown="RTX 3060")),
)


class Renter:
    """Somebody with a key who rents machines of a fake and logs in to them."""

    def __init__(self, folder: Path, confined: bool | None = None) -> None:
        self.folder = folder
        self.key = make_key(folder / "key")
        self.clock = RehearsalClock()
        self.vast = FakeVast(
            folder / "machines", clock=self.clock, offers=OFFERS + ODD_OFFERS, confined=confined
        )
        self.sdk = client(self.vast)
        self.sdk.create_ssh_key(self.key.with_suffix(".pub").read_text())

    def rent(self, onstart: str = "", **more: Any) -> int:
        """A machine that answers."""
        instance = rent(self.sdk, onstart_cmd=onstart, **more)
        assert self.vast.wait_for(lambda vast: vast.machine(instance).open_doors == (True, True))
        return instance

    def ssh(self, instance: int, command: str, *, proxy: bool = False) -> subprocess.CompletedProcess[str]:
        """Run something on it, found as a client finds it: by its row."""
        row = self.sdk.show_instance(instance)
        direct = row["public_ipaddr"].strip(), row["ports"]["22/tcp"][0]["HostPort"]
        host, port = (row["ssh_host"], str(row["ssh_port"])) if proxy else direct
        words = ["ssh", "-F", "none", "-i", str(self.key), "-p", port, f"{self.vast.ssh_user}@{host}"]
        options = ["BatchMode=yes", "StrictHostKeyChecking=no", f"UserKnownHostsFile={self.folder}/known"]
        words += [word for option in options for word in ("-o", option)]
        return subprocess.run(
            [*words, command], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
        )

    def says(self, instance: int, command: str) -> str:
        """What a program on it says."""
        done = self.ssh(instance, command)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def logged(self, instance: int, line: str) -> bool:
        """Whether its log has a line, or will have soon."""
        return self.vast.wait_for(lambda vast: f"{line}\n" in vast.machine(instance).log())


@pytest.fixture(scope="module")
def renter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renter]:
    need_sshd()
    found = Renter(tmp_path_factory.mktemp("rented"))
    yield found
    found.vast.close()


@pytest.fixture(scope="module")
def machine(renter: Renter) -> int:
    """A machine for tests that do it no harm."""
    return renter.rent("echo begun $CONTAINER_ID; echo out >~/from-onstart; echo done", env={"A": "b c"})


def test_15_the_direct_way_and_the_proxys_lead_to_it(renter: Renter, machine: int) -> None:
    for proxy in (False, True):
        done = renter.ssh(machine, "cat from-onstart", proxy=proxy)
        assert (done.returncode, done.stdout) == (0, "out\n")
        assert "Welcome to vast.ai" in done.stderr


def test_15_its_ports_are_its_own_and_each_can_be_broken_alone(renter: Renter) -> None:
    instance = renter.rent()
    renter.vast.befall(instance, Mishap.DIRECT_DEAD)
    assert "refused" in renter.ssh(instance, "true").stderr
    assert renter.ssh(instance, "true", proxy=True).returncode == 0
    renter.vast.befall(instance, Mishap.SSH_BACK)
    renter.vast.befall(instance, Mishap.PROXY_DEAD)
    assert renter.ssh(instance, "true").returncode == 0
    assert "refused" in renter.ssh(instance, "true", proxy=True).stderr
    renter.vast.befall(instance, Mishap.SSH_DEAD)
    assert renter.sdk.show_instance(instance)["actual_status"] == "running"
    assert "refused" in renter.ssh(instance, "true").stderr


def test_15_ssh_answers_some_time_after_it_runs(tmp_path: Path) -> None:
    need_sshd()
    late = HostOffer(1, conduct=Conduct(null_s=0, created_s=0, loading_s=0, ssh_after_s=600))
    with FakeVast(tmp_path / "machines", offers=[late]) as vast:
        sdk = client(vast)
        instance = rent(sdk)
        assert vast.wait_for(lambda fake: fake.machine(instance).is_ready)
        assert sdk.show_instance(instance)["ports"]
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", vast.machine(instance).ports[0]))


def test_15_onstart_has_the_environment_and_sessions_have_it_not(renter: Renter, machine: int) -> None:
    key = renter.vast.instances()[0].key
    instance = renter.rent('echo "A is $A, $CONTAINER_ID, $CONTAINER_API_KEY, $SHOWN"', env={"A": "b c"})
    assert renter.logged(instance, f"A is b c, {instance}, {renter.vast.instances()[-1].key}, ")
    if renter.vast.machine(instance).is_confined:  # as in a container, whose first process has it too
        first = renter.says(instance, "tr '\\0' '\\n' </proc/1/environ")
        assert f"CONTAINER_ID={instance}" in first.split("\n")
    seen = renter.says(machine, "env")
    assert not any(word in seen for word in (key, "CONTAINER_ID", "A=b", renter.vast.api_key))


def test_15_nothing_of_who_runs_the_rehearsal_is_on_it(renter: Renter, machine: int) -> None:
    seen = renter.says(machine, "env; cat $HOME/../environment")
    assert "PYTEST_CURRENT_TEST" not in seen
    home = str(renter.vast.machine(machine).home)
    assert renter.says(machine, "echo $HOME; pwd; echo ~").split("\n") == [home] * 3
    assert renter.says(machine, "mktemp").startswith(str(renter.vast.machine(machine).folder))


def test_15_a_secret_is_found_wherever_it_stands_on_a_machine(renter: Renter) -> None:
    script = "sh -c 'sleep 4000; : s3cr3t-c' & echo s3cr3t-d >~/kept; echo told"
    if can_confine():  # elsewhere nothing would end it
        script = f"env -i B=s3cr3t-b sleep 4000 & {script}"
    instance = renter.rent(script, env={"A": "s3cr3t-a"})
    found = renter.vast.machine(instance)
    assert renter.logged(instance, "told")
    assert "home/kept" in found.find("s3cr3t-d")
    assert "environment" in found.find("s3cr3t-a")
    until(lambda: any(place.startswith("cmdline of process") for place in found.find("s3cr3t-c")))
    if found.is_confined:
        until(lambda: any(place.startswith("environ of process") for place in found.find("s3cr3t-b")))
    assert found.find(renter.vast.api_key) == []


def test_15_files_are_brought_to_its_home(renter: Renter, machine: int) -> None:
    port = str(renter.vast.machine(machine).ports[1])
    words = ["sftp", "-q", "-F", "none", "-i", str(renter.key), "-P", port, "-o", "StrictHostKeyChecking=no"]
    words += ["-o", f"UserKnownHostsFile={renter.folder}/known", f"{getpass.getuser()}@127.0.0.1"]
    done = subprocess.run(words, input=f"put {renter.key}.pub brought\npwd\n", capture_output=True, text=True)
    assert f"directory: {renter.vast.machine(machine).home}" in done.stdout
    assert renter.says(machine, "cat brought") == Path(f"{renter.key}.pub").read_text().strip()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--query-gpu=name,memory.total --format=csv,noheader,nounits", "NVIDIA RTX 4090, 24564"),
        ("--query-gpu=driver_version,compute_cap --format=csv,noheader", "570.86.15, 8.9"),
        ("-L", "GPU 0: NVIDIA RTX 4090 (UUID: GPU-00000000-0000-0000-0000-000000000000)"),
    ],
)
def test_15_it_shows_the_gpu_that_was_offered(renter: Renter, machine: int, words: str, said: str) -> None:
    assert renter.says(machine, f"nvidia-smi {words}") == said


def test_15_it_may_lose_its_gpu_or_never_have_had_it(renter: Renter) -> None:
    instance = renter.rent()
    renter.vast.befall(instance, Mishap.GPU_GONE)
    assert renter.ssh(instance, "nvidia-smi -L").returncode == 9
    never = renter.rent(ask=renter.vast.market.ask_of(WITHOUT_GPU))
    assert renter.ssh(never, "nvidia-smi -L").returncode == 9
    other = renter.rent(ask=renter.vast.market.ask_of(WITH_ANOTHER))
    assert "RTX 3060" in renter.says(other, "nvidia-smi -L")


def test_15_its_log_is_fetched_from_an_address_when_it_is_there(renter: Renter, machine: int) -> None:
    assert renter.logged(machine, "done")
    assert renter.sdk.logs(instance_id=machine) == f"begun {machine}\ndone\n"
    assert renter.sdk.logs(instance_id=machine, tail="1") == "done\n"
    assert "running: success" in renter.sdk.logs(instance_id=machine, daemon_logs=True)
    assert len(renter.vast.journal.entries("result")) >= 9  # twice not there, then there
    assert [entry.key for entry in renter.vast.journal.entries("result")][:1] == ["nobody"]


def test_15_a_few_programs_run_without_ssh(renter: Renter, machine: int) -> None:
    assert "from-onstart" in renter.sdk.execute(machine, "ls -a")
    for command in ("cat from-onstart", "ls /etc", "rm ../log", "ls " + "x" * 600):
        assert refusal(renter.sdk.execute, machine, command)[1]["error"] == "invalid_args"


def test_15_its_host_key_is_its_own_and_onstart_can_say_it(renter: Renter, machine: int) -> None:
    other = renter.rent('cut -d" " -f1,2 "$SSH_HOST_KEY_DIR"/ssh_host_ed25519_key.pub')
    first, second = renter.vast.machine(machine).host_key, renter.vast.machine(other).host_key
    assert first != second
    assert renter.logged(other, second)
    port = renter.vast.machine(other).ports[0]
    scan = subprocess.run(["ssh-keyscan", "-p", str(port), "127.0.0.1"], capture_output=True, text=True)
    assert second in scan.stdout


def test_15_keys_that_only_onstart_knew_are_gone_when_vast_writes_them_anew(renter: Renter) -> None:
    own = make_key(renter.folder / f"own-{time.monotonic_ns()}")
    instance = renter.rent(f'echo "{own.with_suffix(".pub").read_text().strip()}" >>~/.ssh/authorized_keys')
    keys = renter.vast.machine(instance).home / ".ssh/authorized_keys"
    assert renter.vast.wait_for(lambda _: len(keys.read_text().splitlines()) == 2)
    renter.sdk.attach_ssh(instance, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0 attached")
    assert len(keys.read_text().splitlines()) == 3
    renter.vast.befall(instance, Mishap.KEYS_LOST)
    assert "Permission denied" in renter.ssh(instance, "true").stderr
    renter.vast.befall(instance, Mishap.KEYS_REFRESHED)
    assert [line.split()[2] for line in keys.read_text().splitlines()] == ["test", "attached"]


# What a script may do by mistake, each so that it does no harm where a wall has a hole.
HARM = r"""
tried() {{ "$@" && echo "could $1"; }}
for each in / /etc /var/tmp "{outside}" /proc/sys/vm/drop_caches; do tried test -w "$each"; done
tried touch "{outside}/written"
tried date -s "@$(date +%s)"
tried kill -0 {victim}
tried mount -o remount,rw /
tried mknod "$HOME/disk" b 8 0
setsid sleep {nap} & env -i sleep {nap} & nohup sh -c 'while :; do sleep 1; done' &
tried touch "$HOME/written" "$TMPDIR/written"
echo finished
"""


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this computer that is none of a machine's."""
    process = subprocess.Popen(["sleep", "5000"])
    yield process
    process.kill()
    process.wait()


def test_15_nothing_outside_its_folder_changes_and_all_of_it_ends(
    renter: Renter, tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    if not can_confine():
        pytest.skip("machines cannot be confined here: this computer allows no namespaces")
    nap = str(secrets.randbelow(10**9) + 10**9)  # by it they are told from those of other tests
    instance = renter.rent(HARM.format(outside=tmp_path, victim=bystander.pid, nap=nap))
    assert renter.logged(instance, "finished")
    found = renter.vast.machine(instance)
    assert (found.home / "written").exists()
    assert [line for line in found.log().splitlines() if line.startswith("could")] == ["could touch"]
    assert list(tmp_path.iterdir()) == []
    until(lambda: len(list(sleepers(nap))) == 2)
    renter.sdk.destroy_instance(instance)
    assert list(sleepers(nap)) == []
    assert renter.vast.wait_for(lambda _: not found.folder.exists())


def sleepers(nap: str) -> Iterator[int]:
    """The processes of this computer that sleep for so many seconds, whatever else they have of a machine."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if line == f"sleep\0{nap}\0".encode():
                yield int(entry.name)


def test_15_unconfined_it_still_ends_whatever_carries_its_mark(tmp_path: Path) -> None:
    need_sshd()
    renter = Renter(tmp_path, confined=False)
    with renter.vast as vast:
        instance = renter.rent("setsid sleep 4000 & nohup sleep 4001 & echo finished")
        assert renter.logged(instance, "finished")
        found = vast.machine(instance)
        until(lambda: len(found.processes()) == 3)
        if os.geteuid() != 0:
            assert renter.says(instance, "pwd") == str(found.home)
        renter.sdk.stop_instance(instance)
        assert found.processes() == []
        assert found.folder.exists()


def test_15_a_stop_keeps_its_files_and_a_start_runs_onstart_again(renter: Renter) -> None:
    instance = renter.rent("echo again >>~/starts; echo started")
    assert renter.logged(instance, "started")
    renter.vast.befall(instance, Mishap.OUTBID)
    with pytest.raises(AssertionError):
        renter.says(instance, "true")
    renter.vast.account.lifecycle.lags.exited_after_s = 0.0
    renter.vast.befall(instance, Mishap.RESUME)
    renter.clock.advance(6)
    assert renter.vast.wait_for(lambda vast: vast.machine(instance).open_doors == (True, True))
    assert renter.vast.wait_for(lambda _: renter.says(instance, "cat starts").split() == ["again", "again"])


def test_15_an_offline_host_goes_on_with_its_work_and_nobody_reaches_it(renter: Renter) -> None:
    instance = renter.rent("sleep 4000")
    renter.vast.befall(instance, Mishap.OFFLINE)
    assert renter.vast.machine(instance).is_running
    assert renter.vast.machine(instance).open_doors == (False, False)
    renter.vast.befall(instance, Mishap.ONLINE)
    assert renter.vast.wait_for(lambda vast: vast.machine(instance).open_doors == (True, True))


def test_15_connections_can_be_cut(renter: Renter, machine: int) -> None:
    def cut(vast: FakeVast) -> bool:
        return (vast.machine(machine).home / "connected").exists()

    port = str(renter.vast.machine(machine).ports[0])
    words = ["ssh", "-F", "none", "-i", str(renter.key), "-p", port, "-o", "StrictHostKeyChecking=no"]
    words += ["-o", f"UserKnownHostsFile={renter.folder}/known", f"{renter.vast.ssh_user}@127.0.0.1"]
    with subprocess.Popen([*words, "touch connected; sleep 4000"], stderr=subprocess.DEVNULL) as session:
        assert renter.vast.wait_for(cut)
        renter.vast.befall(machine, Mishap.CUT)
        assert session.wait(10) == 255
    assert renter.says(machine, "echo here") == "here"


ALONE = """
import sys
from pathlib import Path
from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer
from job_watcher.rehearsal.vast.machines import MachineOrder, RehearsalMachine
machine = RehearsalMachine(MachineOrder(Path(sys.argv[1]), "sleep 4000", {}), list)
machine.start()
print(machine.mark, flush=True)
sys.stdin.read()
"""


def test_15_when_the_fake_is_killed_its_machines_end(tmp_path: Path) -> None:
    need_sshd()
    words = [sys.executable, "-c", textwrap.dedent(ALONE), str(tmp_path / "machine")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as fake:
        assert fake.stdout is not None
        mark = fake.stdout.readline().strip()
        until(lambda: len(marked(mark)) >= 2)
        fake.kill()
    until(lambda: marked(mark) == [])


def until(condition: Any) -> None:
    """Wait for something that nobody tells."""
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_computer_without_sshd_is_told_in_one_sentence() -> None:
    with pytest.raises(BadConfiguration, match="apt install openssh-server") as caught:
        programs(sshd_at=(), sftp_at=())
    assert "\n" not in caught.value.message
