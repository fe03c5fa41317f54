"""Jobs handed to rented machines: one that does not answer costs the others nothing."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from job_watcher.renting.work import Hold, Work
from lib.clock import ManualClock
from lib.errors import Unavailable
from lib.fleet import Policy, State
from lib.fleet.speeds import Speeds
from lib.jobqueue import JobState
from lib.jobqueue.memory import MemoryQueue
from lib.spool import LocalFiles
from tests.unit.jobs.jobs import spec


class Access:
    """Files of machines, of which some do not answer."""

    def __init__(self, root: Path, *silent: str) -> None:
        self._root, self._silent = root, silent
        self.asked: list[str] = []

    def files(self, instance: str) -> LocalFiles:
        self.asked.append(instance)
        if instance in self._silent:
            raise Unavailable(f"{instance} does not answer.")
        return LocalFiles(self._root / instance)


def machine(name: str, state: State = State.READY) -> Any:
    return SimpleNamespace(
        token=name, instance=name, state=state.value, intent=SimpleNamespace(gpu="RTX 3090")
    )


def work_on(queue: MemoryQueue, access: object, clock: ManualClock) -> Work:
    config = SimpleNamespace(
        **{"name": "w", "lease_ms": 180_000, "engine": "hibari", "batch": "b", "audio_s_per_job": 2.0},
        policy=Policy(speed=8.0),
    )
    tracks = SimpleNamespace(by_token=defaultdict(SimpleNamespace))
    parts = SimpleNamespace(queue=queue, access=access, clock=clock)
    return Work(cast(Any, parts), cast(Any, config), cast(Any, tracks), Speeds())


def test_leases_outlast_a_pass_over_many_slow_machines() -> None:
    clock = ManualClock()
    queue = MemoryQueue(now_ms=lambda: round(clock.now() * 1000))
    queue.enqueue([spec("a")])
    (lease,) = queue.claim("w", lease_ms=180_000)

    class Slow:
        def look(self, instance: str, *, gpu: str) -> Any:
            clock.advance(100)
            return SimpleNamespace(gate=None)

    work = work_on(queue, Slow(), clock)
    work._holds = {"busy": {"a": Hold("busy", "a.1", lease)}}
    booting = [machine(f"m{number}", State.RENTED) for number in range(5)]

    work.visit(cast(Any, None), booting)

    assert queue.claim("another") == []
    assert queue.renew([lease]) == []


def test_a_machine_that_does_not_answer_is_asked_once_in_a_pass(tmp_path: Path) -> None:
    queue, access = MemoryQueue(), Access(tmp_path, "silent")
    queue.enqueue([spec(f"j{number:02}") for number in range(40)])
    work = work_on(queue, access, ManualClock())
    work._phases = {"silent": {}, "well": {}}

    work.claim([machine("silent"), machine("well")], queue.snapshot())

    assert access.asked.count("silent") == 1
    assert work.busy("silent") == 0
    assert work.busy("well") > 2
    running = [record for record in queue.jobs([f"j{n:02}" for n in range(40)]) if record]
    assert sum(record.state is JobState.RUNNING for record in running) == work.busy("well")
