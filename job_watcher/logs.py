"""Log lines of the daemon: one for each transition, for people or as JSON, and no secret in any.

On stderr, where systemd's journal and terminals find them; with `--json` as JSON on stdout, for programs that
follow them.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any, Final

from job_watcher.log_repeats import QuietRepeats
from lib.cli.output import clean, tell_json_line, tell_json_line_aside
from lib.clock import SystemClock, rfc3339
from lib.events import TRANSITION, transition_of
from lib.redact import Redactor

log = logging.getLogger(__name__)

#: Whose lines are told below warnings.
_OURS: Final = ("job_watcher", "lib")
#: What a story leaves out: words alone, and each lease.
_NO_STORY: Final = frozenset({"log", "claimed"})


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
            record.msg = hide(record.getMessage())
        except Exception as error:  # arguments that do not fit: the line itself must not be lost
            record.msg = hide(f"{record.msg!r} (its arguments do not fit: {error})")
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text, record.exc_info = hide(record.exc_text), None
        if record.stack_info:
            record.stack_info = hide(record.stack_info)
        told = getattr(record, TRANSITION, None)
        if isinstance(told, dict):
            setattr(record, TRANSITION, {key: self._hidden(value) for key, value in told.items()})
        return True

    def _hidden(self, value: Any) -> Any:
        return self._redactor.hide(value) if isinstance(value, str) else value


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
        trace = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        if trace:
            text += " | " + " | ".join(trace.splitlines()[-3:])
        return text


class _StoryLine(_Line):
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


class _JsonLines(logging.Handler):
    """A record as one JSON value on a line (docs/reference/json/job-watcher-run.json)."""

    _words = _Line()

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


#: Hides what the settings hold in each log line of this process; `wiring` tells it of them.
redactor = Redactor()


def log_to_stderr(*, verbose: bool) -> None:
    """Send our log lines to stderr, for people; `verbose` adds those of each pass."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    _log_to(handler, verbose=verbose)


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
    _log_to(_JsonLines(on_stdout=on_stdout), verbose=verbose)


def log_as(form: str, *, verbose: bool) -> None:
    """Send our log lines to stderr in that form: `text`, `json`, or `auto`, which is text on a terminal."""
    if form == "json" or (form == "auto" and not sys.stderr.isatty()):
        log_as_json_lines(verbose=verbose, on_stdout=False)
    else:
        log_to_stderr(verbose=verbose)


def _log_to(handler: logging.Handler, *, verbose: bool) -> None:
    handler.addFilter(RedactingFilter(redactor))
    handler.addFilter(QuietRepeats(SystemClock()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # libraries tell of each request, with its headers
    for ours in _OURS:
        logging.getLogger(ours).setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.captureWarnings(True)
    threading.excepthook = _log_the_end_of_a_thread


def _log_the_end_of_a_thread(ended: threading.ExceptHookArgs) -> None:
    """As any other line: without this, Python prints the traceback as it is, past the filter."""
    if ended.exc_value is None or isinstance(ended.exc_value, SystemExit):
        return
    told = (ended.exc_type, ended.exc_value, ended.exc_traceback)
    name = ended.thread.name if ended.thread is not None else "?"
    log.error("the thread %s ended: %s", name, ended.exc_type.__name__, exc_info=told)
