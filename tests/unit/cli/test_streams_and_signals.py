"""Streams that are closed or full, and SIGTERM: the exit status and the result still tell."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lib.cli.failures import describe
from lib.cli.signals import Terminated, sigterm_interrupts
from lib.errors import ExitStatus

ROOT = Path(__file__).parents[3]
_SAY = """
from lib.cli import output
from lib.cli.program import Program
def act():
    output.note("a word"); output.say("a result"); return 0
program = Program("p", "", "0", [])
program._dispatch = lambda args: act()
program.main([])
"""


def said(redirection: str) -> subprocess.CompletedProcess[str]:
    command = f"exec {sys.executable} -c '{_SAY}' {redirection}"
    return subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("redirection", "out", "err"),
    [
        ("", "a result\n", "a word\n"),
        (">&-", "", "a word\n"),
        ("2>&-", "a result\n", ""),
        ("<&- >&- 2>&-", "", ""),
        ("2>/dev/full", "a result\n", ""),
    ],
)
def test_a_closed_or_full_stream_costs_only_what_it_would_have_held(
    redirection: str, out: str, err: str
) -> None:
    done = said(redirection)

    assert (done.returncode, done.stdout, done.stderr) == (0, out, err)


def test_a_full_stdout_is_an_error_for_the_result_is_lost() -> None:
    done = said(">/dev/full")

    assert done.returncode == ExitStatus.BAD_CONFIGURATION
    assert "No space left" in done.stderr


def test_sigterm_is_told_like_ctrl_c_and_ends_with_75() -> None:
    with pytest.raises(Terminated) as raised, sigterm_interrupts():
        signal.raise_signal(signal.SIGTERM)

    assert isinstance(raised.value, KeyboardInterrupt)
    assert describe(raised.value, "p").exit_status == ExitStatus.TRY_AGAIN
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
