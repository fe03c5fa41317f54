"""What a worker is told when it starts, and which tasks of which pipelines it then takes."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lib.errors import UsageError
from lib.pipeline import Dag

_LONGEST_HOST: Final = 100


def this_worker() -> str:
    """`host:pid`: whose tasks these are, as people see it. What fences them is each lease's number."""
    return f"{socket.gethostname()[:_LONGEST_HOST] or 'host'}:{os.getpid()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineWorkerOptions:
    """A worker's settings. Times are seconds.

    `dags` are names like `module:object`. `stage` None: all stages. `poll_s` is the longest pause between
    looks at a database that wakes nobody (SQLite). `settles` False: what follows a finished task is left to
    the orchestrator (`--advance=orchestrator`). `folder` is where runs keep their files, each in one of its
    own.
    """

    dags: Sequence[str]
    owner: str = field(default_factory=this_worker)
    concurrency: int = 1
    stage: str | None = None
    lease_s: float = 90.0
    poll_s: float = 0.5
    settles: bool = True
    folder: Path = Path("runs")
    allow_placeholders: bool = False


def stages_taken(dags: Sequence[Dag], stage: str | None) -> Mapping[str, Collection[str]]:
    """The stages that a worker takes, by pipeline; with `stage` only that one, of those that have it.

    Raises:
        UsageError: none has it.
    """
    if stage is None:
        return {dag.name: tuple(dag.tasks) for dag in dags}
    taken = {dag.name: (stage,) for dag in dags if stage in dag.tasks}
    if not taken:
        known = ", ".join(name for dag in dags for name in dag.tasks)
        raise UsageError(f"--stage {stage}: there is no such stage; there are {known}")
    return taken
