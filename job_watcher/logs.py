"""Log lines of the daemon: one per transition, on stderr, where systemd's journal and terminals find them."""

from __future__ import annotations

import logging
import sys

from lib.cli.output import clean
from lib.clock import rfc3339


class _Line(logging.Formatter):
    """`2026-11-22T01:02:03.456Z warning job_watcher.watcher: sentence`, always one line.

    What machines and job files say is in it, so nothing in it steers the terminal it may be read on.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = " ".join(record.getMessage().splitlines())
        if record.exc_info:
            text += " | " + " | ".join(self.formatException(record.exc_info).splitlines()[-3:])
        return f"{rfc3339(record.created)} {record.levelname.lower()} {record.name}: {clean(text)}"


def log_to_stderr(*, verbose: bool) -> None:
    """Send our log lines to stderr; `verbose` adds those of each pass."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
