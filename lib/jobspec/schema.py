"""The JSON Schema of a job file, made from the table of fields, for editors and other programs.

It says what a schema can say. Rules that look at several jobs, at bytes or at other files (equal ids, files
that meet, Unicode form, text files) stay with the validator.
"""

from __future__ import annotations

from typing import Any

from lib.jobspec.fields import FIELDS, Field
from lib.jobspec.notyet import NOT_YET

_SET = {"not": {"type": "null"}}


def job_file_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a job file, from the same table of fields that validates."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A file of narration jobs",
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
            "complete_job": {"allOf": [{"$ref": "#/$defs/job"}, _one_of("voice", "speaker")]},
            "job": _job(),
            "defaults": _defaults(),
        },
    }


def _batch() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["jobs"],
        "additionalProperties": False,
        "properties": {"defaults": {"$ref": "#/$defs/defaults"}, "jobs": _listed("#/$defs/job")},
        "if": {"properties": {"defaults": {"not": _any_of("voice", "speaker")}}},
        "then": {"properties": {"jobs": _listed("#/$defs/complete_job")}},
    }


def _listed(reference: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": {"$ref": reference}}


def _job() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["output_name"],
        "properties": {field.name: _property(field) for field in FIELDS.values()},
        "allOf": [_one_of("text", "text_file"), {"not": _both("voice", "speaker")}],
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


def _one_of(first: str, second: str) -> dict[str, Any]:
    return {"oneOf": [_has(first), _has(second)]}


def _any_of(first: str, second: str) -> dict[str, Any]:
    return {"anyOf": [_has(first), _has(second)]}


def _both(first: str, second: str) -> dict[str, Any]:
    return {"allOf": [_has(first), _has(second)]}
