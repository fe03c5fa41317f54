"""Starts runs by what the operator decided about stages: for the command line, REST and pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib.errors import BadInput
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.operator_rules import OperatorRules, load_rules, shipped_rules
from lib.pipeline.runs import NewRun, Started, start_job
from lib.pipeline.snapshots import GraphSnapshot, list_snapshots


class UnknownPipeline(BadInput):
    """No pipeline of that name is stored."""


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that exists now, and what it is bound to."""

    started: Started
    snapshot: GraphSnapshot

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "id": self.started.id,
            "created": self.started.created,
            "dag": self.snapshot.graph.dag,
            "snapshot": self.snapshot.id,
        }


def start_by_rules(
    ledger: PipelineLedger,
    snapshot: GraphSnapshot,
    run: NewRun,
    *,
    config: Path | None,
    timeout_s: float,
    max_attempts: int,
) -> StartedRun:
    """Start a run bound to a snapshot, with the operator's rules frozen into it.

    `config` is the operator's file; None: `conf/operator.yaml` of the working folder, if there is one.
    `timeout_s` and `max_attempts` hold for stages of which nobody says otherwise.

    Raises:
        BadInput, RunConflict: the run cannot be started so; nothing was.
        InvalidRules: the operator's file is wrong.
    """
    rules = _rules_of(ledger, snapshot, config)
    found = rules.stage_rules(snapshot.graph, timeout_s=timeout_s, max_attempts=max_attempts)
    started = start_job(ledger, snapshot.id, replace(run, config=rules.to_json()), found)
    return StartedRun(started, snapshot)


def _rules_of(ledger: PipelineLedger, snapshot: GraphSnapshot, config: Path | None) -> OperatorRules:
    """What the operator decided; a stage may be named that any pipeline has which is stored or shipped."""
    shipped = shipped_rules()
    stages = {stage.name for each in list_snapshots(ledger) for stage in each.graph.stages}
    stages |= {*shipped.gates, *shipped.stage_timeouts, *snapshot.graph.by_name}
    return load_rules(config, stages=stages)


def stored_pipeline(ledger: PipelineLedger, dag: str | None) -> GraphSnapshot:
    """The active snapshot of a stored pipeline; None: of the only one that is stored.

    Raises:
        UnknownPipeline: none of that name is stored, or several are and none is named.
    """
    active = {each.graph.dag: each for each in list_snapshots(ledger) if each.active}
    known = ", ".join(sorted(active)) or "none yet; `job-pipeline init-db` stores those that come with it"
    if dag is None and len(active) == 1:
        return next(iter(active.values()))
    if dag is None:
        raise UnknownPipeline(f"say of which pipeline the run is; stored are {known}")
    if dag not in active:
        raise UnknownPipeline(f"no pipeline {dag!r} is stored; there are {known}")
    return active[dag]
