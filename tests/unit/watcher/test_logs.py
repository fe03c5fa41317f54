"""Log lines: one a line, and nothing that a machine said steers the terminal they are read on."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import jsonschema
import pytest

from job_watcher.logs import log_as_json_lines, log_to_stderr
from lib.dispatch.job_events import of_job
from lib.events import LogSink
from lib.events.model import JobClaimed
from lib.events.watchers import WatcherTrouble
from lib.jobqueue import Lease
from lib.jobspec import normalize_job_spec

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/reference/json/job-watcher-run.json").read_text(encoding="utf-8")
)
SPEC = normalize_job_spec({"output_name": "topic/beat-001", "text": "Hello.", "speaker": "Ryan"})
LEASE = Lease(SPEC.request_id, 3, "5f2c", "ann", SPEC, attempt=1, expires_at=1000.5, enqueued_at=900.25)


pytestmark = pytest.mark.usefixtures("logging_given_back")


@pytest.mark.parametrize("steering", ["\x1b", "\x07", "\x9b", "\u061c", "\u202e", "\u2066", "\ud800"])
def test_show_what_would_steer_a_terminal(steering: str, capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr(verbose=False)

    logging.getLogger("lib.x").warning("the worker said %s", f"a{steering}b")

    (line,) = capsys.readouterr().err.splitlines()
    assert steering not in line
    assert f"a{steering.encode('unicode_escape', 'surrogatepass').decode()}b" in line


@pytest.mark.parametrize("separator", ["\n", "\r", "\x85", "\u2028", "\u2029"])
def test_stay_one_line_whatever_they_tell(separator: str, capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr(verbose=False)

    logging.getLogger("lib.x").warning("two%slines", separator)

    assert capsys.readouterr().err.endswith(" warning lib.x: two lines\n")


def test_as_json_are_a_value_a_line_on_stdout_and_nothing_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_as_json_lines(verbose=False)
    log = logging.getLogger("lib.x")

    LogSink(log).emit(of_job(JobClaimed, LEASE, "host-1"))
    LogSink(log).emit(WatcherTrouble(reason="why\u2028\u202e"))
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("words")
    log.debug("not this")

    out, err = capsys.readouterr()
    claimed, trouble, words = map(json.loads, out.splitlines())
    for line in (claimed, trouble, words):
        jsonschema.validate(line, SCHEMA)
    assert err == ""
    assert "\u202e" not in out
    assert claimed.pop("at").endswith("Z")
    assert claimed == {
        "level": "info",
        "event": "claimed",
        "request_id": "topic:beat-001",
        "lease_no": 3,
        "attempt": 1,
        "host": "host-1",
        "source": "lib.x",
        "message": "claimed topic:beat-001 (lease 3) for host-1",
    }
    assert (trouble["event"], trouble["message"]) == ("trouble", "cannot go on, trying again: why \u202e")
    assert (words["event"], words["level"]) == ("log", "error")
    assert "ValueError: why" in words["message"]


def test_as_json_whose_reader_went_away_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        encoding = "utf-8"

        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Gone())
    log_as_json_lines(verbose=False)

    logging.getLogger("lib.x").info("a word")
