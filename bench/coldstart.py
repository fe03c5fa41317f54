"""How long the first audio takes on an empty fleet, step by step: whole runs at the fake Vast, with real SSH.

    ./run python -m bench.coldstart [--speed 10] [--runs 3] [--bring] [--json]

Seconds from enqueue to the first finished job, and how many of them are not the fake's own boot (goal: at
most 5). Machines have an image with our programs; with `--bring` they have none, and it is brought. On a
computer that does other things as well, `chrt -r 1` in front of it measures what an idle one would.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from job_watcher.commands import rehearse as rehearsal
from job_watcher.providers.over_ssh.bootstrap import Bootstrap
from job_watcher.providers.over_ssh.preparation import SshPreparation
from job_watcher.providers.over_ssh.remote import RemoteMachine
from job_watcher.rehearsal.onlooker import Onlooker
from job_watcher.rehearsal.vast import FakeVast
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
    ("asked", "asked what it is and has"),
    ("bundled", "packages for such a machine fetched here, once for all of its kind"),
    ("sent", "programs sent"),
    ("prepared", "programs installed"),
    ("begun_workers", "GPU, disk, bandwidth looked at; worker started"),
    ("ready", "engine loaded, golden sentence spoken and heard"),
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
        """Note that it happened now, if it did not before."""
        with self._lock:
            self.at.setdefault(name, time.monotonic())

    def emit(self, record: logging.LogRecord) -> None:
        """Note an event by its name."""
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
        (Bootstrap, "found_there", marked(line, "asked", Bootstrap.found_there)),
        (Bootstrap, "bundle", marked(line, "bundled", Bootstrap.bundle)),
        (Bootstrap, "_bring", marked(line, "sent", Bootstrap._bring)),
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


def without_programs(*args: Any, **kwargs: Any) -> FakeVast:
    """A fake whose machines have an image with nothing of ours."""
    return FakeVast(*args, **{**kwargs, "image": ()})


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
        now = line.at.get(name, last)
        found[name], last = now - last, now
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--bring", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.bring:
        vars(rehearsal)["FakeVast"] = without_programs
    runs = [one_run(given.speed) for _ in range(given.runs)]
    best = min(runs, key=lambda run: sum(run.values()))
    whole = sum(best.values())
    over = round(whole - best["ssh"], 2)
    if given.json:
        print(
            json.dumps({"runs": given.runs, "load": os.getloadavg()[0], "seconds": best, "over_boot": over})
        )
        return
    print(f"seconds  step (the quickest of {given.runs} runs, load {os.getloadavg()[0]:.1f})")
    for name, words in STEPS:
        if best[name] >= 0.005:
            print(f"{best[name]:7.2f}  {words}")
    print(f"{whole:7.2f}  in all; {over} over the fake's boot (goal: at most 5)")


if __name__ == "__main__":
    main()
