"""Every command that has `--json` has its shape in docs/reference/json."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import job_console.main
import job_pipeline.main
import job_runner.main
import job_watcher.main
import synth.image_main
import synth.main
import synth.video_main
from lib.cli.program import CommandEntry

SCHEMAS = Path(__file__).parents[3] / "docs/reference/json"
FILES = sorted(SCHEMAS.glob("*.json"))
SHARED = {"error", "problem", "finished-job", "followed-job", "finding", "captions"}  # of others, or files


def printing_json(prefix: str, entries: Sequence[CommandEntry]) -> Iterator[str]:
    """The commands with a `--json` option, by the name of their schema."""
    for entry in entries:
        place, _, attribute = entry.module.partition(":")
        module = importlib.import_module(place)
        nested = getattr(module, "COMMANDS", None)
        if nested is not None and not attribute and isinstance(nested[0], CommandEntry):
            yield from printing_json(f"{prefix}{entry.name}-", nested)
            continue
        parameters = inspect.signature(getattr(module, attribute or "command")).parameters
        if {"json", "json_"} & set(parameters):
            yield f"{prefix}{entry.name}"


def every_command() -> set[str]:
    return {
        *printing_json("", job_runner.main.COMMANDS),
        *printing_json("job-watcher-", job_watcher.main.COMMANDS),
        *printing_json("job-console-", job_console.main.COMMANDS),
        *printing_json("job-pipeline-", job_pipeline.main.COMMANDS),
        *printing_json("voice-synth-", synth.main.COMMANDS),
        *printing_json("image-synth-", synth.image_main.COMMANDS),
        *printing_json("video-synth-", synth.video_main.COMMANDS),
    }


def test_each_command_with_json_has_a_schema_and_each_schema_a_command() -> None:
    assert {path.stem for path in FILES} == every_command() | SHARED


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_schema_is_valid_and_refers_only_to_others_here(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == path.name
    assert schema["title"]
    assert all((SCHEMAS / name).is_file() for name in references(schema))


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str) and not schema["$ref"].startswith("#"):
            yield schema["$ref"]
        schema = list(schema.values())
    for inner in schema if isinstance(schema, list) else ():
        yield from references(inner)
