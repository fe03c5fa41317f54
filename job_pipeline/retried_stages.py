"""Gives stages their attempts anew, one run after the other, and says which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from job_pipeline.wiring import PipelineRoom
from lib.cli import output
from lib.pipeline.failures import WrongState
from lib.pipeline.overview import RetryableStage
from lib.pipeline.runs import retry


class RetriedStages(NamedTuple):
    """Those that are tried again, and what others said that were not any more as they had been."""

    retried: Sequence[RetryableStage]
    refused: Sequence[str]


def retry_stages(room: PipelineRoom, stages: Sequence[RetryableStage], operator: str) -> RetriedStages:
    """Give each stage its attempts anew; one that a worker took meanwhile is left to it."""
    retried, refused = [], []
    for each in stages:
        try:
            retry(room.ledger, each.run, each.stage, operator=operator)
        except WrongState as error:
            refused.append(error.message)
        else:
            retried.append(each)
    room.tell()
    return RetriedStages(retried, refused)


def show_retried(found: RetriedStages, *, as_json: bool) -> None:
    """Say which are tried again."""
    if as_json:
        told = [stage.to_json() for stage in found.retried]
        output.emit_json({"retried": told, "refused": list(found.refused)})
    else:
        for stage in found.retried:
            output.say_state("retried", f": {stage.stage} of {stage.run}, which was {stage.state}")
    for sentence in found.refused:
        output.warn(sentence)
    count = len(found.retried)
    output.note("1 stage is tried again" if count == 1 else f"{count} stages are tried again")
