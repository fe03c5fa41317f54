"""The JSON Schema of a job file, made from the table of fields, for editors and other programs.

It says what a schema can say. Rules that look at several jobs, at bytes or at other files (equal ids, files
that meet, Unicode form, text files) stay with the validator.
"""

from __future__ import annotations

from typing import Any

from lib.jobspec.fields import FIELDS, Field
from lib.jobspec.kinds import DEFAULT_KIND, IMAGE, PICTURE_FIELDS, SPEECH_FIELDS
from lib.jobspec.notyet import NOT_YET

_SET = {"not": {"type": "null"}}


def job_file_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a job file, from the same table of fields that validates."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A file of narration and picture jobs",
        "description": "A mapping with jobs (and defaults), or a list of jobs, or one job.",
        "type": ["object", "array"],
        "if": {"type": "array"},
        "then": {"$ref": "#/$defs/complete_jobs"},
        "else": {
            "if": {"anyOf": [{"required": ["jobs"]}, {"required": ["defaults"]}]},
            "then": {"$ref": "#/$defs/batch"},
            "else": {"$ref": "#/$defs/complete_job"},
        },
        "$defs": {
            "batch": _batch(),
            "complete_jobs": _listed("#/$defs/complete_job"),
            "complete_job": _of_kind("#/$defs/voiced"),
            "job": _of_kind("#/$defs/spoken"),
            "job_of_pictures": _of_kind("#/$defs/spoken", usually=IMAGE),
            "complete_job_of_pictures": _of_kind("#/$defs/voiced", usually=IMAGE),
            "voiced": {"allOf": [{"$ref": "#/$defs/spoken"}, _one_of("voice", "speaker")]},
            "spoken": {
                "allOf": [
                    _one_of("text", "text_file"),
                    {"not": _both("voice", "speaker")},
                    _none(*PICTURE_FIELDS),
                ]
            },
            "drawn": {"allOf": [_has("prompt"), _none(*SPEECH_FIELDS)]},
            "fields": _fields(),
            "defaults": _defaults(),
        },
    }


def _batch() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["jobs"],
        "additionalProperties": False,
        "properties": {"defaults": {"$ref": "#/$defs/defaults"}, "jobs": _listed("#/$defs/fields")},
        "allOf": [
            _jobs_after(says=says, of=of, voiced=voiced)
            for says, of in ((_is(IMAGE), "_of_pictures"), ({"not": _is(IMAGE)}, ""))
            for voiced in (True, False)
        ],
    }


def _jobs_after(*, says: dict[str, Any], of: str, voiced: bool) -> dict[str, Any]:
    """What jobs are after defaults whose kind is as `says`, with a voice or without."""
    named = _any_of("voice", "speaker")
    about = {"allOf": [says, named if voiced else {"not": named}]}
    defaults = {"properties": {"defaults": about}}
    if not of and not voiced:  # so it is where there are none
        condition: dict[str, Any] = defaults
    else:
        condition = {**defaults, "required": ["defaults"]}
    jobs = f"#/$defs/{'job' if voiced else 'complete_job'}{of}"
    return {"if": condition, "then": {"properties": {"jobs": _listed(jobs)}}}


def _of_kind(spoken: str, *, usually: str = DEFAULT_KIND) -> dict[str, Any]:
    """A job that is spoken or drawn; `usually` is the kind of one that names none."""
    pictures = _is(IMAGE) if usually != IMAGE else {"not": _is(DEFAULT_KIND)}
    kinds = {"if": pictures, "then": {"$ref": "#/$defs/drawn"}, "else": {"$ref": spoken}}
    return {"allOf": [{"$ref": "#/$defs/fields"}, kinds]}


def _listed(reference: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": {"$ref": reference}}


def _fields() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["output_name"],
        "properties": {field.name: _property(field) for field in FIELDS.values()},
    }


def _defaults() -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {field.name: _property(field) for field in FIELDS.values() if field.in_defaults},
        "not": _both("voice", "speaker"),
    }


def _property(field: Field) -> dict[str, Any]:
    rule = dict(field.rule.schema)
    described: dict[str, Any] = {"description": field.described().replace("`", "")}
    if field.name == "output_name":
        return described | rule
    if field.default not in (None, {}, ""):
        described["default"] = field.default
    if field.name in NOT_YET:
        described["type"] = "null"  # whatever the rule says, nothing else is accepted so far
    return described | {"anyOf": [*rule.pop("anyOf", [rule]), {"type": "null"}]}


def _has(name: str) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: _SET}}


def _is(kind: str) -> dict[str, Any]:
    return {"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}}}


def _none(*names: str) -> dict[str, Any]:
    return {"properties": {name: {"type": "null"} for name in sorted(names)}}


def _one_of(first: str, second: str) -> dict[str, Any]:
    return {"oneOf": [_has(first), _has(second)]}


def _any_of(first: str, second: str) -> dict[str, Any]:
    return {"anyOf": [_has(first), _has(second)]}


def _both(first: str, second: str) -> dict[str, Any]:
    return {"allOf": [_has(first), _has(second)]}
