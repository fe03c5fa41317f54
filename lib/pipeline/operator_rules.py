"""What the operator decides about stages: `conf/operator.yaml`, checked and laid over what is shipped.

docs/reference/operator-yaml.md describes the file and where it is looked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lib.errors import BadConfiguration
from lib.files import NotPlain, read_plain
from lib.jobspec import Problem, printable
from lib.pipeline.graph import Graph, GraphStage
from lib.pipeline.model import GateRule
from lib.pipeline.operator_file import RulesReading
from lib.pipeline.runs import StageRules
from lib.units import MIB

#: Where the file is looked for, from the working folder.
USUAL_PLACE: Final = Path("conf/operator.yaml")
_SHIPPED: Final = Path(__file__).with_name("operator.yaml")
_MOST_BYTES: Final = MIB
_SPOKEN_BY: Final = ("voice", "speaker")


class InvalidRules(BadConfiguration):
    """The operator's file breaks rules; nothing of it is used. `problems` are all of them, by line."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        lines = [str(problem) for problem in self.problems]
        if len(lines) > 1:
            lines.insert(0, f"{name} has {len(lines)} problems; nothing of it was used.")
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRules:
    """What holds for the stages of every pipeline, by the name of the stage.

    `source` is the file, or "as shipped". `gates` has the keys of the file, `stage_timeouts` minutes,
    `narration` the fields of a job, `film` how pictures and films are made. `own` names the stages whose time
    the operator chose: that time goes before what the pipeline's code says, a shipped one after it.
    """

    source: str
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stage_timeouts: Mapping[str, float] = field(default_factory=dict)
    narration: Mapping[str, Any] = field(default_factory=dict)
    film: Mapping[str, Any] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    def stage_rules(self, graph: Graph, *, timeout_s: float, max_attempts: int) -> StageRules:
        """What a run of this graph is started with; `timeout_s` and `max_attempts` are the settings'."""
        return StageRules(
            timeout_s=timeout_s,
            max_attempts=max_attempts,
            timeouts_s={
                stage.name: self.stage_timeouts[stage.name] * 60
                for stage in graph.stages
                if stage.name in self.stage_timeouts and (stage.name in self.own or stage.timeout_s is None)
            },
            gates={stage.name: self._gate(stage) for stage in graph.stages},
        )

    def to_json(self) -> dict[str, Any]:
        """What stays with a run, as `config`: the form of the file, and where it came from."""
        return {
            "source": self.source,
            "gates": {stage: dict(gate) for stage, gate in self.gates.items()},
            "pipeline": {"stage_timeouts": dict(self.stage_timeouts)},
            "narration": dict(self.narration),
            "film": dict(self.film),
        }

    def _gate(self, stage: GraphStage) -> GateRule | None:
        gate = self.gates.get(stage.name, {})
        if not gate.get("required", stage.gate):
            return None
        minutes = gate.get("timeout_minutes")
        return GateRule(
            auto_approve=gate.get("auto_approve", False),
            timeout_s=None if minutes is None else minutes * 60,
            on_timeout=gate.get("on_timeout", "wait"),
        )


def load_rules(path: Path | None, *, stages: Collection[str], folder: Path = Path()) -> OperatorRules:
    """The rules of the file at `path`; without one those of `conf/operator.yaml` in `folder`, if it is there.

    `stages` are the names that the pipelines at hand have: others are errors.

    Raises:
        InvalidRules: the file cannot be read, or anything in it is wrong.
    """
    if path is None and not (folder / USUAL_PLACE).exists():
        return shipped_rules()
    file = folder / USUAL_PLACE if path is None else path
    name = printable(str(USUAL_PLACE if path is None else path))
    found = _checked(_read(file, name), name, stages)
    return _laid_over(shipped_rules(), found)


def shipped_rules() -> OperatorRules:
    """The rules where the operator decided nothing."""
    data = _read(_SHIPPED, "as shipped")
    return _checked(data, "as shipped", None)


def _read(path: Path, name: str) -> bytes:
    try:
        data = read_plain(path, _MOST_BYTES, follow=True)
    except NotPlain:
        raise InvalidRules(name, [Problem("is no file; give a file in YAML", name)]) from None
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "no usable path"
        raise InvalidRules(name, [Problem(f"cannot be read: {why}", name)]) from None
    if len(data) > _MOST_BYTES:
        raise InvalidRules(name, [Problem(f"is larger than {_MOST_BYTES // MIB} MiB", name)])
    return data


def _checked(data: bytes, name: str, stages: Collection[str] | None) -> OperatorRules:
    reading = RulesReading(data, name, stages)
    if reading.problems:
        raise InvalidRules(name, reading.problems)
    return OperatorRules(
        source=name,
        gates=reading.gates,
        stage_timeouts=reading.stage_timeouts,
        narration=reading.narration,
        film=reading.film,
    )


def _laid_over(shipped: OperatorRules, found: OperatorRules) -> OperatorRules:
    """The file's rules, and the shipped ones where it says nothing."""
    stages = [*shipped.gates, *(name for name in found.gates if name not in shipped.gates)]
    below = shipped.narration
    if any(found.narration.get(name) is not None for name in _SPOKEN_BY):
        below = {name: value for name, value in below.items() if name not in _SPOKEN_BY}
    return OperatorRules(
        source=found.source,
        gates={name: {**shipped.gates.get(name, {}), **found.gates.get(name, {})} for name in stages},
        stage_timeouts={**shipped.stage_timeouts, **found.stage_timeouts},
        narration={**below, **found.narration},
        film={**shipped.film, **found.film},
        own=frozenset(
            name
            for name, minutes in found.stage_timeouts.items()
            if minutes != shipped.stage_timeouts.get(name)
        ),
    )
