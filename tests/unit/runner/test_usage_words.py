"""A wrong command line is answered in words about what was typed, not in those of a library (Q49)."""

from __future__ import annotations

import re

import pytest

from job_runner import main as runner
from job_watcher import main as watcher
from synth import main as voice

PROGRAMS = {module.PROGRAM.name: module for module in (runner, watcher, voice)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("history --limit x", "'x' is no whole number"),
        ("history --limit 5.5", "'5.5' is no whole number"),
        ("history --limit 0", "0 is too small; the least is 1"),
        ("history --status nope", "'nope' is not one of 'done', 'failed', 'canceled', 'all'"),
        ("retry --failed --error-class x", "'x' is not one of 'bad_input'"),
        ("wait a --timeout 5x", "'5x' is no number"),
        ("wait a --timeout -1", "-1 is too small; the least is 0"),
        ("wait a --timeout nan", "'nan' is no number"),
        ("status --jsn", "no such option: --jsn (did you mean --json?); see 'job-runner status --help'"),
        ("up a b c", "more arguments than it takes: b c; see 'job-runner up --help'"),
    ],
)
def test_a_value_that_does_not_fit_is_said_in_our_words(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.PROGRAM.run(line.split()) == 2

    told = capsys.readouterr().err
    assert said in told
    assert not re.search("Value error|Input should|Possible options|unable to parse|argument\\(s\\)", told)


def test_retry_of_nothing_says_what_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.PROGRAM.run(["retry"]) == 2

    told = capsys.readouterr().err
    assert "job-runner retry topic:beat-001" in told
    assert "job-runner retry --failed" in told
    assert "not both" not in told


def test_retry_of_one_and_of_all_names_the_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.PROGRAM.run(["retry", "topic:a", "--failed"]) == 2

    assert "--failed means all failed jobs, and topic:a those named" in capsys.readouterr().err


def test_a_command_of_another_program_is_named_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.PROGRAM.run(["speak", "Hello"]) == 2

    assert "job-runner has no command 'speak'; that is: voice-synth speak" in capsys.readouterr().err


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_elsewhere_is_there_and_not_here(name: str) -> None:
    here = {entry.name for entry in PROGRAMS[name].COMMANDS}
    for word, place in PROGRAMS[name].ELSEWHERE.items():
        assert word not in here
        found = re.findall(r"(job-runner|job-watcher|voice-synth) ([a-z-]+)", place)
        assert found
        for program, command in found:
            assert command in {entry.name for entry in PROGRAMS[program].COMMANDS}
