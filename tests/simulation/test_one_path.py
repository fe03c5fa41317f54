"""The local path, the manifest's path and the simulated renting path are one piece of code.

Each gets a job done; with the dispatcher broken in one place, none does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from job_runner.execution.execution import Execution, Setup
from job_watcher.simulation.world import Scenario, World
from lib.clock import ManualClock
from lib.dispatch.result_handler import ResultHandler
from lib.jobqueue import JobState
from lib.manifest import OutFolder, check_inputs, compile_manifest, load_manifest
from lib.manifest.folder import WORKROOM
from lib.voices import VoiceRegistry
from lib.workers import SpoolRoom
from tests.unit.dispatch.bench import ScriptedHost, spec
from tests.unit.watcher.bench import WatcherBench

_LOOKS = 20  # more than any path needs for one job


def local(root: Path) -> bool:
    """`job-watcher once` over a worker of this machine."""
    bench, job, looks = WatcherBench(root), spec(), 0
    bench.enqueue(job)
    watcher, speak = bench.watcher(), bench.host.script

    def script() -> None:
        nonlocal looks
        looks += 1
        if looks > _LOOKS:
            watcher.drain()
            watcher.drain()
        speak()

    bench.host.script = script
    watcher.run_once()
    bench.close()
    return bench.job(job).state is JobState.DONE


def manifest(root: Path) -> bool:
    """`execute-manifest` over a worker of this machine."""
    compiled = load_manifest(compile_manifest([spec()], root).path)
    hosts: list[ScriptedHost] = []
    looks = 0

    def make(room: SpoolRoom, count: int) -> list[ScriptedHost]:
        hosts.append(ScriptedHost(root / WORKROOM / "spool-1", ManualClock()))
        return hosts

    def stop() -> bool:
        nonlocal looks
        looks += 1
        return looks > _LOOKS

    setup = Setup(
        folder=OutFolder(root),
        manifest=compiled,
        inputs=check_inputs(compiled.orders, VoiceRegistry(), "hibari"),
        engine="hibari",
        room=SpoolRoom(root / WORKROOM, name="local", machine="here"),
        make_hosts=make,
        ahead=lambda workers: 4,
        clock=ManualClock(),
        stop_requested=stop,
    )
    ended = Execution(setup).run()
    for host in hosts:
        host.close()
    return ended.state == "done"


def rented(root: Path) -> bool:
    """The loop for rented machines on a simulated market."""
    world = World(Scenario(arrivals=[(0.0, [spec()])], limit_s=3600.0), seed=3)
    world.run()
    return world.conditions.queue.snapshot().done == 1


PATHS = [local, manifest, rented]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_each_path_gets_a_job_done(path: Callable[[Path], bool], tmp_path: Path) -> None:
    assert path(tmp_path)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_no_path_gets_it_done_with_the_dispatcher_broken_in_one_place(
    path: Callable[[Path], bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ResultHandler, "look", lambda *args: None)

    assert not path(tmp_path)
