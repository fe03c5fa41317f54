"""Looks at machines from here, without a queue, and changes nothing there: what is wrong, what mends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from job_watcher.providers.over_ssh.bootstrap import ask, reason_of
from job_watcher.providers.over_ssh.health import HealthCheck
from job_watcher.providers.over_ssh.machine_spec import MachineSpec
from job_watcher.providers.over_ssh.ports import MachineLink, MachineOut
from lib.bundle import MachineFacts, target_of
from lib.errors import BadConfiguration, ExitStatus, JobRunnerError
from lib.machine_checks import LEAST_FREE_BYTES
from lib.units import bytes_text
from lib.voices import engine_facts

_AT_ONCE = 16
_GIB = 1024**3
_PASSING = frozenset({"unreachable", "timed_out"})  # a retry may help without anybody mending anything


@dataclass(frozen=True, slots=True)
class CheckedMachine:
    """What was found of one machine. `reason` is "" where nothing is wrong."""

    machine: str
    reason: str
    sentence: str
    facts: MachineFacts | None = None

    @property
    def ok(self) -> bool:
        """Whether it can be used."""
        return not self.reason

    @property
    def passing(self) -> bool:
        """Whether it is out only because it does not answer now."""
        return self.reason in _PASSING

    def to_json(self) -> dict[str, Any]:
        """As `machines --check --json` has it."""
        facts = self.facts
        return {
            "machine": self.machine,
            "ok": self.ok,
            "reason": self.reason,
            "sentence": self.sentence,
            "cores": None if facts is None else facts.cores,
            "free_bytes": None if facts is None else facts.free,
            "python": None if facts is None or not self.ok else facts.python(self.machine).words,
        }


class MachineCheckup:
    """Checks machines side by side. `program` is SSH_VOICE_SYNTH.

    Threads: the caller's, and one for each machine while `check` runs.
    Raises: nothing: what is wrong is what it returns.
    """

    def __init__(
        self, connect: Callable[[MachineSpec], MachineLink], *, engine: str, program: str | None
    ) -> None:
        self._connect, self._engine, self._program = connect, engine, program

    def check(self, specs: Sequence[MachineSpec]) -> list[CheckedMachine]:
        """What is found of each, in their order."""
        with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(specs))) as pool:
            return list(pool.map(self._one, specs))

    def _one(self, spec: MachineSpec) -> CheckedMachine:
        machine = self._connect(spec)
        try:
            facts = self._look(spec, machine)
        except MachineOut as out:
            return CheckedMachine(spec.name, out.reason, out.sentence)
        except JobRunnerError as error:
            return CheckedMachine(spec.name, reason_of(error), error.message)
        finally:
            machine.close()
        workers = spec.count(facts.cores, 1)
        sentence = f"{workers} worker{'s' * (workers != 1)}, {facts.cores} core{'s' * (facts.cores != 1)}"
        return CheckedMachine(spec.name, "", f"{sentence}, {bytes_text(facts.free or 0)} free", facts)

    def _look(self, spec: MachineSpec, machine: MachineLink) -> MachineFacts:
        machine.connect()
        facts = ask(machine)
        least = engine_facts(self._engine).least_vram_gb
        health = HealthCheck(
            machine,
            gpus=1 if spec.wants_gpu or least else 0,
            gpu_bytes=int(least * _GIB),
        )
        health.before_installing(facts.home, needed=LEAST_FREE_BYTES)
        machine.try_files(facts.home)
        if self._program is None:
            self._fits(facts, machine)
        else:
            self._starts(self._program, machine)
        return facts

    def _fits(self, facts: MachineFacts, machine: MachineLink) -> None:
        try:
            target_of(facts, facts.python(machine.name), machine.name)
        except BadConfiguration as error:
            raise MachineOut("no_python", error.message) from None

    def _starts(self, program: str, machine: MachineLink) -> None:
        done = machine.run((program, "--version"), timeout_s=60.0)
        if not done.ok:
            raise MachineOut(
                "engine",
                f"{machine.name} cannot run {program} (exit status {done.status}); set SSH_VOICE_SYNTH to "
                "where voice-synth is there, or unset it to have it brought",
            )


def exit_status(found: Sequence[CheckedMachine]) -> int:
    """0: all can be used; 69: some do not answer; 78: something is to be mended."""
    wrong = [checked for checked in found if not checked.ok]
    if not wrong:
        return ExitStatus.OK
    passing = all(checked.passing for checked in wrong)
    return ExitStatus.UNAVAILABLE if passing else ExitStatus.BAD_CONFIGURATION
