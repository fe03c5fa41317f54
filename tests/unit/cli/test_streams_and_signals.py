"""Streams that are closed or full, and SIGTERM: the exit status and the result still tell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lib.cli.failures import describe
from lib.cli.signals import Terminated, signals_wait, sigterm_interrupts
from lib.errors import ExitStatus

ROOT = Path(__file__).parents[3]
_SAY = """
from lib.cli import output
from lib.cli.program import Program
class Saying(Program):
    def _dispatch(self, args):
        output.note("a word"); output.say("a result"); return 0
Saying("p", "", "0", []).main([])
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


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "latin-1"])
def test_what_a_stream_cannot_hold_is_written_with_what_it_can(encoding: str) -> None:
    talk = _SAY.replace("a word", "— a “wörd”… 日本").replace("a result", "a résult… 日本 → 1×")
    done = subprocess.run(
        [sys.executable, "-c", talk],
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    e, o, x = ("?", "?", "x") if encoding.startswith("ascii") else ("é", "ö", "×")

    assert done.returncode == 0
    assert done.stdout.decode("latin-1") == f"a r{e}sult... ?? -> 1{x}\n"
    assert done.stderr.decode("latin-1") == f'- a "w{o}rd"... ??\n'


@pytest.mark.parametrize("program", ["job_runner", "job_watcher", "job_pipeline", "synth"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_no_program_breaks_on_its_streams(program: str, encoding: str) -> None:
    """An unknown command is named in the sentence on stderr and, with `--json`, in the value on stdout."""
    done = subprocess.run(
        [sys.executable, "-c", f"from {program}.main import main; main()", "日本…", "--json"],
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    shown = "日本…" if encoding == "utf-8" else "??..."

    assert done.returncode == ExitStatus.USAGE
    assert f"'{shown}'" in done.stderr.decode(encoding)
    assert "'日本…'" in json.loads(done.stdout.decode(encoding))["error"]["message"]


def test_plan_is_shown_on_a_stream_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(
        "jobs: [{output_name: a, speaker: Ryan, text: '" + "Élan — " * 30 + "'}]", encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-c", "from job_runner.main import main; main()", "plan", "jobs.yaml"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "JOBS_DATA_DIR": "data"},
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert b"?lan - ?lan" in done.stdout
    assert b"..." in done.stdout


def test_sigterm_is_told_like_ctrl_c_and_ends_with_75() -> None:
    with pytest.raises(Terminated) as raised, sigterm_interrupts():
        signal.raise_signal(signal.SIGTERM)

    assert isinstance(raised.value, KeyboardInterrupt)
    assert describe(raised.value, "p").exit_status == ExitStatus.TRY_AGAIN
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_signals_wait_until_they_are_asked_for_but_not_twice(
    number: signal.Signals, kind: type[KeyboardInterrupt]
) -> None:
    former = signal.getsignal(number)
    reached: list[object] = []

    def asked(*, twice: bool) -> None:
        with signals_wait() as ask:
            ask()
            signal.raise_signal(number)
            reached.append(twice)
            if twice:
                signal.raise_signal(number)
            ask()
            reached.append("after all")

    def never_asked() -> None:
        with signals_wait():
            signal.raise_signal(number)

    for twice in (False, True):
        with pytest.raises(kind):
            asked(twice=twice)
    with pytest.raises(kind):
        never_asked()

    assert reached == [False, True]
    assert signal.getsignal(number) is former
