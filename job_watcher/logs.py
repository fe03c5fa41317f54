"""The log of the daemon: which lines it has, and what of a trouble that lasts is left out."""

from __future__ import annotations

import logging
import sys
from typing import Final

from job_watcher.log_repeats import QuietRepeats
from lib.cli.log_lines import JsonLogLines, LogLine, lines_for_people, log_to
from lib.cli.output import clean
from lib.clock import SystemClock
from lib.events import transition_of
from lib.redact import Redactor

#: Whose lines are told below warnings.
_OURS: Final = ("job_watcher", "lib")
#: What a story leaves out: words alone, and each lease.
_NO_STORY: Final = frozenset({"log", "claimed"})


class _StoryLine(LogLine):
    """`  12.3 s  sentence`."""

    def __init__(self, began: float) -> None:
        super().__init__()
        self._began = began

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.created - self._began:7.1f} s  {clean(self._words(record))}"

    def _words(self, record: logging.LogRecord) -> str:
        told = transition_of(record)
        if told["event"] == "done" and told.get("output_name"):
            return f"{told['output_name']}: {told.get('audio_seconds', 0.0):.1f} s of audio"
        return self.text(record)


#: Hides what the settings hold in each log line of this process; `wiring` tells it of them.
redactor = Redactor()


def log_to_stderr(*, verbose: bool) -> None:
    """Send our log lines to stderr, for people; `verbose` adds those of each pass."""
    _log_to(lines_for_people(), verbose=verbose)


def _belongs_to_story(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or transition_of(record)["event"] not in _NO_STORY


def log_story(began: float) -> None:
    """Send what happens to stderr as a story: seconds since `began` (wall time), and the sentence."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_StoryLine(began))
    handler.addFilter(_belongs_to_story)
    _log_to(handler, verbose=False)


def log_as_json_lines(*, verbose: bool, on_stdout: bool = True) -> None:
    """Send our log lines to stdout, or to stderr, as JSON: one value a line."""
    _log_to(JsonLogLines(on_stdout=on_stdout), verbose=verbose)


def log_as(form: str, *, verbose: bool) -> None:
    """Send our log lines to stderr in that form: `text`, `json`, or `auto`, which is text on a terminal."""
    if form == "json" or (form == "auto" and not sys.stderr.isatty()):
        log_as_json_lines(verbose=verbose, on_stdout=False)
    else:
        log_to_stderr(verbose=verbose)


def _log_to(handler: logging.Handler, *, verbose: bool) -> None:
    log_to(handler, ours=_OURS, redactor=redactor, filters=(QuietRepeats(SystemClock()),), verbose=verbose)
