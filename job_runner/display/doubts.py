"""Warns of what stands in a file of jobs and was probably not meant."""

from __future__ import annotations

from lib.cli import output
from lib.jobspec import JobFile


def warn_of_doubts(file: JobFile) -> None:
    """One warning for each, with its line; the jobs are taken as they stand."""
    for warning in file.warnings:
        output.warn(str(warning))
