"""What is done with a machine before it gets work: asked, checked, equipped, and made to speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from job_watcher.providers.over_ssh.bootstrap import Bootstrap, ask
from job_watcher.providers.over_ssh.health import HealthCheck
from job_watcher.providers.over_ssh.machine_spec import MachineSpec
from job_watcher.providers.over_ssh.ports import MachineLink, Stage
from lib.bundle import MachineFacts
from lib.machine_checks import LEAST_FREE_BYTES
from lib.voices import engine_facts
from lib.workers import WorkerHost

_GIB = 1024**3
_S_FOR_A_GB = 80.0  # of weights, at 100 Mbit/s: half of what is asked of rented machines


class SshPreparation:
    """`Preparation` of one machine. `program` is the path of its own voice-synth; None: ours is brought.

    Threads: its keeper's.
    Raises: as `Preparation`.
    """

    def __init__(
        self,
        spec: MachineSpec,
        bootstrap: Bootstrap,
        *,
        engine: str,
        program: str | None = None,
        pictures_vram_gb: float = 0.0,
    ) -> None:
        self._spec, self._bootstrap, self._given = spec, bootstrap, program
        self._program = program
        self._home, self._workers, self._looked, self._suspect = "", 0, False, False
        facts = engine_facts(engine)
        least, self._weights_s = facts.least_vram_gb + pictures_vram_gb, facts.download_gb * _S_FOR_A_GB
        self._gpus = 1 if spec.wants_gpu or least else 0
        self._gpu_bytes = int(least * _GIB)

    def prepare(self, machine: MachineLink, tell: Callable[[Stage], None]) -> Sequence[WorkerHost]:
        """Ask, and bring our programs; the workers of the machine.

        Where the programs are there already all else comes later: work that runs there is adopted first, or
        its leases might run out meanwhile. Not on a machine that failed a gate: it would come and go.
        """
        tell(Stage.PREPARING)
        self._looked = False
        facts = ask(machine)
        self._home = facts.home
        self._program = self._equip(machine, facts)
        if self._suspect and not self._looked:
            self._look(machine, LEAST_FREE_BYTES)
        self._workers = self._spec.count(facts.cores, self._count_gpus(machine))
        return machine.hosts(self._workers, self._program, facts.home)

    def check(self, machine: MachineLink) -> None:
        """Look at what was not looked at yet, end workers that nobody wants, and let it speak a sentence."""
        if not self._looked:
            self._suspect = True
            self._look(machine, LEAST_FREE_BYTES)
        self._begin(machine)  # the engine loads meanwhile
        machine.end_surplus(self._workers, self._home)
        self._health(machine).speaks(partial(self._begin, machine))

    def _begin(self, machine: MachineLink) -> Sequence[str]:
        """Start the workers that do not run; their folders."""
        assert self._program is not None, "prepared before"
        return machine.begin_workers(self._workers, self._program, self._home)

    def _look(self, machine: MachineLink, needed: int) -> None:
        """Pass the gates that cost little."""
        machine.try_files(self._home)
        self._health(machine).before_installing(self._home, needed=needed)
        self._looked, self._suspect = True, False

    def _health(self, machine: MachineLink) -> HealthCheck:
        return HealthCheck(machine, gpus=self._gpus, gpu_bytes=self._gpu_bytes, weights_s=self._weights_s)

    def _equip(self, machine: MachineLink, facts: MachineFacts) -> str:
        if self._given is not None:
            return self._given
        there = self._bootstrap.found_there(machine, facts)
        if there is not None:
            return there
        bundle = self._bootstrap.bundle(machine, facts)
        program = self._bootstrap.is_installed(machine, facts, bundle)
        if program is None:
            self._look(machine, max(LEAST_FREE_BYTES, self._bootstrap.needed(bundle)))
        return program or self._bootstrap.install(machine, facts, bundle)

    def _count_gpus(self, machine: MachineLink) -> int:
        return self._health(machine).count_gpus() if self._spec.wants_gpu else 0
