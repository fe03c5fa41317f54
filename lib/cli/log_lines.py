"""Log lines of programs that stay: one for each transition, for people or as JSON, and no secret in any.

On stderr, where systemd's journal and terminals find them; with `--json` as JSON on stdout, for programs that
follow them.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from typing import Any

from lib.cli.output import clean, tell_json_line, tell_json_line_aside
from lib.clock import rfc3339
from lib.events import TRANSITION, transition_of
from lib.redact import Redactor

log = logging.getLogger(__name__)


class RedactingFilter(logging.Filter):
    """Takes every known secret out of a record before anybody formats it: message, arguments, tracebacks.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, changed."""
        hide = self._redactor.hide
        try:
            words = record.getMessage()
        except Exception as error:  # arguments that do not fit: the line itself must not be lost
            words = f"{record.msg!r} (its arguments do not fit: {error})"
        told = getattr(record, TRANSITION, None)
        fields = told if isinstance(told, dict) else {}
        # As nearly always there is nothing to hide: one look at all of it costs less than one at each.
        together = "\n".join((words, *(value for value in fields.values() if isinstance(value, str))))
        if hide(together) != together:
            words = hide(words)
            if fields:
                setattr(record, TRANSITION, {key: self._hidden(value) for key, value in fields.items()})
        record.msg = words
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text, record.exc_info = hide(record.exc_text), None
        if record.stack_info:
            record.stack_info = hide(record.stack_info)
        return True

    def _hidden(self, value: Any) -> Any:
        return self._redactor.hide(value) if isinstance(value, str) else value


class LogLine(logging.Formatter):
    """`2026-11-22T01:02:03.456Z warning job_watcher.watcher: sentence`, always one line.

    What machines and job files say is in it, so nothing in it steers the terminal it may be read on.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
        return (
            f"{rfc3339(record.created)} {record.levelname.lower()} {record.name}: {clean(self.text(record))}"
        )

    def text(self, record: logging.LogRecord) -> str:
        """The sentence, with the end of a traceback if there is one."""
        text = " ".join(record.getMessage().splitlines())
        trace = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        if trace:
            text += " | " + " | ".join(trace.splitlines()[-3:])
        return text


class JsonLogLines(logging.Handler):
    """A record as one JSON value on a line, like docs/reference/json/job-watcher-run.json."""

    _words = LogLine()

    def __init__(self, *, on_stdout: bool) -> None:
        super().__init__()
        self._tell = tell_json_line if on_stdout else tell_json_line_aside

    def emit(self, record: logging.LogRecord) -> None:
        """Print it; the loss of the reader is not the daemon's trouble."""
        try:
            self._tell(
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


def lines_for_people() -> logging.Handler:
    """Sends records to stderr, a line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogLine())
    return handler


def log_to(
    handler: logging.Handler,
    *,
    ours: Sequence[str],
    redactor: Redactor,
    filters: Sequence[logging.Filter] = (),
    verbose: bool = False,
) -> None:
    """Have `handler` alone tell what happens in this process, without what `redactor` knows.

    Whose loggers begin with one of `ours` are told of in whole, with `verbose` to the last detail; of others
    only warnings.
    """
    for each in (RedactingFilter(redactor), *filters):
        handler.addFilter(each)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # libraries tell of each request, with its headers
    for name in ours:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.captureWarnings(True)
    # No line shows them, and to find them takes a tenth of a record's time.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    threading.excepthook = _log_the_end_of_a_thread


def _log_the_end_of_a_thread(ended: threading.ExceptHookArgs) -> None:
    """As any other line: without this, Python prints the traceback as it is, past the filter."""
    if ended.exc_value is None or isinstance(ended.exc_value, SystemExit):
        return
    told = (ended.exc_type, ended.exc_value, ended.exc_traceback)
    name = ended.thread.name if ended.thread is not None else "?"
    log.error("the thread %s ended: %s", name, ended.exc_type.__name__, exc_info=told)
