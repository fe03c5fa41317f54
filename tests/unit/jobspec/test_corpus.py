"""Every file of the corpus gives exactly the messages, or exactly the jobs, that stand beside it (Q2-Q7)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lib.jobspec import InvalidJobFile, job_file_schema, parse_job_file, to_payload

CORPUS = Path(__file__).parents[2] / "corpus"
BAD = sorted((CORPUS / "bad").glob("*.yaml"))
GOOD = sorted((CORPUS / "good").glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(job_file_schema())

# Wrong in ways that a schema cannot see: bytes, YAML itself, other jobs, other files, Unicode, sums.
BEYOND_A_SCHEMA = (
    "yaml-",
    "not-utf-8",
    "same-",
    "files-meet-",
    "field-callback-data",
    "field-text-file-elsewhere",
    "field-text-nothing-to-speak",
    "field-request-id-not-derivable",
    "field-not-before",
    "voice-null-beats-default",
)


def _name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", BAD, ids=_name)
def test_a_bad_file_gets_exactly_its_messages(path: Path) -> None:
    """Q2, Q3, Q5, Q6, Q7."""
    with pytest.raises(InvalidJobFile) as caught:
        parse_job_file(path.read_bytes(), name=path.name, base_dir=path.parent)

    assert str(caught.value) + "\n" == path.with_suffix(".expected").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=_name)
def test_every_problem_of_a_bad_file_has_file_and_line(path: Path) -> None:
    """Q7."""
    lines = path.read_bytes().count(b"\n") + 1
    with pytest.raises(InvalidJobFile) as caught:
        parse_job_file(path.read_bytes(), name=path.name, base_dir=path.parent)

    for problem in caught.value.problems:
        assert problem.file == path.name
        assert problem.line is not None
        assert 1 <= problem.line <= lines


@pytest.mark.parametrize("path", GOOD, ids=_name)
def test_a_good_file_gives_exactly_its_jobs(path: Path) -> None:
    """Q2, Q3, Q4, Q6."""
    read = parse_job_file(path.read_bytes(), name=path.name, base_dir=path.parent)

    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    assert {"lines": list(read.lines), "jobs": [to_payload(spec) for spec in read.specs]} == expected


@pytest.mark.parametrize("path", GOOD, ids=_name)
def test_the_schema_accepts_what_the_validator_accepts(path: Path) -> None:
    """Q8."""
    VALIDATOR.validate(_as_json(yaml.safe_load(path.read_bytes())))


@pytest.mark.parametrize(
    "path", [path for path in BAD if not path.stem.startswith(BEYOND_A_SCHEMA)], ids=_name
)
def test_the_schema_refuses_what_the_validator_refuses(path: Path) -> None:
    """Q8."""
    assert not VALIDATOR.is_valid(_as_json(yaml.safe_load(path.read_bytes())))


def test_the_corpus_has_a_message_for_every_file_and_a_file_for_every_message() -> None:
    assert {path.stem for path in BAD} == {path.stem for path in (CORPUS / "bad").glob("*.expected")}
    assert len(BAD) >= 60


def _as_json(value: Any) -> Any:
    """What an editor sees: dates are text there."""
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
