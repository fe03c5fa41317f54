"""How long the first audio takes on an empty fleet, step by step: a whole run at the fake Vast, with real SSH.

    python -m bench.coldstart [--speed 10] [--runs 3] [--bring]

From enqueue to the first finished job, less what the fake itself takes to boot a machine.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from job_watcher.commands import rehearse as rehearsal
from job_watcher.providers.ssh.preparation import SshPreparation
from job_watcher.providers.ssh.remote import RemoteMachine
from job_watcher.rehearsal.onlooker import Onlooker
from job_watcher.rehearsal.vast.machines import RehearsalMachine
from lib.events import TRANSITION

ONE_JOB = (
    "jobs:\n  - {output_name: tides/one, speaker: Ryan, text: Twice a day the sea leaves and comes back.}\n"
)
#: What each step ends with, in order.
STEPS = (
    ("rented", "search, choose, reserve, rent"),
    ("ssh", "boot of the machine (the fake's own)"),
    ("connected", "seen as running, connected over SSH"),
    ("prepared", "asked what it is; our programs are there"),
    ("begun_workers", "worker started"),
    ("looked", "GPU, disk, bandwidth looked at (the engine loads)"),
    ("ready", "golden sentence spoken and heard"),
    ("claimed", "passed, first job claimed"),
    ("begun", "first job begun"),
    ("done", "spoken, brought here, published, acknowledged"),
)


class Timeline(logging.Handler):
    """When each thing happened first."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[str, float] = {}
        self._lock = threading.Lock()

    def mark(self, name: str) -> None:
        with self._lock:
            self.at.setdefault(name, time.monotonic())

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, TRANSITION, {}).get("event")
        if event is not None:
            self.mark(str(event))


def marked(
    line: Timeline, name: str, method: Callable[..., Any], *, before: bool = False
) -> Callable[..., Any]:
    """The method, with its first success noted."""

    @functools.wraps(method)
    def inner(*args: Any, **kwargs: Any) -> Any:
        if before:
            line.mark(name)
        found = method(*args, **kwargs)
        line.mark(name)
        return found

    return inner


@contextlib.contextmanager
def watched(line: Timeline) -> Iterator[None]:
    """Within the block, the steps that are no events are noted, too."""
    open_doors = RehearsalMachine.set_doors

    def set_doors(machine: RehearsalMachine, direct: bool, proxy: bool) -> None:
        open_doors(machine, direct, proxy)
        if any(machine.open_doors):
            line.mark("ssh")

    wrapped: list[tuple[Any, str, Callable[..., Any]]] = [
        (RehearsalMachine, "set_doors", set_doors),
        (RehearsalMachine, "__init__", marked(line, "rented", RehearsalMachine.__init__, before=True)),
        (RemoteMachine, "connect", marked(line, "connected", RemoteMachine.connect)),
        (RemoteMachine, "begin_workers", marked(line, "begun_workers", RemoteMachine.begin_workers)),
        (RemoteMachine, "end_surplus", marked(line, "looked", RemoteMachine.end_surplus)),
        (SshPreparation, "prepare", marked(line, "prepared", SshPreparation.prepare)),
        (Onlooker, "start", marked(line, "enqueued", Onlooker.start, before=True)),
    ]
    former = [(owner, name, getattr(owner, name)) for owner, name, _ in wrapped]
    for owner, name, method in wrapped:
        setattr(owner, name, method)
    logging.getLogger("lib.events").addHandler(line)
    try:
        yield
    finally:
        logging.getLogger("lib.events").removeHandler(line)
        for owner, name, method in former:
            setattr(owner, name, method)


def one_run(speed: float) -> dict[str, float]:
    """Seconds of each step."""
    line = Timeline()
    with tempfile.TemporaryDirectory() as folder, watched(line):
        jobs = Path(folder, "jobs.yaml")
        jobs.write_text(ONE_JOB)
        with contextlib.redirect_stdout(io.StringIO()):
            rehearsal.command(jobs, ["none"], speed=speed, out=Path(folder, "out"), json_=True)
    found, last = {}, line.at["enqueued"]
    for name, _ in STEPS:
        now = line.at[name]
        found[name], last = now - last, now
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    runs = []
    for _ in range(given.runs):
        run = one_run(given.speed)
        runs.append(run)
        print(f"load {os.getloadavg()[0]:.1f}: {sum(run.values()):.1f} s", flush=True)
    best = min(runs, key=lambda run: sum(run.values()))
    print(f"\n{'seconds':>8}  step (the quickest of {len(runs)} runs)")
    for name, words in STEPS:
        print(f"{best[name]:8.2f}  {words}")
    whole, boot = sum(best.values()), best["ssh"]
    print(
        f"{whole:8.2f}  in all\n{boot:8.2f}  of it the fake's boot\n{whole - boot:8.2f}  over the boot (goal: 5)"
    )


if __name__ == "__main__":
    main()
