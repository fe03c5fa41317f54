"""The one door: `normalize_job_spec` makes a `JobSpec` of a mapping, or lists all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lib.jobspec.callback import check_size, merged
from lib.jobspec.fields import FIELDS
from lib.jobspec.kinds import DEFAULT_KIND, KINDS, JobKind, Need, foreign_fields
from lib.jobspec.lookalikes import key_fault, quotes_hint
from lib.jobspec.model import JobSpec
from lib.jobspec.names import derive_request_id
from lib.jobspec.notyet import NOT_YET
from lib.jobspec.problems import (
    BROKEN,
    NO_FIELD,
    FieldFinding,
    InvalidJobSpec,
    Problem,
    Refused,
    nearest,
    printable,
    shown,
)
from lib.jobspec.pronunciation import Sayings, all_sayings
from lib.jobspec.rules import Rule, output_name
from lib.jobspec.textfile import read_text_file

_NAMES: Final = tuple(FIELDS)
_STORED_RULES: Final = {"output_name": output_name(as_stored=True)}
_LONGEST_PATH: Final = 8
_DEFAULTABLE: Final = tuple(name for name, entry in FIELDS.items() if entry.in_defaults)


@dataclass(frozen=True, slots=True)
class Defaults:
    """Checked defaults of a file: `values` holds what is set and right, `findings` what is wrong."""

    values: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[FieldFinding, ...] = ()
    broken: frozenset[str] = frozenset()  # set, but wrong: not to be called missing


def normalize_job_spec(
    raw: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    *,
    base_dir: Path | None = None,
) -> JobSpec:
    """Make a job of a mapping; the only way there is.

    `defaults` fill what `raw` leaves out; an explicit None in `raw` beats a default. Reads nothing but a
    `text_file` and a `lexicon`, which must lie under `base_dir` and are refused when there is none.

    Raises:
        InvalidJobSpec: `.problems` lists everything that is wrong, in defaults and job.
    """
    checked = check_defaults(defaults)
    spec, findings, _ = check_job(raw, checked, base_dir)
    everything = [*checked.findings, *findings]
    if spec is None or everything:
        label = job_label(raw)
        raise InvalidJobSpec(problem_of(finding, job=label) for finding in everything)
    return spec


def from_payload(payload: Mapping[str, Any]) -> JobSpec:
    """Make a job of what `to_payload` gave; it passes every rule again. No defaults, no text files.

    Raises:
        InvalidJobSpec: an unknown key, or a value that breaks its rule.
    """
    spec, findings, _ = check_job(payload, Defaults(), None, as_stored=True)
    if spec is None or findings:
        raise InvalidJobSpec(problem_of(finding, job=job_label(payload)) for finding in findings)
    return spec


def check_defaults(raw: object) -> Defaults:
    """Check the `defaults` of a file; None is the same as none."""
    if raw is None:
        return Defaults()
    if not isinstance(raw, Mapping):
        message = f"must be a mapping of fields, not {shown(raw)}"
        return Defaults(findings=(FieldFinding(("defaults",), message),))
    reader = _FieldReader({}, _DEFAULTABLE, ("defaults",), {})
    reader.read(raw)
    if "voice" in reader.values and "speaker" in reader.values:
        reader.note(("speaker",), "stands beside voice; only one of the two can be the default")
    return Defaults(reader.values, tuple(reader.findings), frozenset(reader.broken))


def check_job(
    raw: object, defaults: Defaults, base_dir: Path | None, *, as_stored: bool = False
) -> tuple[JobSpec | None, list[FieldFinding], dict[str, Any]]:
    """Check one job against checked defaults.

    Returns the spec, or None; what is wrong; and the values that are right, which show even for a job
    with problems whether it meets another. Of `pronounce` the spec has the words that stand in its text, so
    that a change in a lexicon makes no other job of those without the word; all that it was given with
    `as_stored`, which is what it was enqueued with.
    """
    if not isinstance(raw, Mapping):
        message = f"must be a mapping of fields such as output_name and text, not {shown(raw)}"
        return None, [] if raw is BROKEN else [FieldFinding((), message)], {}
    reader = _FieldReader(defaults.values, _NAMES, (), _STORED_RULES if as_stored else {})
    reader.broken |= defaults.broken.difference(raw)
    reader.read(raw)
    reader.finish(raw, base_dir)
    if reader.findings or reader.broken:
        return None, reader.findings, reader.values
    values = dict(reader.values)
    pronounce = values.get("pronounce")
    if isinstance(pronounce, Sayings):  # a specification holds plain values only
        values["pronounce"] = dict(pronounce) if as_stored else pronounce.used_in(values.get("text", ""))
    return JobSpec(**values), reader.findings, reader.values


def job_label(raw: object) -> str | None:
    """Name a job for an error: its request id, else its output name, else None."""
    if isinstance(raw, Mapping):
        for name in ("request_id", "output_name"):
            given = raw.get(name)
            if isinstance(given, str) and given:
                return printable(given if len(given) <= 80 else given[:79] + "…")
    return None


def problem_of(
    finding: FieldFinding, *, file: str | None = None, line: int | None = None, job: str | None = None
) -> Problem:
    """Turn a finding into a problem with its place."""
    parts = [_key_text(part) for part in finding.path[:_LONGEST_PATH]]
    if len(finding.path) > _LONGEST_PATH:
        parts.append("…")
    named = ".".join(parts) or None
    return Problem(finding.message, file, line, job, named, finding.suggestion)


def _key_text(key: object) -> str:
    text = key if isinstance(key, str) else shown(key)
    return printable(text if len(text) <= 80 else text[:79] + "…")


class _FieldReader:
    """Reads one mapping of fields: values that pass, findings for the rest."""

    def __init__(
        self,
        values: Mapping[str, Any],
        allowed: tuple[str, ...],
        place: tuple[str, ...],
        other_rules: Mapping[str, Rule],
    ) -> None:
        self.values = dict(values)
        self._other_rules = other_rules
        self.findings: list[FieldFinding] = []
        self.broken: set[str] = set()
        self._allowed = allowed
        self._place = place

    def read(self, raw: Mapping[Any, Any]) -> None:
        """Check field by field, in the order of the file."""
        for name, value in raw.items():
            entry = FIELDS.get(name)
            if entry is None or (self._place and not entry.in_defaults):
                self._unknown(name)
            elif value is None:
                self.values.pop(name, None)
            elif value is BROKEN:
                self.broken.add(name)
                self.values.pop(name, None)
            else:
                try:
                    checked = self._other_rules.get(name, entry.rule).check(value)
                    if name in NOT_YET:
                        raise Refused(NOT_YET[name])
                except Refused as refused:
                    self.refused(name, refused)
                else:
                    if entry.merges and name in self.values:
                        checked = merged(self.values[name], checked)
                    self.values[name] = checked

    def finish(self, raw: Mapping[Any, Any], base_dir: Path | None) -> None:
        """Apply the rules that join several fields."""
        if "request_id" not in self.values:
            self._derive_request_id()
        kind = self._kind(raw)
        if kind is not None:
            self._leave_out_foreign(kind, raw)
            for need in kind.needs:
                self._one_of(need)
        self._read_files(base_dir)
        self._check_size("callback_data", check_size)

    def note(self, path: tuple[str | int, ...], message: str, suggestion: str | None = None) -> None:
        """Add a finding."""
        self.findings.append(FieldFinding((*self._place, *path), message, suggestion))

    def refused(self, name: str, refused: Refused) -> None:
        """Add what a rule said about the field `name`."""
        self.broken.add(name)
        self.values.pop(name, None)
        for each in (refused, *refused.others):
            self.note((name, *each.path), each.message, each.suggestion)

    def _is_set(self, name: str) -> bool:
        return name in self.values or name in self.broken

    def _unknown(self, name: Any) -> None:
        text = _key_text(name)
        entry = FIELDS.get(text)
        if entry is not None and not entry.in_defaults:
            self.note((name,), "may not stand in defaults; each job has its own")
            return
        fault = key_fault(name, self._allowed) if isinstance(name, str) else None
        self.note((name,), *(fault or (NO_FIELD, nearest(text, self._allowed))))

    def _derive_request_id(self) -> None:
        if "output_name" not in self.values:
            if "output_name" not in self.broken:
                self.note(("output_name",), "is missing; every job needs one, such as topic/beat-001")
        elif "request_id" not in self.broken:
            derived = derive_request_id(self.values["output_name"])
            if derived is None:
                self.note(
                    ("output_name",),
                    f"{shown(self.values['output_name'])} gives no request id; ids are 1 to 200 of "
                    "A-Z a-z 0-9 . _ : ~ - and start with a letter or digit",
                    quotes_hint(self.values["output_name"]) or "add a request_id of your own",
                )
            else:
                self.values["request_id"] = derived

    def _kind(self, raw: Mapping[Any, Any]) -> JobKind | None:
        """Whose rules hold; None when it is a kind that is refused, of which nothing more is asked."""
        if "kind" not in self.broken:
            return KINDS[self.values.get("kind", DEFAULT_KIND)]
        given = raw.get("kind")
        return None if given is None or (isinstance(given, str) and given in KINDS) else KINDS[DEFAULT_KIND]

    def _leave_out_foreign(self, kind: JobKind, raw: Mapping[Any, Any]) -> None:
        """A default for jobs of other kinds does not count; in the job itself it is refused."""
        for name in sorted(self.values.keys() & foreign_fields(kind)):
            del self.values[name]
            if raw.get(name) is not None:
                self.broken.add(name)
                self.note((name,), "does not belong to a job of this kind")

    def _one_of(self, need: Need) -> None:
        given = [name for name in need.fields if self._is_set(name)]
        if len(given) > 1:
            self.note((given[1],), need.both, need.advice)
        elif not given:
            self.note((need.fields[0],), need.missing)

    def _check_size(self, name: str, check: Callable[[Any], None]) -> None:
        if name in self.values:
            try:
                check(self.values[name])
            except Refused as refused:
                self.refused(name, refused)

    def _read_files(self, base_dir: Path | None) -> None:
        values = self.values
        if "text_file" in values and not self._is_set("text"):
            try:
                values["text"] = read_text_file(values.pop("text_file"), base_dir)
            except Refused as refused:
                self.refused("text_file", refused)
        lexicon = values.pop("lexicon", None)
        if lexicon is not None or "pronounce" in values:
            try:
                values["pronounce"] = all_sayings(values.get("pronounce", {}), lexicon, base_dir)
            except Refused as refused:
                self.refused("pronounce" if lexicon is None else "lexicon", refused)
