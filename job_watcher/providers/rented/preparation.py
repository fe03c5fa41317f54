"""What a rented machine is asked before it gets work: is it ours, is it what was offered, does it speak?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from job_watcher.providers.over_ssh.health import LIST_GPUS
from job_watcher.providers.over_ssh.keeper import Preparation
from job_watcher.providers.over_ssh.ports import MachineLink, MachineOut, Stage
from lib import machine_checks
from lib.machine_checks import DEADLINES, Gate
from lib.offer import same_gpu
from lib.units import MIB
from lib.workers import WorkerHost
from lib.workers.ssh import RemoteTimedOut

#: What a machine is told at its start may come a moment after its SSH server.
_NOT_YET = "starting"
_LEAST_BYTES = 64 * MIB  # the worker itself says before that what it lacks


class RentedPreparation:
    """`Preparation` of a rented machine: `rest` comes after what only rented ones are asked.

    `our_fault` hears of what no other machine would be better for. `nonce` was told to the machine of ours at
    its start, which keeps it in `nonce_file`; `gpu` was offered.

    Threads: its keeper's.
    Raises: as `Preparation`.
    """

    def __init__(
        self,
        rest: Preparation,
        *,
        nonce: str,
        nonce_file: str,
        gpu: str,
        our_fault: Callable[[str], None],
    ) -> None:
        self._our_fault = our_fault
        self._rest, self._nonce, self._nonce_file, self._gpu = rest, nonce, nonce_file, gpu

    def prepare(self, machine: MachineLink, tell: Callable[[Stage], None]) -> Sequence[WorkerHost]:
        """See whose it is and what it has, then bring our programs."""
        self._is_ours(machine)
        self._is_as_offered(machine)
        try:
            return self._rest.prepare(machine, tell)
        except MachineOut as out:
            if out.reason == "no_bundle":
                self._our_fault(out.sentence)
            raise

    def check(self, machine: MachineLink) -> None:
        """Let it speak. A machine that speaks badly lied about its GPU, or has a broken one."""
        self._rest.check(machine)

    def _is_ours(self, machine: MachineLink) -> None:
        script = 'test -r "$1" || exit 4; head -c 100 "$1"'
        done = machine.run(
            ("sh", "-c", script, "sh", self._nonce_file), timeout_s=DEADLINES[Gate.NONCE], most=100
        )
        if done.status == 4:
            raise MachineOut(_NOT_YET, f"{machine.name} has not begun what it was told at its start.")
        if done.stdout.strip() != self._nonce.encode("ascii"):
            raise MachineOut(
                Gate.NONCE.value,
                f"{machine.name} is not the machine that was rented: it knows another nonce.",
            )

    def _is_as_offered(self, machine: MachineLink) -> None:
        names = _gpus(machine, self._gpu)
        if not any(same_gpu(self._gpu, name) for name in names):
            raise MachineOut(
                "wrong_gpu", f"{machine.name} has {', '.join(names)}; a {self._gpu} was offered."
            )


def still_fit(machine: MachineLink, gpu: str) -> None:
    """Look again at what breaks while a machine works: its GPU falls off the bus, its disk fills up.

    Raises:
        MachineOut: it is broken, and would bill on for nothing.
        HostUnreachable: it does not answer.
    """
    _gpus(machine, gpu)
    done = machine.run(("df", "-Pk", "."), timeout_s=DEADLINES[Gate.DISK])
    free = machine_checks.read_free(done.stdout)
    if free is not None and free < _LEAST_BYTES:
        raise MachineOut("disk_full", f"{machine.name} has {free // MIB} MiB left on its disk.")


def _gpus(machine: MachineLink, offered: str) -> list[str]:
    try:
        done = machine.run(LIST_GPUS, timeout_s=DEADLINES[Gate.GPU])
    except RemoteTimedOut:  # as it hangs where a driver is broken
        raise MachineOut(Gate.GPU.value, f"nvidia-smi hangs on {machine.name}.") from None
    found = machine_checks.read_gpus(done.stdout)
    if done.status != 0 or not found:
        raise MachineOut(Gate.GPU.value, f"{machine.name} lists no GPU; a {offered} was offered.")
    return [one.name for one in found]
