"""The log of workers, orchestrators and recovery: a line for each transition, for people or as JSON."""

from __future__ import annotations

import logging
import sys
from typing import Final

from lib.cli.log_lines import JsonLogLines, lines_for_people, log_to
from lib.redact import Redactor

#: Whose lines are told below warnings.
_OURS: Final = ("job_pipeline", "lib")


def log_nothing() -> None:
    """Keep the log to ourselves, for a command that says itself what it did."""
    logging.getLogger("job_pipeline").addHandler(logging.NullHandler())


def log_as(form: str, redactor: Redactor, *, json_lines: bool, verbose: bool) -> None:
    """Send the log to stderr in the form `text`, `json` or `auto`, which is text on a terminal.

    `json_lines`: to stdout instead, one JSON value on a line, for programs that follow it.
    """
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    if json_lines or as_json:
        log_to(JsonLogLines(on_stdout=json_lines), ours=_OURS, redactor=redactor, verbose=verbose)
    else:
        log_to(lines_for_people(), ours=_OURS, redactor=redactor, verbose=verbose)
