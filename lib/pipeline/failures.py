"""What pipelines refuse, as sentences."""

from __future__ import annotations

from lib.errors import BadInput, TryAgain


class UnknownRun(BadInput):
    """No run has that id."""


class UnknownStage(BadInput):
    """The run has no stage of that name."""


class RunConflict(BadInput):
    """A run of that id exists and was started with other inputs."""


class WrongState(BadInput):
    """What is asked for cannot be done in the state that run or stage are in."""


class AlreadyDecided(BadInput):
    """Somebody else decided about the gate first."""


class SeenSomethingElse(TryAgain):
    """What the gate is about is not what the operator looked at."""


def unknown_run(run: str) -> UnknownRun:
    """Say that there is no such run."""
    return UnknownRun(f"there is no run {run!r}; `job-pipeline list-jobs` shows the newest")


def unknown_stage(run: str, stage: str, stages: list[str]) -> UnknownStage:
    """Say which stages there are."""
    return UnknownStage(f"the run {run} has no stage {stage!r}; it has {', '.join(stages)}")
