"""Log lines of the daemon: one per transition, on stderr, where systemd's journal and terminals find them.

Or as JSON on stdout, for programs that follow it.
"""

from __future__ import annotations

import logging
import sys

from lib.cli.output import clean, tell_json_line
from lib.clock import rfc3339
from lib.dispatch.transitions import transition_of


class _Line(logging.Formatter):
    """`2026-11-22T01:02:03.456Z warning job_watcher.watcher: sentence`, always one line.

    What machines and job files say is in it, so nothing in it steers the terminal it may be read on.
    """

    def format(self, record: logging.LogRecord) -> str:
        return (
            f"{rfc3339(record.created)} {record.levelname.lower()} {record.name}: {clean(self.text(record))}"
        )

    def text(self, record: logging.LogRecord) -> str:
        """The sentence, with the end of a traceback if there is one."""
        text = " ".join(record.getMessage().splitlines())
        if record.exc_info:
            text += " | " + " | ".join(self.formatException(record.exc_info).splitlines()[-3:])
        return text


class _JsonLines(logging.Handler):
    """A record as one JSON value on a line of stdout (docs/reference/json/job-watcher-run.json)."""

    _words = _Line()

    def emit(self, record: logging.LogRecord) -> None:
        """Print it; the loss of the reader is not the daemon's trouble."""
        try:
            tell_json_line(
                {
                    "at": rfc3339(record.created),
                    "level": record.levelname.lower(),
                    **transition_of(record),
                    "source": record.name,
                    "message": self._words.text(record),
                }
            )
        except Exception:
            self.handleError(record)


def log_to_stderr(*, verbose: bool) -> None:
    """Send our log lines to stderr; `verbose` adds those of each pass."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    _log_to(handler, verbose=verbose)


def log_as_json_lines(*, verbose: bool) -> None:
    """Send our log lines to stdout instead, one JSON value a line."""
    _log_to(_JsonLines(), verbose=verbose)


def _log_to(handler: logging.Handler, *, verbose: bool) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
