"""The job specification: the one door from a mapping or a YAML file to validated jobs.

Cheap to import: the YAML parser comes with the first use of `load_job_file` or `parse_job_file`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib.jobspec.fields import SAMPLE_RATES
from lib.jobspec.files.source import source_name
from lib.jobspec.model import (
    USUAL_LUFS,
    Draft,
    InvalidJobFile,
    JobFile,
    JobSpec,
    fingerprint,
    payload_and_fingerprint,
    to_payload,
)
from lib.jobspec.names import CAPTION_SUFFIXES, PEAKS_SUFFIX, take_name, titles
from lib.jobspec.normalize import from_payload, normalize_job_spec
from lib.jobspec.notyet import NOT_YET
from lib.jobspec.problems import InvalidJobSpec, Problem, printable
from lib.jobspec.pronunciation import Sayings, sayings

__all__ = [
    "CAPTION_SUFFIXES",
    "NOT_YET",
    "PEAKS_SUFFIX",
    "SAMPLE_RATES",
    "USUAL_LUFS",
    "Draft",
    "InvalidJobFile",
    "InvalidJobSpec",
    "JobFile",
    "JobSpec",
    "Problem",
    "Sayings",
    "fingerprint",
    "from_payload",
    "job_file_schema",
    "load_job_file",
    "load_request_ids",
    "normalize_job_spec",
    "parse_any_file",
    "parse_job_file",
    "payload_and_fingerprint",
    "printable",
    "sayings",
    "source_name",
    "take_name",
    "titles",
    "to_payload",
]


def load_job_file(path: Path, *, voice: str | None = None, speaker: str | None = None) -> JobFile:
    """Read and check a file of jobs, YAML or a beatsheet, or standard input for `-`; text files of YAML are
    relative to its folder.

    `voice` or `speaker` speaks the beats of a beatsheet that name nobody.

    Raises:
        InvalidJobFile: not readable, or anything in it is wrong; `.problems` lists all of it.
        BadInput: `voice` or `speaker` is no name.
        UsageError: both are given, or one of them and the file is no beatsheet.
    """
    from lib.jobspec.files import anyfile  # brings the YAML parser, 30 ms

    return anyfile.load_job_file(path, voice=voice, speaker=speaker)


def parse_any_file(
    data: bytes, *, name: str, voice: str | None = None, speaker: str | None = None
) -> JobFile:
    """Check the bytes of a file of jobs, YAML or a beatsheet. It lies in no folder and names no text file.

    Raises: as `load_job_file`.
    """
    from lib.jobspec.files import anyfile

    return anyfile.parse_any(data, name=name, base_dir=None, voice=voice, speaker=speaker)


def load_request_ids(path: Path) -> tuple[str, ...]:
    """The request ids of a file of jobs, in its order. Who speaks a beat makes no difference to them.

    Raises:
        InvalidJobFile: not readable, or anything in it is wrong; `.problems` lists all of it.
    """
    from lib.jobspec.files import anyfile

    return anyfile.load_request_ids(path)


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
