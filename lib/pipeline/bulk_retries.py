"""Gives stages their attempts anew, one run after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from lib.pipeline.failures import WrongState
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.overview import RetryableStage
from lib.pipeline.runs import retry


class RetriedStages(NamedTuple):
    """Those that are tried again, and what others said that were not any more as they had been."""

    retried: Sequence[RetryableStage]
    refused: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """As `retry-dead --json` prints it."""
        return {"retried": [stage.to_json() for stage in self.retried], "refused": list(self.refused)}


def retry_stages(ledger: PipelineLedger, stages: Sequence[RetryableStage], *, operator: str) -> RetriedStages:
    """Give each stage its attempts anew; one that a worker took meanwhile is left to it."""
    retried, refused = [], []
    for each in stages:
        try:
            retry(ledger, each.run, each.stage, operator=operator)
        except WrongState as error:
            refused.append(error.message)
        else:
            retried.append(each)
    return RetriedStages(retried, refused)
