"""The JSON Schema of a beatsheet, from the table of a job's fields."""

from __future__ import annotations

from typing import Any

from lib.jobspec.files.beatsheet import JOB_FIELDS
from lib.jobspec.kinds import DEFAULT_KIND
from lib.jobspec.schema import job_file_schema

_TEXTS = ("text", "narration")


def beatsheet_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a beatsheet. It asks for no voice: a command can name one."""
    jobs = job_file_schema()["$defs"]
    fields: dict[str, Any] = jobs["fields"]["properties"]
    fields["kind"] = {**fields["kind"], "anyOf": [{"enum": [DEFAULT_KIND]}, {"type": "null"}]}
    defaults = jobs["defaults"]
    defaults["properties"]["kind"] = fields["kind"]
    defaults["properties"]["lexicon"] = {"type": "null"}  # a beatsheet has no files beside it
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A beatsheet",
        "description": "The narration of one topic, beat by beat.",
        "type": "object",
        "required": ["topic", "beats"],
        "additionalProperties": False,
        "properties": {
            "topic": {**fields["output_name"], "description": "The folder of the audio, such as tides."},
            "voice": fields["voice"],
            "speaker": fields["speaker"],
            "defaults": defaults,
            "beats": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/beat"}},
        },
        "not": {"allOf": [_set("voice"), _set("speaker")]},
        "$defs": {"beat": _beat(fields)},
    }


def _beat(fields: dict[str, Any]) -> dict[str, Any]:
    pattern = r"^(?!\.{1,2}$)[^/\\:\u0000-\u001f\u007f]+$(?!\n)"
    about = "The beat's name in the topic, such as beat-001: the audio is <topic>/<id>."
    properties = {
        "id": {"description": about, "type": "string", "pattern": pattern},
        "text": {**fields["text"], "description": "What to speak. This or narration."},
        "narration": {**fields["text"], "description": "What to speak. This or text."},
    }
    others = {name: fields[name] for name in JOB_FIELDS if name not in properties}
    others["callback_data"] = {
        **fields["callback_data"],
        "description": "Comes back with the result, with topic, beat_id and index (from 0) added.",
    }
    return {
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {**properties, **others},
        "oneOf": [_set(name) for name in _TEXTS],
        "not": {"allOf": [_set("voice"), _set("speaker")]},
    }


def _set(name: str) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: {"not": {"type": "null"}}}}
