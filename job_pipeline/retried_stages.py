"""Gives stages their attempts anew, and says which."""

from __future__ import annotations

from collections.abc import Sequence

from job_pipeline.wiring import PipelineRoom
from lib.cli import output
from lib.pipeline.bulk_retries import RetriedStages, retry_stages
from lib.pipeline.overview import RetryableStage


def retried_in(room: PipelineRoom, stages: Sequence[RetryableStage], operator: str) -> RetriedStages:
    """Give each stage its attempts anew; one that a worker took meanwhile is left to it."""
    found = retry_stages(room.ledger, stages, operator=operator)
    room.tell()
    return found


def show_retried(found: RetriedStages, *, as_json: bool) -> None:
    """Say which are tried again."""
    if as_json:
        output.emit_json(found.to_json())
    else:
        for stage in found.retried:
            output.say_state("retried", f": {stage.stage} of {stage.run}, which was {stage.state}")
    for sentence in found.refused:
        output.warn(sentence)
    count = len(found.retried)
    output.note("1 stage is tried again" if count == 1 else f"{count} stages are tried again")
