"""What is done with a machine before it gets work: asked, checked, equipped, and made to speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from job_watcher.providers.ssh.bootstrap import Bootstrap, ask
from job_watcher.providers.ssh.health import HealthCheck
from job_watcher.providers.ssh.machine_spec import MachineSpec
from job_watcher.providers.ssh.ports import MachineLink, Stage
from lib.bundle import MachineFacts
from lib.gates import LEAST_FREE_BYTES
from lib.voices import engine_facts
from lib.workers import WorkerHost

_GIB = 1024**3


class SshPreparation:
    """`Preparation` of one machine. `program` is the path of its own voice-synth; None: ours is brought.

    Threads: its keeper's.
    Raises: as `Preparation`.
    """

    def __init__(
        self, spec: MachineSpec, bootstrap: Bootstrap, *, engine: str, program: str | None = None
    ) -> None:
        self._spec, self._bootstrap, self._engine, self._given = spec, bootstrap, engine, program
        self._program = program
        least = engine_facts(engine).least_vram_gb
        self._gpus = 1 if spec.wants_gpu or least else 0
        self._gpu_bytes = int(least * _GIB)

    def prepare(self, machine: MachineLink, tell: Callable[[Stage], None]) -> Sequence[WorkerHost]:
        """Ask, check what is cheap, and bring our programs; the workers of the machine."""
        tell(Stage.PREPARING)
        facts = ask(machine)
        machine.try_files(facts.home)
        health = self._health(machine)
        self._program = self._equip(machine, facts, health)
        count = self._spec.count(facts.cores, self._count_gpus(machine))
        machine.end_surplus(count, facts.home)
        return machine.hosts(count, self._program, facts.home)

    def check(self, machine: MachineLink) -> None:
        """Let it speak a sentence."""
        assert self._program is not None, "prepared before"
        self._health(machine).speaks(self._program)

    def _health(self, machine: MachineLink) -> HealthCheck:
        return HealthCheck(machine, engine=self._engine, gpus=self._gpus, gpu_bytes=self._gpu_bytes)

    def _equip(self, machine: MachineLink, facts: MachineFacts, health: HealthCheck) -> str:
        if self._given is not None:
            health.before_installing(facts.home, needed=LEAST_FREE_BYTES)
            return self._given
        bundle = self._bootstrap.bundle(machine, facts)
        program = self._bootstrap.is_installed(machine, facts, bundle)
        needed = 0 if program is not None else self._bootstrap.needed(bundle)
        health.before_installing(facts.home, needed=max(LEAST_FREE_BYTES, needed))
        return program or self._bootstrap.install(machine, facts, bundle)

    def _count_gpus(self, machine: MachineLink) -> int:
        return self._health(machine).count_gpus() if self._spec.wants_gpu else 0
