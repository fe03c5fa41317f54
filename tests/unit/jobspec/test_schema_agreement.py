"""The schema and the validator come from one table and judge single fields alike (Q8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.jobspec import InvalidJobSpec, job_file_schema, normalize_job_spec
from lib.jobspec.fields import FIELDS

SCHEMA = job_file_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
ROOT = Path(__file__).parents[3]

# Fields whose rule says no more than a schema can.
EXACT = [
    "voice",
    "speaker",
    "language",
    "profile",
    "variants",
    "select_best",
    "chunk",
    "seed",
    "format",
    "priority",
    "max_attempts",
    "timeout_s",
    "batch",
    "kind",
    "backend",
    "width",
    "height",
    "prompt",
    "request_id",
    "sample_rate",
]

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 100_000),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        [
            "wav",
            48_000,
            "high",
            "fast",
            "tts",
            "image",
            "card",
            640,
            "English",
            "newsroom",
            "Ryan",
            "a\n",
            "1",
            "",
        ]
    ),
    st.lists(st.integers(), max_size=1),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)


@given(field=st.sampled_from(EXACT), value=VALUES)
def test_schema_and_validator_agree_on_every_value_of_a_simple_field(field: str, value: Any) -> None:
    job: dict[str, Any] = {"output_name": "a", "text": "Hello."}
    if field not in ("voice", "speaker"):
        job["voice"] = "newsroom"
    job[field] = value

    try:
        normalize_job_spec(job)
        accepted = True
    except InvalidJobSpec:
        accepted = False

    assert VALIDATOR.is_valid(job) is accepted


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_in_the_repository_is_the_one_that_the_program_makes() -> None:
    stored = json.loads((ROOT / "docs/reference/jobs.schema.json").read_text(encoding="utf-8"))

    assert stored == SCHEMA


def test_the_schema_describes_every_field_and_no_other() -> None:
    assert list(SCHEMA["$defs"]["fields"]["properties"]) == list(FIELDS)
    assert all(entry["description"] for entry in SCHEMA["$defs"]["fields"]["properties"].values())


@pytest.mark.parametrize("field", ["output_name", "request_id", "text", "text_file"])
def test_the_schema_forbids_in_defaults_what_belongs_to_one_job(field: str) -> None:
    batch = {"defaults": {field: "a"}, "jobs": [{"output_name": "a", "text": "Hello.", "voice": "newsroom"}]}

    assert not VALIDATOR.is_valid(batch)
