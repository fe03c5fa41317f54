"""W11: a machine that fails one gate gets no job; the code says which gate, the sentence what to do."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from job_watcher.providers.over_ssh.bootstrap import Bootstrap, reason_of
from job_watcher.providers.over_ssh.health import HealthCheck
from job_watcher.providers.over_ssh.machine_spec import MachineSpec
from job_watcher.providers.over_ssh.ports import MachineOut
from job_watcher.providers.over_ssh.preparation import SshPreparation
from job_watcher.providers.over_ssh.remote import RemoteMachine, worker_folder
from lib.bundle import BundleMaker
from lib.clock import SystemClock
from lib.errors import JobRunnerError
from lib.workers.ssh import KnownHosts, SshAddress, SshHost, SshMachine, SshThread, SshWorkerSetup
from tests.integration.fleet.conftest import FleetDeployment
from tests.integration.fleet.machine import LoopbackMachine
from tests.integration.fleet.slow_link import SlowLink
from tests.integration.ssh.test_commands import eventually
from tests.integration.watcher.conftest import beats

NOISE = f"""PYTHONPATH={Path(__file__).parents[3]} exec {sys.executable} - "$@" <<'END'
import random, sys, wave
from synth.main import main
from synth.worker.jobs import JobSpeaker
def noise(self, text, out):
    with wave.open(str(out) + ".wav", "wb") as audio:
        audio.setparams((1, 2, 24000, 0, "NONE", ""))
        loud = (random.randint(-9000, 9000) for _ in range(96000))
        audio.writeframes(b"".join(value.to_bytes(2, "little", signed=True) for value in loud))
    return out.with_name(out.name + ".wav")
JobSpeaker.sample = noise
main()
END"""


@pytest.fixture
def thread() -> Iterator[SshThread]:
    with SshThread() as made:
        yield made


class Gates:
    """The gates of one machine, as its keeper has it pass them. Its worker is ended afterwards."""

    def __init__(self, thread: SshThread, folder: Path) -> None:
        self._thread, self._folder = thread, folder

    def link(self, machine: LoopbackMachine, place: str | None = None) -> RemoteMachine:
        """The way to a machine."""
        known = KnownHosts(self._folder / "known_hosts")
        address = SshAddress.read(place or machine.address)
        way = SshMachine(self._thread, address, key_file=machine.key_file, known_hosts=known)
        return RemoteMachine(way, a_host, lambda: True, mark="mine")

    def failed(self, machine: LoopbackMachine, *, workers: str = "", port: int = 0) -> tuple[str, str]:
        """Code and sentence of the gate that a machine does not pass; ("", "") where it passes all."""
        place = machine.address if not port else f"{machine.user}@127.0.0.1:{port}"
        spec = MachineSpec.read(place + workers)
        remote = self.link(machine, place)
        bootstrap = Bootstrap(BundleMaker(self._folder / "bundles", ""))
        preparation = SshPreparation(
            spec, bootstrap, engine="hibari", program=str(machine.shims / "voice-synth")
        )
        try:
            remote.connect()
            preparation.prepare(remote, lambda stage: None)
            preparation.check(remote)
        except MachineOut as out:
            return out.reason, out.sentence
        except JobRunnerError as error:
            return reason_of(error), error.message
        finally:
            with contextlib.suppress(JobRunnerError):
                remote.end_surplus(0, str(machine.home))
            remote.close()
        return "", ""


def a_host(machine: SshMachine, number: int, program: str, home: str) -> SshHost:
    """A worker that nobody starts."""
    folder = worker_folder(home, "mine", number)
    setup = SshWorkerSetup((program or "sleep",), folder, "hibari", f"{home}/voices", SystemClock())
    return SshHost("unused", machine, setup)


@pytest.fixture
def gates(thread: SshThread, tmp_path: Path, machine: LoopbackMachine) -> Gates:
    machine.voice_synth()
    return Gates(thread, tmp_path)


def test_a_sound_machine_passes_all(gates: Gates, machine: LoopbackMachine) -> None:
    machine.shim("nvidia-smi", "echo 'NVIDIA Test, 24576'")
    assert gates.failed(machine, workers="*gpu") == ("", "")
    assert _samples(machine) == []


def test_one_that_is_off(gates: Gates, machine: LoopbackMachine) -> None:
    machine.stop()
    reason, sentence = gates.failed(machine)
    assert reason == "unreachable"
    assert machine.address in sentence


def test_one_with_another_host_key_than_before(gates: Gates, machine: LoopbackMachine) -> None:
    assert gates.failed(machine, workers="*gpu")[0] == "gpu"  # known from here on
    machine.stop()
    machine.new_host_key()
    machine.start()
    reason, sentence = gates.failed(machine)
    assert reason == "host_key"
    assert sentence.count("SHA256:") == 2


def test_one_that_does_not_answer_with_what_it_is_asked(gates: Gates, machine: LoopbackMachine) -> None:
    machine.shim("cat", 'echo Welcome; exec /bin/cat "$@"')
    assert gates.failed(machine)[0] == "nonce"


@pytest.mark.parametrize("script", ["echo 'No devices were found'; exit 6", "echo '[N/A], [N/A]'"])
def test_one_whose_gpu_is_gone(gates: Gates, machine: LoopbackMachine, script: str) -> None:
    machine.shim("nvidia-smi", script)
    reason, sentence = gates.failed(machine, workers="*gpu")
    assert reason == "gpu"
    assert "driver" in sentence


def test_one_with_a_full_disk(gates: Gates, machine: LoopbackMachine) -> None:
    machine.shim(
        "df", 'printf "Filesystem 1024-blocks Used Available Capacity Mounted on\\n/dev/x 100 99 1 99%% /\\n"'
    )
    reason, sentence = gates.failed(machine)
    assert reason == "disk"
    assert "make room" in sentence


def test_one_at_the_end_of_a_slow_link(gates: Gates, machine: LoopbackMachine) -> None:
    with SlowLink(machine.port, bytes_per_s=55_000) as link:
        reason, sentence = gates.failed(machine, port=link.port)
    assert reason == "bandwidth"
    assert "kB a second" in sentence


def test_one_where_not_all_comes_that_is_sent(gates: Gates, machine: LoopbackMachine) -> None:
    machine.shim("wc", "echo 0")
    assert gates.failed(machine)[0] == "bandwidth"


def test_one_whose_words_would_move_a_terminals_cursor(gates: Gates, machine: LoopbackMachine) -> None:
    machine.shim("voice-synth", "printf 'no \\033[2Jmodel' >&2; exit 78")
    reason, sentence = gates.failed(machine)
    assert reason == "engine"
    assert "no ?[2Jmodel" in sentence


def test_one_whose_engine_does_not_load(gates: Gates, machine: LoopbackMachine) -> None:
    machine.shim("voice-synth", "echo 'error: the model cannot be read' >&2; exit 78")
    reason, sentence = gates.failed(machine)
    assert reason == "engine"
    assert "the model cannot be read" in sentence


def test_one_whose_engine_speaks_noise(gates: Gates, machine: LoopbackMachine) -> None:
    machine.shim("voice-synth", NOISE)
    assert gates.failed(machine) == (
        "golden",
        f"{machine.address}: its engine speaks garbled audio: it is noise.",
    )
    assert _samples(machine) == []


def test_a_check_whose_connection_is_lost_ends_there(gates: Gates, machine: LoopbackMachine) -> None:
    """Nobody would hear of it, and each connection that is lost would leave one more that looks for ever."""
    machine.shim("silent", "exec sleep 600")
    remote = gates.link(machine)
    folder = remote.begin_workers(1, str(machine.shims / "silent"), str(machine.home))
    check = threading.Thread(target=lambda: _let_speak(remote, folder))
    check.start()
    assert eventually(lambda: any(name.endswith(".ask") for name in _samples(machine)))

    remote.close()
    check.join()

    assert eventually(lambda: not _samples(machine))
    again = gates.link(machine)
    again.end_surplus(0, str(machine.home))
    again.close()


def _let_speak(remote: RemoteMachine, folders: list[str]) -> None:
    with contextlib.suppress(JobRunnerError, MachineOut):
        HealthCheck(remote).speaks(lambda: folders)


def test_a_machine_that_fails_gets_no_job_and_is_tried_again(pair: FleetDeployment) -> None:
    """Its reason is in `machines --json`; mended, it comes back by itself."""
    sound, broken = pair.machines
    program = sound.shim(
        "speaks", f'PYTHONPATH={Path(__file__).parents[3]} exec {sys.executable} -m synth.main "$@"'
    )
    broken.shim(
        "df", 'printf "Filesystem 1024-blocks Used Available Capacity Mounted on\\n/dev/x 9 8 1 99%% /\\n"'
    )
    specs = beats(2)
    pair.enqueue(specs)
    pair.start(SSH_VOICE_SYNTH=str(program))

    pair.wait_until_done(specs)
    tries = list[dict[str, Any]]()  # it is tried again every few seconds: one that is out is not out for long

    def is_out() -> bool:
        tries.extend(line for line in pair.listed()["machines"] if line["machine"] == broken.address)
        return bool(tries) and tries[-1]["stage"] == "out"

    pair.wait_for("left out", is_out)
    assert tries[-1]["reason"] == "disk"
    assert tries[-1]["next_try"] is not None
    assert f"for {broken.address}" not in pair.log()
    (broken.shims / "df").unlink()
    pair.wait_for("back", lambda: pair.stages() == ["ready", "ready"])


def test_a_machine_that_was_given_back_is_not_connected_to_again(
    gates: Gates, machine: LoopbackMachine
) -> None:
    """W15: the listener of a watcher that leads no more would end that of the next leader, and again."""
    remote = gates.link(machine)
    (host,) = remote.hosts(1, "voice-synth", str(machine.home))
    host.tend()
    assert eventually(lambda: list(machine.home.rglob("run/listener")))

    remote.close()

    assert eventually(lambda: not machine.connections())
    assert not eventually(lambda: machine.connections(), 2.5)  # a lost session is opened anew after 1 s


def test_a_worker_that_an_earlier_setting_wanted_is_ended(gates: Gates, machine: LoopbackMachine) -> None:
    """Nobody would mind it any more, and it would hold its memory for ever."""
    machine.shim("idle", "exec sleep 600")
    before = gates.link(machine)
    hosts = before.hosts(2, str(machine.shims / "idle"), str(machine.home))
    assert eventually(lambda: not any(host.tend() for host in hosts) and len(_sleeping(machine)) == 2)
    before.close()

    after = gates.link(machine)
    after.end_surplus(1, str(machine.home))

    assert len(_sleeping(machine)) == 1
    after.end_surplus(0, str(machine.home))
    assert not _sleeping(machine)
    after.close()


def _samples(machine: LoopbackMachine) -> list[str]:
    """What is left there of sentences that were asked for."""
    return [name for name in machine.files() if "/sample/" in name]


def _sleeping(machine: LoopbackMachine) -> list[int]:
    """The workers that run there."""
    found = []
    for pid in machine.processes():
        with contextlib.suppress(OSError):
            if b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
                found.append(pid)
    return found
