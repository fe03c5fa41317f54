"""What is done with a rented machine before it gets work: is it ours, is it what was offered, does it speak?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from job_watcher.providers.ssh.health import LIST_GPUS
from job_watcher.providers.ssh.keeper import Preparation
from job_watcher.providers.ssh.ports import MachineLink, MachineOut, Stage
from lib import gates
from lib.gates import DEADLINES, Gate
from lib.workers import WorkerHost

#: What a machine is told at its start may come a moment after its SSH server.
_NOT_YET = "starting"


class RentedPreparation:
    """`Preparation` of a rented machine: `rest` comes after what only rented ones are asked.

    `nonce` was told to the machine of ours at its start, which keeps it in `nonce_file`; `gpu` was offered.

    Threads: its keeper's.
    Raises: as `Preparation`.
    """

    def __init__(self, rest: Preparation, *, nonce: str, nonce_file: str, gpu: str) -> None:
        self._rest, self._nonce, self._nonce_file, self._gpu = rest, nonce, nonce_file, gpu

    def prepare(self, machine: MachineLink, tell: Callable[[Stage], None]) -> Sequence[WorkerHost]:
        """See whose it is and what it has, then bring our programs."""
        self._is_ours(machine)
        self._is_as_offered(machine)
        return self._rest.prepare(machine, tell)

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
                Gate.NONCE.value, f"{machine.name} is not the machine that was rented: it knows another nonce."
            )

    def _is_as_offered(self, machine: MachineLink) -> None:
        done = machine.run(LIST_GPUS, timeout_s=DEADLINES[Gate.GPU])
        found = gates.read_gpus(done.stdout)
        if done.status != 0 or not found:
            raise MachineOut(Gate.GPU.value, f"{machine.name} lists no GPU; a {self._gpu} was offered.")
        if not any(same_gpu(self._gpu, one.name) for one in found):
            names = ", ".join(one.name for one in found)
            raise MachineOut("wrong_gpu", f"{machine.name} has {names}; a {self._gpu} was offered.")


def same_gpu(offered: str, listed: str) -> bool:
    """Whether nvidia-smi may mean the GPU of an offer, by its model and by words that mean a weaker one.

    Companies and NVIDIA write the same name in many ways (`RTX 6000Ada`, `RTX 6000 Ada Generation`; `H100 SXM`,
    `H100 80GB HBM3`), and a host that lied is never rented again: so only what is plainly another one counts.
    """
    wanted, has = offered.casefold(), listed.casefold()
    model = _MODEL.search(wanted)
    same = model is None or model[0] in re.split(r"[^a-z0-9]|(?<=[0-9])(?=[a-z])", has)
    return same and _kinds(has) <= _kinds(wanted)


_MODEL = re.compile(r"[a-z]?[0-9]{2,4}")
_KIND = re.compile(r"\b(ti|super|laptop)\b|(?<=[0-9])\s?(d)\b|(?<=[0-9])(s)\b")


def _kinds(name: str) -> set[str]:
    return {found[1] or found[2] or "super" for found in _KIND.finditer(name)}
