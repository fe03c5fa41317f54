"""A YAML file of jobs: read whole, checked whole, with the line of everything that is wrong.

Importing this brings the YAML parser, about 30 ms; `lib.jobspec` does so only when a file is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lib.jobspec.fields import FIELDS
from lib.jobspec.files.collisions import clashes
from lib.jobspec.files.commas import WholeTexts
from lib.jobspec.files.doubts import doubts, with_remark
from lib.jobspec.files.encoding import encoding_fault
from lib.jobspec.files.source import MAX_FILE_BYTES
from lib.jobspec.files.yamlscalars import advice
from lib.jobspec.files.yamltree import Flaw, LinedDict, LinedList, Tree, line_of, read_yaml, resting_collector
from lib.jobspec.model import Draft, InvalidJobFile, JobFile, JobSpec
from lib.jobspec.normalize import Defaults, check_defaults, check_job, job_label, problem_of
from lib.jobspec.problems import BROKEN, FieldFinding, Problem, nearest, shown
from lib.units import MIB

_SHAPES: Final = (
    "write a mapping with jobs (and defaults), or a list of jobs, or one job with its fields at the top"
)
_ROOT_KEYS: Final = ("defaults", "jobs")
_OF_A_LINE: Final = re.compile(r'".+" (line \d|has \d+ more lines)')
_ASSIGNED: Final = re.compile(r"\w+ *=")


def parse_job_file(data: bytes, *, name: str, base_dir: Path | None) -> JobFile:
    """Check the bytes of a file of jobs. `name` stands in errors; without `base_dir` text files are refused.

    Raises:
        InvalidJobFile: anything is wrong; `.problems` lists all of it, by line. No bytes raise anything else.
    """
    refusal = _encoding_problem(data, name)
    if refusal is not None:
        raise InvalidJobFile(name, [refusal])
    with resting_collector():
        tree = read_yaml(data)
        reading = _JobFileReading(name, tree, data)
        if tree.complete:
            reading.check(base_dir)
    read = replace(job_file(name, reading.drafts, default_lines(tree.root)), warnings=tuple(reading.warnings))
    if reading.problems:
        raise InvalidJobFile(name, sorted(reading.problems, key=lambda problem: problem.line or 0), read)
    return read


def job_file(name: str, drafts: Sequence[Draft], lines_of_defaults: Mapping[Any, int]) -> JobFile:
    """The file of all that was read: its sound jobs, and the drafts of all."""
    sound = [(draft.spec, draft.line) for draft in drafts if draft.spec is not None]
    specs, lines = tuple(spec for spec, _ in sound), tuple(line for _, line in sound)
    return JobFile(Path(name), specs, lines, tuple(drafts), lines_of_defaults)


def default_lines(root: Any) -> Mapping[Any, int]:
    """The line of each field under `defaults`, and of each word in their `pronounce`."""
    defaults = root.get("defaults") if isinstance(root, LinedDict) else None
    return _lines_of(defaults)


def draft_of(label: str, line: int, raw: Any, spec: JobSpec | None, values: Mapping[str, Any]) -> Draft:
    """The draft of one job that starts in `line` and of which `check_job` found spec and values."""
    return Draft(label, line, values, _lines_of(raw), spec)


def _lines_of(raw: Any) -> Mapping[Any, int]:
    if not isinstance(raw, LinedDict):
        return {}
    words = raw.get("pronounce")
    if not isinstance(words, LinedDict):
        return raw.lines
    return {**raw.lines, **{("pronounce", word): line for word, line in words.lines.items()}}


def _encoding_problem(data: bytes, name: str) -> Problem | None:
    if len(data) > MAX_FILE_BYTES:
        return Problem(
            f"is larger than {MAX_FILE_BYTES // MIB} MiB", name, suggestion="make several files of it"
        )
    fault = encoding_fault(data)
    return None if fault is None else Problem(fault[1], name, fault[0], suggestion=fault[2])


@dataclass(slots=True)
class _Jobs:
    """The jobs as they stand in the file. `place` leads to their list; None when the root is the one job."""

    raws: Sequence[Any]
    lines: Sequence[int]
    place: tuple[str | int, ...] | None

    def path(self, index: int) -> tuple[str | int, ...]:
        return () if self.place is None else (*self.place, index)


class _JobFileReading:
    """One file while it is checked."""

    def __init__(self, name: str, tree: Tree, data: bytes) -> None:
        self.drafts: list[Draft] = []
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._name, self._texts = name, WholeTexts(data)
        self._told: set[FieldFinding] = set()
        self._root = tree.root
        self._line = tree.line
        for flaw in tree.flaws:
            job, path = self._job_of(flaw.path)
            self._add(FieldFinding(path, flaw.message, _advice_for(flaw, path)), flaw.line, job)

    def check(self, base_dir: Path | None) -> None:
        """Check defaults and jobs, each by itself and then together."""
        if self._root is BROKEN:
            return
        jobs = self._jobs()
        defaults = check_defaults(self._root.get("defaults") if _is_batch(self._root) else None)
        for finding in defaults.findings:
            self._add(finding, line_of(self._root, finding.path, self._line))
        if jobs is not None:
            self._check_jobs(jobs, defaults, base_dir)

    def _check_jobs(self, jobs: _Jobs, defaults: Defaults, base_dir: Path | None) -> None:
        known = []
        lexicons: dict[FieldFinding, None] = {}
        for index, raw in enumerate(jobs.raws):
            spec, findings, values = check_job(raw, defaults, base_dir)
            known.append(values)
            self.drafts.append(draft_of(self._label(jobs, index), jobs.lines[index], raw, spec, values))
            if findings and isinstance(raw, LinedDict):
                findings = self._texts.told(findings, raw, raw.lines)
            for finding in findings:
                if self._is_told(finding):
                    continue
                if finding.path == ("lexicon",) and not (isinstance(raw, dict) and "lexicon" in raw):
                    lexicons[replace(finding, path=("defaults", "lexicon"))] = None  # one file, many jobs
                else:
                    self._add_to_job(jobs, index, with_remark(finding, raw))
            for finding in doubts(raw, values):
                line = line_of(self._root, (*jobs.path(index), *finding.path), jobs.lines[index])
                label = self._label(jobs, index)
                self.warnings.append(problem_of(finding, file=self._name, line=line, job=label))
        for finding in lexicons:
            self._add(finding, line_of(self._root, finding.path, self._line))
        for clash in clashes(known):
            other = f"job {self._label(jobs, clash.other)} in line {jobs.lines[clash.other]}"
            finding = FieldFinding((clash.field,), f"{clash.message} {other}")
            self._add_to_job(jobs, clash.index, finding)

    def _is_told(self, finding: FieldFinding) -> bool:
        """Whether it is about a line of a lexicon, and a job before told of it already."""
        if finding.path != ("lexicon",) or not _OF_A_LINE.match(finding.message):
            return False
        told = finding in self._told
        self._told.add(finding)
        return told

    def _add_to_job(self, jobs: _Jobs, index: int, finding: FieldFinding) -> None:
        path = (*jobs.path(index), *finding.path)
        line = line_of(self._root, path, jobs.lines[index])
        self._add(finding, line, self._label(jobs, index))

    def _label(self, jobs: _Jobs, index: int) -> str:
        return job_label(jobs.raws[index]) or f"number {index + 1}"

    def _add(self, finding: FieldFinding, line: int, job: str | None = None) -> None:
        self.problems.append(problem_of(finding, file=self._name, line=line, job=job))

    def _job_of(self, path: tuple[str | int, ...]) -> tuple[str | None, tuple[str | int, ...]]:
        """Which job a path from the root leads into, and the rest of the path."""
        root, steps = self._root, 0
        if isinstance(root, dict) and path[:1] == ("jobs",):
            root, steps = root.get("jobs"), 1
        if isinstance(root, list) and len(path) > steps and isinstance(path[steps], int):
            index = int(path[steps])
            raw = root[index] if index < len(root) else None
            return job_label(raw) or f"number {index + 1}", path[steps + 1 :]
        return None, path

    def _jobs(self) -> _Jobs | None:
        root = self._root
        if isinstance(root, LinedList):
            return self._listed(root, (), self._line)
        if _is_batch(root):
            return self._batch(root)
        if isinstance(root, LinedDict) and any(key in FIELDS for key in root):
            return _Jobs([root], [self._line], None)
        what = "is empty" if root is None else f"holds {shown(root)}, which is no job"
        if isinstance(root, LinedDict):
            what = "holds a mapping without any field of a job"
        self._add(FieldFinding((), what, self._shape_hint()), self._line)
        return None

    def _shape_hint(self) -> str:
        """What to write instead of what is no job."""
        if isinstance(self._root, str) and _ASSIGNED.match(self._root):
            return "write a field as its name, a colon and a space: text: Hello"
        return _SHAPES

    def _batch(self, root: LinedDict) -> _Jobs | None:
        for key in root:
            if key not in _ROOT_KEYS:
                self._stray(key, root.lines[key])
        if "jobs" not in root:
            self._add(FieldFinding(("jobs",), "is missing beside defaults", _SHAPES), self._line)
            return None
        jobs = root["jobs"]
        line = root.lines["jobs"]
        if isinstance(jobs, LinedList):
            return self._listed(jobs, ("jobs",), line)
        if jobs is not BROKEN:
            hint = "start each job with a - and a space" if isinstance(jobs, LinedDict) else None
            self._add(FieldFinding(("jobs",), f"must be a list of jobs, not {shown(jobs)}", hint), line)
        return None

    def _listed(self, jobs: LinedList, place: tuple[str, ...], line: int) -> _Jobs:
        if not jobs:
            self._add(FieldFinding(place, "holds no jobs" if not place else "is empty"), line)
        return _Jobs(jobs, jobs.lines, place)

    def _stray(self, key: object, line: int) -> None:
        text = key if isinstance(key, str) else shown(key)
        if text in FIELDS:
            finding = FieldFinding((text,), "stands beside jobs", "put it under defaults, or into the jobs")
        else:
            sheet = "a beatsheet is a JSON object with topic and beats" if text == "beats" else None
            finding = FieldFinding(
                (text,), "is no known key of a job file", sheet or nearest(text, _ROOT_KEYS)
            )
        self._add(finding, line)


def _is_batch(root: Any) -> bool:
    return isinstance(root, LinedDict) and any(key in root for key in _ROOT_KEYS)


def _advice_for(flaw: Flaw, path: tuple[str | int, ...]) -> str | None:
    """What to do about the flaw; of a number in another base only what its field can be."""
    name = next((part for part in path if part != "defaults"), None)
    if flaw.number is None or not isinstance(name, str) or name not in FIELDS:
        return flaw.suggestion
    kind = "string" if name == "pronounce" else FIELDS[name].rule.schema.get("type")
    return advice(flaw.number, as_text=kind not in ("number", "integer"), as_number=kind != "string")
