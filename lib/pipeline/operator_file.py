"""Reads the bytes of an operator's file: what stands in it, and every problem with its line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from lib.jobspec import Problem
from lib.jobspec.files.encoding import encoding_fault
from lib.jobspec.files.yamltree import LinedDict, line_of, read_yaml
from lib.jobspec.normalize import check_defaults, problem_of
from lib.jobspec.problems import BROKEN, FieldFinding, Refused, nearest, shown
from lib.jobspec.rules import Rule, choice, number, truth, whole_number, word

_ROOT: Final = ("gates", "pipeline", "narration", "film")
_PIPELINE: Final = ("stage_timeouts",)
_SHORTEST: Final = 0.01  # minutes; a zero would mean that nothing is ever in time
_GATE: Final[Mapping[str, Rule]] = {
    "required": truth(),
    "auto_approve": truth(),
    "timeout_minutes": number(_SHORTEST, 525_600),
    "on_timeout": choice("wait", "remind", "reject", "approve"),
}
#: Sides in pixels: what every player and every model takes. Odd ones have no half for the colours.
_SIDE: Final = whole_number(64, 4096)
_FILM: Final[Mapping[str, Rule]] = {
    "width": _SIDE,
    "height": _SIDE,
    "fps": whole_number(1, 60),
    "captions": choice("burned", "soft", "both", "off"),
    "pictures": word(r"^[a-z0-9][a-z0-9._-]{0,63}\Z", "small letters, digits, '.', '_' and '-'", 64),
    "theme": word(r"^[a-z0-9][a-z0-9._-]{0,63}\Z", "small letters, digits, '.', '_' and '-'", 64),
}
_STAGE_MINUTES: Final = number(_SHORTEST, 7 * 1440)
_NO_FILES: Final = FieldFinding(
    ("narration", "lexicon"), "is not read here", "give the words under narration.pronounce"
)

Place = tuple[str, ...]


class RulesReading:
    """One file, read and checked. `stages` are the names that are known; None: any name is."""

    def __init__(self, data: bytes, name: str, stages: Collection[str] | None) -> None:
        self.problems: list[Problem] = []
        self.gates: dict[str, dict[str, Any]] = {}
        self.stage_timeouts: dict[str, float] = {}
        self.narration: dict[str, Any] = {}
        self.film: dict[str, Any] = {}
        self._name = name
        self._stages = None if stages is None else tuple(sorted(stages))
        fault = encoding_fault(data)
        if fault is not None:
            self.problems.append(Problem(fault[1], name, fault[0], suggestion=fault[2]))
            return
        tree = read_yaml(data)
        self._root, self._line = tree.root, tree.line
        for flaw in tree.flaws:
            finding = FieldFinding(flaw.path, flaw.message, flaw.suggestion)
            self.problems.append(problem_of(finding, file=name, line=flaw.line))
        if tree.complete and self._root is not BROKEN:
            self._check()

    def _check(self) -> None:
        root = self._mapping((), self._root, _ROOT)
        self._check_gates(self._part(root, "gates"))
        pipeline = self._mapping(("pipeline",), root.get("pipeline"), _PIPELINE)
        self._check_timeouts(self._mapping(("pipeline", "stage_timeouts"), pipeline.get("stage_timeouts")))
        self._check_narration(root.get("narration"))
        self._check_film(self._mapping(("film",), root.get("film"), tuple(_FILM)))

    def _part(self, root: Mapping[Any, Any], key: str) -> Mapping[Any, Any]:
        return self._mapping((key,), root.get(key))

    def _mapping(self, place: Place, value: Any, keys: tuple[str, ...] | None = None) -> Mapping[Any, Any]:
        """The mapping at a place, none where nothing stands; with `keys` it may hold no others."""
        if value is None or value is BROKEN:
            return {}
        if not isinstance(value, LinedDict):
            self._add(place, f"must be a mapping, not {shown(value)}" if place else _what(value))
            return {}
        for key in value:
            if keys is not None and key not in keys:
                near = nearest(key, keys) if isinstance(key, str) else None
                self._add((*place, key), "is no known key", near or f"there are {', '.join(keys)}")
        return value

    def _check_gates(self, gates: Mapping[Any, Any]) -> None:
        for stage, value in gates.items():
            place = ("gates", stage)
            known = self._is_stage(place, stage)
            checked = {
                key: answer
                for key, given in self._mapping(place, value, tuple(_GATE)).items()
                if key in _GATE and (answer := self._value((*place, key), _GATE[key], given)) is not None
            }
            if known:
                self.gates[stage] = checked

    def _check_timeouts(self, timeouts: Mapping[Any, Any]) -> None:
        for stage, value in timeouts.items():
            place = ("pipeline", "stage_timeouts", stage)
            known = self._is_stage(place, stage)
            minutes = self._value(place, _STAGE_MINUTES, value)
            if known and minutes is not None:
                self.stage_timeouts[stage] = minutes

    def _check_narration(self, value: Any) -> None:
        if value is BROKEN:
            return
        checked = check_defaults(value)
        for finding in checked.findings:  # of a job file these stand under `defaults`
            self._add(("narration", *finding.path[1:]), finding.message, finding.suggestion)
        if "lexicon" in checked.values:
            self._add(_NO_FILES.path, _NO_FILES.message, _NO_FILES.suggestion)
        self.narration = {
            name: dict(given) if isinstance(given, Mapping) else given
            for name, given in checked.values.items()
        }

    def _check_film(self, film: Mapping[Any, Any]) -> None:
        for key, given in film.items():
            if key not in _FILM or (value := self._value(("film", key), _FILM[key], given)) is None:
                continue
            if key in ("width", "height") and value % 2:
                self._add(("film", key), f"must be even, not {value}", str(value + 1))
            else:
                self.film[key] = value

    def _is_stage(self, place: Place, stage: Any) -> bool:
        if isinstance(stage, str) and (self._stages is None or stage in self._stages):
            return True
        known = self._stages or ()
        near = nearest(stage, known) if isinstance(stage, str) else None
        self._add(place, "is no stage", near or f"there are {', '.join(known)}")
        return False

    def _value(self, place: Place, rule: Rule, value: Any) -> Any:
        """The checked value; None where nothing stands, or something wrong."""
        if value is None or value is BROKEN:
            return None
        try:
            return rule.check(value)
        except Refused as refused:
            self._add(place, refused.message, refused.suggestion)
            return None

    def _add(self, path: tuple[Any, ...], message: str, suggestion: str | None = None) -> None:
        line = line_of(self._root, path, self._line)
        self.problems.append(problem_of(FieldFinding(path, message, suggestion), file=self._name, line=line))


def _what(value: Any) -> str:
    return f"holds {shown(value)}; write a mapping with {', '.join(_ROOT)}"
