"""A refusal proposes only what each command that ends with it has."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from job_runner.main import PROGRAM
from lib.clock import ManualClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.submit import Conflict, submit
from lib.jobspec import JobFile
from tests.unit.jobs.jobs import spec


@pytest.mark.parametrize("command", ["enqueue", "enqueue-beatsheet", "up"])
def test_who_meets_a_conflict_is_told_of_options_that_the_command_has(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = ManualClock()
    queue = MemoryQueue(now_ms=lambda: round(clock.now() * 1000))
    queue.enqueue([spec("a")])
    changed = replace(spec("a"), text="Other words.")
    refusal = submit(queue, JobFile(Path("jobs.yaml"), (changed,), (1,))).refusal
    assert isinstance(refusal, Conflict)

    proposed = set(re.findall(r"--[a-z-]+", refusal.message))
    assert PROGRAM.run([command, "--help"]) == 0
    page = capsys.readouterr().out

    assert proposed
    assert [option for option in proposed if option not in page] == []
