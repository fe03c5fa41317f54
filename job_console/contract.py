"""The documented shapes of `--json`, as the components of the OpenAPI: one contract for both.

docs/reference/json holds them; an installed wheel carries a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from lib.foreign import parse_json
from lib.jobspec import job_file_schema

_HERE: Final = Path(__file__).parent
_PLACES: Final = (_HERE / "schemas", _HERE.parent / "docs" / "reference" / "json")
_NOT_OURS: Final = ("$schema", "$id")

#: The component that is the schema of job files.
JOB_FILE: Final = "job-file"

JsonSchema = dict[str, Any]


def ref(name: str, pointer: str = "") -> JsonSchema:
    """A reference to the shape of a command's `--json`, or to a part of it."""
    return {"$ref": f"#/components/schemas/{name}{pointer}"}


@cache
def shape(name: str) -> JsonSchema:
    """The documented shape of that name, its references led to the components."""
    if name == JOB_FILE:
        found = job_file_schema()
    else:
        file = next(place / f"{name}.json" for place in _PLACES if place.is_dir())
        found = parse_json(file.read_text(encoding="utf-8"))
    led: JsonSchema = _led({key: value for key, value in found.items() if key not in _NOT_OURS}, name)
    return led


def _led(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_led(each, name) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(target := value.get("$ref"), str) and target.partition("#")[0].endswith((".json", "")):
        file, _, pointer = target.partition("#")
        rest = {key: _led(each, name) for key, each in value.items() if key != "$ref"}
        return {**ref(file.removesuffix(".json") or name, pointer), **rest}
    return {key: _led(each, name) for key, each in value.items()}


def refs_of(value: Any) -> Iterator[str]:
    """The names of the components that something refers to."""
    if isinstance(value, list):
        for each in value:
            yield from refs_of(each)
    elif isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix("#/components/schemas/").partition("/")[0]
        for each in value.values():
            yield from refs_of(each)


def components_for(document: JsonSchema) -> dict[str, JsonSchema]:
    """Each documented shape that a document refers to, through others too, and does not hold itself."""
    held = document.get("components", {}).get("schemas", {})
    found: dict[str, JsonSchema] = {}
    wanted = set(refs_of(document)) - {*held}
    while wanted:
        name = wanted.pop()
        found[name] = shape(name)
        wanted |= set(refs_of(found[name])) - {*found, *held}
    return found
