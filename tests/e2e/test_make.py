"""The make targets of a producer: stdout is the command's alone, and FILE, ID and ARGS arrive whole (Q23)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.e2e.home import Home

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SHOWS_ITS_ARGUMENTS = """#!/bin/sh
for word in "$@"; do printf '<%s>' "$word"; done
echo
"""
TARGETS = {
    "jobs-plan": "<plan><jobs.example.yaml>",
    "jobs-enqueue": "<enqueue><jobs.example.yaml>",
    "jobs-status": "<status>",
    "jobs-history": "<history>",
    "jobs-result": "<result><topic:a>",
    "jobs-report": "<report><jobs.example.yaml>",
    "jobs-retry": "<retry><topic:a>",
    "jobs-flush": "<flush>",
    "jobs-dashboard": "<dashboard>",
    "jobs-logs": "<logs><--json>",
}


def outside_of_make() -> dict[str, str]:
    """The environment without what a make that runs these tests, as `make test ARGS=-x`, has put there."""
    ours = ("ARGS", "FILE", "ID", "MFLAGS", "RUN", "WATCH")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith(("MAKE", "XDG_"))
    }


def make(*words: str, run: str = "env", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run make in the repository with `run` in place of ./run, which would look after the environment."""
    return subprocess.run(
        ["make", f"RUN={run}", *words],
        cwd=ROOT,
        env={**outside_of_make(), "PATH": f"{warm.programs()}:{BIN}:{os.environ['PATH']}", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def echo(tmp_path: Path) -> str:
    """A stand-in for ./run that shows the words it got."""
    script = tmp_path / "echo"
    script.write_text(SHOWS_ITS_ARGUMENTS)
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    user = Home(tmp_path)
    yield user
    user.run("down")


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_hands_its_words_to_the_command_and_prints_nothing_else(target: str, echo: str) -> None:
    """Q23."""
    plain = make(target, "ID=topic:a", run=echo)
    more = make(target, "ID=topic:a", "ARGS=--limit 5 --json", run=echo)

    assert plain.stdout == f"<job-runner>{TARGETS[target]}\n"
    assert more.stdout == f"<job-runner>{TARGETS[target]}<--limit><5><--json>\n"
    assert plain.stderr == ""


@pytest.mark.parametrize("name", ["my jobs.yaml", "it's.yaml", "a;echo b.yaml", "$(HOME).yaml", "`id`.yaml"])
def test_a_file_of_any_name_arrives_as_one_word(name: str, echo: str) -> None:
    """Q23."""
    shown = make("jobs-plan", "FILE=" + name.replace("$", "$$"), run=echo)

    assert shown.stdout == f"<job-runner><plan><{name}>\n"


@pytest.mark.parametrize("target", ["jobs-result", "jobs-retry"])
def test_a_target_about_one_job_asks_for_its_id(target: str) -> None:
    """Q23."""
    refused = make(target)

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert f"make {target} ID=" in refused.stderr


@pytest.mark.parametrize(("watch", "live"), [("1", True), ("", False), ("0", False)])
def test_the_dashboard_is_live_with_watch(watch: str, live: bool, echo: str) -> None:
    """Q23."""
    assert ("<--watch>" in make("jobs-dashboard", f"WATCH={watch}", run=echo).stdout) is live


def test_the_targets_run_through_the_project_s_own_environment() -> None:
    """Q23, Q24."""
    shown = subprocess.run(
        ["make", "-n", "jobs-status"],
        cwd=ROOT,
        env=outside_of_make(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert shown.stdout == "./run job-runner status \n"


def test_what_an_outer_make_was_told_does_not_reach_these_targets(
    monkeypatch: pytest.MonkeyPatch, echo: str
) -> None:
    outer = {"ARGS": "-x", "MAKEFLAGS": "n -- ARGS=-x", "MFLAGS": "-n", "MAKEOVERRIDES": "ARGS=-x"}
    for name, value in {**outer, "MAKELEVEL": "1", "FILE": "other.yaml"}.items():
        monkeypatch.setenv(name, value)

    assert make("jobs-plan", run=echo).stdout == "<job-runner><plan><jobs.example.yaml>\n"


@pytest.mark.parametrize(("words", "ours"), [([], True), (["-j3"], False), (["-j"], False)])
def test_check_runs_two_at_a_time_unless_told_how_many(words: list[str], ours: bool) -> None:
    """Q24."""
    done = make("-n", *words, "environment", "check")

    assert ("-j2" in done.stdout) is ours
    assert "resetting jobserver" not in done.stderr


def test_help_lists_every_target_of_a_producer() -> None:
    """Q23."""
    listed = {line.split()[0] for line in make("help").stdout.splitlines()}

    assert listed >= {"help", *TARGETS}


def test_stdout_of_the_targets_is_that_of_the_commands(home: Home) -> None:
    """Q23: for real, on a queue of their own."""
    file = home.jobs(2)

    def made(target: str, *words: str) -> Any:
        return json.loads(make(target, "ARGS=--json", *words, HOME=str(home.folder)).stdout)

    assert made("jobs-plan", f"FILE={file}")["totals"]["jobs"] == 2
    assert made("jobs-enqueue", f"FILE={file}")["counts"] == {"created": 2}
    assert made("jobs-status")["waiting"] == 2
    assert made("jobs-report", f"FILE={file}")["totals"]["waiting"] == 2
    assert made("jobs-result", "ID=topic:beat-001")["state"] == "waiting"
    assert made("jobs-history") == []
    assert made("jobs-dashboard")["status"]["waiting"] == 2
    assert made("jobs-logs")["error"]["exit_status"] == 65
    home.run("run", file)
    record = make("jobs-logs", HOME=str(home.folder)).stdout
    assert json.loads(record) == json.loads((home.folder / "outputs/jobs/execution.json").read_text())
