"""Asks a machine what the health gates want to know, in their order, each within its deadline."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files

from job_watcher.providers.over_ssh.ports import MachineLink, MachineOut
from lib import machine_checks
from lib.machine_checks import DEADLINES, Gate, GateFailed
from lib.units import MIB
from lib.workers.ssh import CommandResult, RemoteTimedOut

_SENT_BYTES = 256 * 1024
LIST_GPUS = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")


class HealthCheck:
    """The gates of one machine that come after the connection.

    `gpus` is how many it must have, with `gpu_bytes` of memory each; 0: none is asked for. Before it speaks,
    its engine may take `weights_s` seconds more, for weights that it downloads first.

    Threads: its keeper's.
    Raises: MachineOut, with the gate's code, when it does not pass; HostUnreachable when it is gone.
    """

    def __init__(
        self, machine: MachineLink, *, gpus: int = 0, gpu_bytes: int = 0, weights_s: float = 0.0
    ) -> None:
        self._machine, self._gpus, self._gpu_bytes = machine, gpus, gpu_bytes
        self._weights_s = weights_s

    def before_installing(self, home: str, *, needed: int) -> None:
        """Those that cost little: nonce, GPU, disk and bandwidth. `needed` is the room that is wanted."""
        self._pass(Gate.NONCE, self._nonce)
        if self._gpus:
            self._pass(Gate.GPU, self._gpu)
        self._pass(Gate.DISK, lambda: self._disk(home, needed))
        self._pass(Gate.BANDWIDTH, self._bandwidth)

    def speaks(self, begin: Callable[[], Sequence[str]]) -> None:
        """Those that need our programs: the engine, and a sentence that each worker speaks.

        They are asked of the very processes that will get jobs. `begin` starts those that do not run, and
        says in which folders they are kept.
        """
        for folder in begin():
            self._pass(Gate.ENGINE, partial(self._speak, folder, begin))

    def count_gpus(self) -> int:
        """How many GPUs it lists."""
        return len(
            machine_checks.read_gpus(self._machine.run(LIST_GPUS, timeout_s=DEADLINES[Gate.GPU]).stdout)
        )

    def _pass(self, gate: Gate, ask: Callable[[], None]) -> None:
        try:
            ask()
        except GateFailed as failed:
            raise MachineOut(failed.gate.value, f"{self._machine.name}: {failed.sentence}.") from None
        except RemoteTimedOut:
            limit = self._limit(gate)
            sentence = f"{self._machine.name} did not answer within {limit:.0f} s at the gate {gate.value}."
            raise MachineOut(gate.value, sentence) from None

    def _limit(self, gate: Gate) -> float:
        return DEADLINES[gate] + (self._weights_s if gate in (Gate.ENGINE, Gate.GOLDEN) else 0.0)

    def _nonce(self) -> None:
        sent = secrets.token_hex(16).encode()
        machine_checks.nonce(
            sent, self._machine.run(("cat",), stdin=sent, timeout_s=DEADLINES[Gate.NONCE]).stdout
        )

    def _gpu(self) -> None:
        done = self._machine.run(LIST_GPUS, timeout_s=DEADLINES[Gate.GPU])
        machine_checks.gpu(
            done.status, machine_checks.read_gpus(done.stdout), least_bytes=self._gpu_bytes, count=self._gpus
        )

    def _disk(self, home: str, needed: int) -> None:
        done = self._machine.run(("df", "-Pk", home), timeout_s=DEADLINES[Gate.DISK])
        machine_checks.disk(machine_checks.read_free(done.stdout), least=needed)

    def _bandwidth(self) -> None:
        sent, began = secrets.token_bytes(_SENT_BYTES), time.monotonic()
        done = self._machine.run(("wc", "-c"), stdin=sent, timeout_s=DEADLINES[Gate.BANDWIDTH])
        machine_checks.bandwidth(len(sent), done.stdout, time.monotonic() - began)

    def _speak(self, folder: str, begin: Callable[[], object]) -> None:
        done = self._sample(folder)
        if not done.ok:  # what it had at hand may have ended it
            begin()
            done = self._sample(folder)
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[-300:]
        machine_checks.engine(done.status, said)
        machine_checks.golden(done.stdout)

    def _sample(self, folder: str) -> CommandResult:
        script = files("job_watcher.providers.over_ssh").joinpath("golden.sh").read_bytes()
        limit = self._limit(Gate.GOLDEN)
        words = ("sh", "-s", folder, machine_checks.GOLDEN_TEXT, secrets.token_hex(8), f"{limit:.0f}")
        return self._machine.run(words, stdin=script, timeout_s=limit, most=4 * MIB)
