"""A pipeline as data: what a snapshot stores and a run is bound to for life."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from lib.pipeline.run_inputs import RunInput


@dataclass(frozen=True, slots=True)
class GraphStage:
    """One task of a graph. `timeout_s` and `retries` are None where the settings decide.

    `takes` are those of `requires` whose results it is given; None: all. For the others it only waits.
    """

    name: str
    requires: tuple[str, ...] = ()
    timeout_s: float | None = None
    retries: int | None = None
    gate: bool = False
    executor: str = "worker"
    lane: str | None = None
    takes: tuple[str, ...] | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the results that it is given."""
        return self.requires if self.takes is None else self.takes


@dataclass(frozen=True)
class Graph:
    """Stages with their requirements first, and the digest of the code they came from.

    `inputs` is what the pipeline says its runs may be given; empty: it says nothing.
    """

    dag: str
    stages: tuple[GraphStage, ...]
    code_digest: str
    inputs: tuple[RunInput, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, GraphStage]:
        """Each stage under its name."""
        return {stage.name: stage for stage in self.stages}

    @cached_property
    def downstream(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the stages that require each stage directly."""
        return {
            stage.name: tuple(other.name for other in self.stages if stage.name in other.requires)
            for stage in self.stages
        }

    def below(self, name: str) -> frozenset[str]:
        """Every stage that requires `name`, directly or not."""
        found: set[str] = set()
        ahead = list(self.downstream[name])
        while ahead:
            if (stage := ahead.pop()) not in found:
                found.add(stage)
                ahead.extend(self.downstream[stage])
        return frozenset(found)

    @cached_property
    def digest(self) -> str:
        """sha256 of graph and code: the snapshot's id."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """One canonical text, the same for equal graphs."""
        # Where nothing is said of inputs the text, and so the digest, is that of earlier releases.
        said = {"inputs": [asdict(each) for each in self.inputs]} if self.inputs else {}
        stages = [asdict(stage) for stage in self.stages]
        whole = {"dag": self.dag, "stages": stages, "code_digest": self.code_digest, **said}
        return json.dumps(whole, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """Read back what `to_json` wrote, of this or an earlier version."""
        data: dict[str, Any] = json.loads(text)
        return cls(
            dag=data["dag"],
            stages=tuple(_stage_from(stage) for stage in data["stages"]),
            code_digest=data["code_digest"],
            inputs=tuple(RunInput(**each) for each in data.get("inputs", ())),
        )


def _stage_from(data: Mapping[str, Any]) -> GraphStage:
    takes = data.get("takes")
    return GraphStage(
        **{
            **data,
            "requires": tuple(data["requires"]),
            "takes": None if takes is None else tuple(takes),
        }
    )
