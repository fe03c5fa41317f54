"""What a worker on a machine is told: settings of its engine that were set, and nothing else (V4, W12)."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from job_watcher.providers.over_ssh.bootstrap import Bootstrap
from job_watcher.providers.over_ssh.machine_spec import MachineSpec
from job_watcher.providers.over_ssh.preparation import SshPreparation
from job_watcher.providers.over_ssh.remote import RemoteMachine
from job_watcher.providers.over_ssh.wiring import queue_mark, worker_setup
from lib.bundle import BundleMaker
from lib.clock import SystemClock
from lib.errors import JobRunnerError
from lib.settings import load_settings
from lib.workers.ssh import KnownHosts, SshAddress, SshHost, SshMachine, SshThread
from tests.integration.fleet.machine import LoopbackMachine
from tests.warm import ROOT

SET = {
    "VOICE_ENGINE": "qwen3",
    "QWEN_MODEL": "~/my models",
    "QWEN_BATCH": "16",
    "VOICE_PAUSES": "0.1,0.3,0.5",
}
SECRETS = {
    "VAST_API_KEY": "a-secret-of-vast",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-s3",
    "REDIS_URL": "redis://me:a-secret-of-redis@127.0.0.1:1",
}
#: Says what it was told, and speaks with the engine that is here.
PROGRAM = f"""env -0 >"$HOME/told"
for word; do
    shift
    [ "$word" != qwen3 ] || word=hibari
    set -- "$@" "$word"
done
PYTHONPATH={ROOT} exec {sys.executable} -m synth.main "$@"
"""


def environ_in(data: bytes) -> Mapping[str, str]:
    """Names and values, but for those that each shell and connection sets by itself."""
    pairs = dict(line.split("=", 1) for line in data.decode().split("\0") if line)
    own = ("_", "PWD", "OLDPWD", "SHLVL")
    return {name: value for name, value in pairs.items() if name not in own and not name.startswith("SSH_")}


def test_a_worker_has_the_settings_of_its_engine_beside_what_a_login_has(
    machine: LoopbackMachine, tmp_path: Path
) -> None:
    """A real machine whose worker passes every gate; the sentence is spoken by hibari, for no GPU is here."""
    machine.shim("nvidia-smi", "echo 'NVIDIA Test, 24576'")
    program = machine.shim("voice-synth", PROGRAM)
    settings = load_settings({}, {"HOME": str(tmp_path), **SET, **SECRETS}, tmp_path)

    def host(way: SshMachine, number: int, program: str, home: str) -> SshHost:
        return SshHost("one", way, worker_setup(settings, SystemClock(), home, number, program))

    with SshThread() as thread:
        known = KnownHosts(tmp_path / "known_hosts")
        way = SshMachine(
            thread, SshAddress.read(machine.address), key_file=machine.key_file, known_hosts=known
        )
        remote = RemoteMachine(way, host, lambda: True, mark=queue_mark(settings))
        bootstrap = Bootstrap(BundleMaker(tmp_path / "bundles", ""))
        spec = MachineSpec.read(f"{machine.address}*1")
        preparation = SshPreparation(spec, bootstrap, engine="qwen3", program=str(program))
        try:
            remote.connect()
            preparation.prepare(remote, lambda stage: None)
            preparation.check(remote)
            login = environ_in(remote.run(("env", "-0")).stdout)
        finally:
            with contextlib.suppress(JobRunnerError):
                remote.end_surplus(0, str(machine.home))
            remote.close()

    told = environ_in((machine.home / "told").read_bytes())
    assert {name: told[name] for name in told.keys() - login.keys()} == {
        "QWEN_MODEL": "~/my models",
        "QWEN_BATCH": "16",
    }
    assert {name: told[name] for name in told.keys() & login.keys()} == login
    assert not [value for value in told.values() if "a-secret" in value]
