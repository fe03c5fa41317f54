"""Log lines: one a line, and nothing that a machine said steers the terminal they are read on."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from job_watcher.logs import log_to_stderr


@pytest.fixture(autouse=True)
def _root_logger_given_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


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
