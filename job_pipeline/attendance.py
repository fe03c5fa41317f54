"""Works on runs here, leg by leg: until they stand still, then decides at their gates, then goes on."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from job_pipeline import wiring
from job_pipeline.attended_runs import AttendedRuns, RunsEnd
from job_pipeline.decisions import Decider, approves, asks, decide, leaves
from job_pipeline.stop_signals import stops_on_signals


def decider_of(room: wiring.PipelineRoom, approve: bool, as_json: bool) -> Decider:
    """Who decides: --approve, the person at the terminal, or nobody."""
    if approve:
        return approves
    return asks(room) if sys.stdin.isatty() and sys.stderr.isatty() and not as_json else leaves


def attend(
    room: wiring.PipelineRoom,
    ids: Sequence[str],
    asked: wiring.WorkerWords,
    decider: Decider,
    operator: str,
    *,
    tells: bool = False,
) -> RunsEnd:
    """Work on runs until they are over, or stand at gates where nothing is decided.

    `tells`: each stage that begins or ends is said on stderr.

    Raises: what a worker raises.
    """
    while True:
        stopped = False

        def stop() -> None:
            nonlocal stopped
            stopped = True
            worker.drain()

        with room.open_worker(asked) as worker, stops_on_signals(stop):
            found = AttendedRuns(room, ids, tells=tells).run(worker)
        room.tell()
        if stopped or not decide(room, found.runs, decider, operator):
            return found
