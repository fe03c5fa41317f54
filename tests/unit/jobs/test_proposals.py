"""A refusal proposes only what the command that it ends has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from job_runner.main import COMMANDS, PROGRAM
from lib.clock import ManualClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.submit import Conflict, submit
from tests.unit.jobs.jobs import spec


@pytest.fixture
def queue() -> MemoryQueue:
    clock = ManualClock()
    queue = MemoryQueue(now_ms=lambda: round(clock.now() * 1000))
    queue.enqueue([spec("a")])
    return queue


@pytest.mark.parametrize(("options", "proposed"), [({}, False), ({"skips": True}, True)])
def test_conflicts_are_left_out_only_by_a_command_that_can(
    queue: MemoryQueue, options: Mapping[str, Any], proposed: bool
) -> None:
    refusal = submit(queue, [replace(spec("a"), text="Other words.")], **options).refusal

    assert isinstance(refusal, Conflict)
    assert ("--skip-conflicts" in refusal.message) is proposed


def test_the_commands_that_propose_it_have_it(capsys: pytest.CaptureFixture[str]) -> None:
    names = {entry.name for entry in COMMANDS}
    having = set()
    for name in ("enqueue", "enqueue-beatsheet", "up"):
        assert name in names
        assert PROGRAM.run([name, "--help"]) == 0
        if re.search("--skip-conflicts", capsys.readouterr().out):
            having.add(name)

    assert having == {"enqueue", "enqueue-beatsheet"}
