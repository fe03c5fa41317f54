"""Pipelines for real workers. What a task does beside returning is noted in files beside the run's."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from job_pipeline import Dag
from lib.pipeline.context import TaskContext


def note(context: TaskContext, event: str) -> None:
    """Add a line to the log of attempts, whole whoever else writes."""
    line = f"{context.run} {context.task} {context.attempt} {event} {os.getpid()}\n"
    with open(context.folder.parent / "attempts.log", "ab", buffering=0) as log:
        log.write(line.encode())


five = Dag("five")


def _stage(name: str, *requires: str) -> None:
    @five.task(name=name, requires=requires)
    def stage(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        note(context, "begins")
        time.sleep(float(context.run_inputs.get("seconds", 0)))
        note(context, "ends")
        return {"name": name, "of": sorted(inputs)}


_stage("top")
_stage("left", "top")
_stage("middle", "top")
_stage("right", "top")
_stage("bottom", "left", "middle", "right")


held = Dag("held")


@held.task(name="wait")
def wait(inputs: Mapping[str, Any], context: TaskContext) -> str:
    """End when the test puts a file there."""
    note(context, "begins")
    while not (context.folder.parent / f"go-{context.attempt}").exists():
        time.sleep(0.01)
    note(context, "ends")
    return f"attempt {context.attempt}"


spin = Dag("spin")


@spin.task(name="spin", timeout=2, retries=0)
def spin_for_ever(inputs: Mapping[str, Any], context: TaskContext) -> None:
    """Hold on to the processor, and to a helper of its own session."""
    import signal
    import subprocess

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    helper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    note(context, f"helper={helper.pid}")
    note(context, "begins")
    while True:
        pass


@spin.task(name="after")
def after(inputs: Mapping[str, Any]) -> str:
    """Show that the worker goes on."""
    return "done"


flaky = Dag("flaky")


@flaky.task(name="third_time", retries=5)
def third_time(inputs: Mapping[str, Any], context: TaskContext) -> int:
    """Fail twice, with a secret in the words."""
    note(context, "begins")
    if context.attempt < 3:
        raise ValueError(f"the endpoint refuses {context.run_inputs['word']} and https://me:pass@host/")
    return context.attempt


def told(folder: Path) -> list[tuple[str, str, int, str, int]]:
    """The notes: run, task, attempt, event and the process that wrote it."""
    path = folder / "attempts.log"
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [line.split() for line in lines]
    return [(run, task, int(attempt), event, int(pid)) for run, task, attempt, event, pid in rows]
