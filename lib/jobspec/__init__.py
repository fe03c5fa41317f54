"""The job specification: the one door from a mapping or a YAML file to validated jobs.

Cheap to import: the YAML parser comes with the first use of `load_job_file` or `parse_job_file`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib.jobspec.files.source import source_name
from lib.jobspec.model import (
    Draft,
    InvalidJobFile,
    JobFile,
    JobSpec,
    fingerprint,
    payload_and_fingerprint,
    to_payload,
)
from lib.jobspec.names import PEAKS_SUFFIX, take_name, titles
from lib.jobspec.normalize import from_payload, normalize_job_spec
from lib.jobspec.notyet import NOT_YET
from lib.jobspec.problems import InvalidJobSpec, Problem, printable
from lib.jobspec.pronunciation import sayings

__all__ = [
    "NOT_YET",
    "PEAKS_SUFFIX",
    "Draft",
    "InvalidJobFile",
    "InvalidJobSpec",
    "JobFile",
    "JobSpec",
    "Problem",
    "fingerprint",
    "from_payload",
    "job_file_schema",
    "load_job_file",
    "normalize_job_spec",
    "parse_job_file",
    "payload_and_fingerprint",
    "printable",
    "sayings",
    "source_name",
    "take_name",
    "titles",
    "to_payload",
]


def load_job_file(path: Path) -> JobFile:
    """Read and check a file of jobs, or standard input for `-`; text files are relative to its folder.

    Raises:
        InvalidJobFile: not readable, or anything in it is wrong; `.problems` lists all of it.
    """
    from lib.jobspec.files import jobfile  # brings the YAML parser, 30 ms

    return jobfile.load_job_file(path)


def parse_job_file(data: bytes, *, name: str, base_dir: Path | None) -> JobFile:
    """Check the bytes of a file of jobs. `name` stands in errors; without `base_dir` text files are refused.

    Raises:
        InvalidJobFile: anything is wrong; `.problems` lists all of it, by line. No bytes raise anything else.
    """
    from lib.jobspec.files import jobfile

    return jobfile.parse_job_file(data, name=name, base_dir=base_dir)


def job_file_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a job file, from the same table of fields that validates."""
    from lib.jobspec import schema

    return schema.job_file_schema()
