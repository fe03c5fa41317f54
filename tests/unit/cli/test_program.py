"""A program: lazy commands, one help page, one sentence and one status for every end."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.cli.group import LazyGroup, load_command
from lib.cli.help import example_lines, help_page
from lib.cli.program import CommandEntry
from lib.errors import (
    BadConfiguration,
    BadInput,
    ExitStatus,
    JobFailed,
    JobRunnerError,
    TryAgain,
    Unavailable,
    UsageError,
    install_command,
)
from tests.unit.cli.sample_program import ENTRIES, EXAMPLES, PROGRAM

ROOT = Path(__file__).parents[3]


class Terminal(io.StringIO):
    """A stream that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the sample program; gives status, stdout, stderr."""

    def call(*args: str) -> tuple[int, str, str]:
        status = PROGRAM.run(list(args))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


Run = Callable[..., tuple[int, str, str]]


def python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def in_process(args: list[str]) -> str:
    return f"from tests.unit.cli.sample_program import PROGRAM; PROGRAM.main({args!r})"


class TestHelp:
    def test_lists_every_command_under_its_section(self, run: Run) -> None:
        status, out, err = run("--help")
        assert (status, err) == (0, "")
        assert out.startswith("Usage: sample [OPTIONS] COMMAND [ARGS]...\n\n  A program for tests.\n")
        assert "\nCommands:\n  greet      Greet someone.\n" in out
        assert "\nGroups:\n  more       Further commands.\n" in out

    def test_is_the_same_page_through_the_group(self) -> None:
        group = LazyGroup("sample", "A program for tests.", ENTRIES, EXAMPLES)
        page = help_page("sample", "A program for tests.", ENTRIES, examples=EXAMPLES)
        with group.make_context("sample", [], resilient_parsing=True) as context:
            assert context.get_help() + "\n" == page

    def test_of_nothing_goes_to_stderr_as_a_usage_error(self, run: Run) -> None:
        status, out, err = run()
        assert (status, out) == (2, "")
        assert err.startswith("Usage: sample")

    def test_of_a_command_names_its_options(self, run: Run) -> None:
        status, out, _ = run("greet", "--help")
        assert status == 0
        assert "Usage: sample greet [OPTIONS]" in out
        assert "--name" in out
        assert run("greet", "-h")[1] == out

    def test_of_a_group_lists_its_commands(self, run: Run) -> None:
        assert "  hello  Greet someone.\n" in run("more", "--help")[1]

    def test_ends_with_examples(self, run: Run) -> None:
        assert run("--help")[1].endswith("\nExample:\n  sample greet --name ann\n")
        assert run("greet", "--help")[1].endswith(
            "\nExamples:\n  sample greet\n  sample greet --name 'ann and bob'\n"
        )

    def test_a_long_example_is_broken_between_words_of_the_shell(self) -> None:
        assert example_lines(["sample greet --name 'ann and bob'"], 28) == [
            "",
            "Example:",
            "  sample greet --name \\",
            "      'ann and bob'",
        ]

    def test_without_examples_says_nothing_of_them(self) -> None:
        assert "Example" not in help_page("sample", "A program for tests.", ENTRIES)

    @pytest.mark.parametrize("words", [(), ("greet",), ("more",)])
    def test_is_coloured_on_a_terminal_and_the_same_words(
        self, words: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = run(*words, "--help")[1]
        monkeypatch.setattr("sys.stdout", terminal := Terminal())
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)

        PROGRAM.run([*words, "--help"])

        shown = terminal.getvalue()
        assert "\x1b[1mUsage:\x1b[0m sample" in shown
        assert "\x1b[1mOptions:\x1b[0m" in shown
        assert "\x1b[36m-h, --help\x1b[0m" in shown
        assert re.sub(r"\x1b\[\d+m", "", shown) == plain

    def test_has_no_colour_where_nobody_wants_it(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout", terminal := Terminal())
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "1")

        PROGRAM.run(["greet", "--help"])

        assert "\x1b" not in terminal.getvalue()
        assert "Usage: sample greet" in terminal.getvalue()

    @given(st.integers(20, 200))
    def test_fits_the_width(self, width: int) -> None:
        page = help_page("sample", "Words of help " * 20, ENTRIES, width)
        wrapped = page.partition("Options:")[0].splitlines()[1:]
        assert max(map(len, wrapped)) <= max(width, 40)

    @pytest.mark.parametrize("flag", ["--help", "--version"])
    def test_imports_no_command_and_no_command_library(self, flag: str) -> None:
        # The programs' own tables, so that the claim is about what people run.
        code = (
            "import sys; from job_runner.main import PROGRAM; status = PROGRAM.run([sys.argv[1]]);"
            "print(sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr);"
            "print([m for m in sys.modules if '.commands' in m], file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, flag], cwd=ROOT, capture_output=True, text=True, check=True
        )
        loaded, commands = done.stderr.splitlines()[-2:]
        assert commands == "[]"
        for heavy in ("typer", "rich", "pydantic", "redis", "yaml", "numpy", "dataclasses", "asyncio"):
            assert f"'{heavy}'" not in loaded

    def test_says_the_version(self, run: Run) -> None:
        assert run("--version") == (0, "sample 1.2.3\n", "")


class TestUsage:
    def test_an_unknown_command_gets_one_line_with_the_nearest_name(self, run: Run) -> None:
        status, out, err = run("stauts")
        assert (status, out) == (2, "")
        assert err == "error: sample has no command 'stauts'; did you mean 'status'?\n"

    def test_an_unknown_command_like_no_other_points_to_help(self, run: Run) -> None:
        assert run("zzz")[2] == "error: sample has no command 'zzz'; see 'sample --help'\n"

    def test_an_unknown_command_of_a_group_gets_the_same(self, run: Run) -> None:
        assert run("more", "helo")[2] == "error: sample more has no command 'helo'; did you mean 'hello'?\n"

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (["greet", "--nam", "x"], "no such option: --nam"),
            (["greet", "extra"], "more arguments than it takes: extra"),
            (["read"], "missing argument"),
            (["more"], "missing command"),
            (["-x"], "no such option: -x"),
        ],
    )
    def test_a_wrong_command_line_is_one_line_and_exit_2(self, run: Run, args: list[str], words: str) -> None:
        status, out, err = run(*args)
        assert (status, out) == (2, "")
        assert words in err
        assert err.count("\n") == 1
        assert "--help'" in err

    def test_a_missing_module_of_ours_is_no_usage_error(self, run: Run) -> None:
        assert run("status")[0] == 70


class TestEnds:
    def test_a_command_runs_with_its_options(self, run: Run) -> None:
        assert run("greet", "--name", "ann") == (0, "hello ann\n", "")
        assert run("more", "hello") == (0, "hello world\n", "")

    def test_a_returned_status_is_the_exit_status(self, run: Run) -> None:
        assert run("read", "x.yaml", "--json") == (1, '{"file":"x.yaml","json":true}\n', "")

    @pytest.mark.parametrize(("name", "status"), [("stop", 3), ("leave", 4)])
    def test_a_command_may_end_with_its_own_status_and_no_words(
        self, run: Run, name: str, status: int
    ) -> None:
        assert run(name) == (status, "", "")

    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            (JobFailed, 1),
            (UsageError, 2),
            (BadInput, 65),
            (Unavailable, 69),
            (TryAgain, 75),
            (BadConfiguration, 78),
        ],
    )
    def test_each_error_has_its_status_and_one_sentence(
        self, kind: type[JobRunnerError], status: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from lib.cli.failures import guarded

        def fail() -> int:
            raise kind("it went wrong")

        assert guarded(fail, program="sample", args=[]) == status
        assert capsys.readouterr() == ("", "error: it went wrong\n")

    def test_a_list_of_problems_keeps_its_lines(self, run: Run) -> None:
        assert run("bad") == (65, "", "error: two problems:\n  one\n  two\n")

    def test_with_json_the_error_is_also_on_stdout(self, run: Run) -> None:
        status, out, err = run("bad", "--json")
        assert (status, err) == (65, "error: two problems:\n  one\n  two\n")
        assert json.loads(out) == {
            "error": {
                "type": "TwoProblems",
                "message": "two problems:\n  one\n  two",
                "exit_status": 65,
                "problems": ["one", "two"],
            }
        }

    def test_with_json_a_usage_error_is_json_too(self, run: Run) -> None:
        assert json.loads(run("bad", "--json", "--no")[1])["error"]["exit_status"] == 2
        assert json.loads(run("nothing", "--json")[1])["error"]["type"] == "UsageError"

    def test_stdout_holds_one_json_value_even_when_a_command_fails_late(self, run: Run) -> None:
        assert run("said", "--json") == (65, '{"jobs":[]}\n', "error: too late\n")
        assert json.loads(run("bad", "--json")[1])  # the next run is not silenced by the last

    def test_json_behind_a_double_dash_is_a_word_like_any_other(self, run: Run) -> None:
        assert run("read", "--", "--json", "x")[1] == ""

    def test_a_full_disk_is_one_sentence_with_the_path(self, run: Run) -> None:
        status, _, err = run("full")
        assert status == ExitStatus.BAD_CONFIGURATION
        assert err == (
            "error: /data/x.wav: No space left on device; free some space and run the command again\n"
        )

    def test_missing_rights_are_one_sentence_with_the_path(self, run: Run) -> None:
        status, _, err = run("refused")
        assert status == ExitStatus.BAD_CONFIGURATION
        assert err.startswith("error: /data/x.wav: Permission denied; ")
        assert err.count("\n") == 1

    def test_an_interrupt_is_one_line_and_130(self, run: Run) -> None:
        assert run("interrupt") == (130, "", "error: interrupted\n")

    def test_a_missing_extra_names_its_install_command(self, run: Run) -> None:
        status, _, err = run("extra")
        assert status == ExitStatus.BAD_CONFIGURATION
        assert err == (
            "error: Storing files in S3 needs packages that are not installed; "
            f"install them with: {install_command('watcher')}\n"
        )

    def test_another_missing_package_is_named(self, run: Run) -> None:
        status, _, err = run("foreign")
        assert status == ExitStatus.BAD_CONFIGURATION
        assert "the Python package 'redis' is needed" in err


class TestInternalErrors:
    @pytest.fixture(autouse=True)
    def crashes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        return tmp_path

    @pytest.mark.parametrize("name", ["crash", "lost", "ours"])
    def test_are_one_line_that_says_where_the_traceback_is(self, run: Run, crashes: Path, name: str) -> None:
        status, out, err = run(name)
        (file,) = crashes.iterdir()
        assert (status, out) == (70, "")
        assert err.startswith("error: internal error: ")
        assert str(file) in err
        assert err.count("\n") == 1
        assert "Traceback" in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600

    def test_do_not_show_their_message_which_may_hold_anything(self, run: Run) -> None:
        assert "secret operand" not in run("crash")[2]

    def test_are_printed_when_asked_for(
        self, run: Run, crashes: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JOBS_DEBUG", "1")
        status, _, err = run("crash")
        assert status == 70
        assert "ZeroDivisionError: secret operand" in err
        assert list(crashes.iterdir()) == []

    def test_say_how_to_see_more_when_no_file_can_be_written(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
        assert "JOBS_DEBUG=1" in run("crash")[2]


class TestRealPipes:
    @pytest.mark.parametrize("command", ["--help", "long"])
    def test_a_reader_that_goes_away_is_no_error(self, command: str) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        code = in_process([command])
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (141, b"")

    def test_a_connection_that_breaks_is_not_taken_for_it(self) -> None:
        done = python(in_process(["broken"]), JOBS_DEBUG="1")
        assert done.returncode == 70
        assert "BrokenPipeError" in done.stderr

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
    def test_a_full_disk_behind_stdout_is_one_sentence(self) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-c", in_process(["--help"])],
                cwd=ROOT,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 78
        assert done.stderr == (
            "error: a write failed: No space left on device; free some space and run the command again\n"
        )


class TestCompletion:
    def complete(self, line: str) -> list[str]:
        words = line.split(" ")
        environ = {
            "_SAMPLE_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
        return python(in_process([]), **environ).stdout.split()

    def test_offers_commands_without_importing_them(self) -> None:
        assert self.complete("sample st") == ["status", "stop"]  # the module of `status` does not exist

    def test_offers_the_commands_of_a_group_and_options(self) -> None:
        assert self.complete("sample more h") == ["hello"]
        assert self.complete("sample greet --n") == ["--name"]

    def test_gives_the_script_to_install(self) -> None:
        script = python(in_process([]), _SAMPLE_COMPLETE="source_bash").stdout
        assert "_SAMPLE_COMPLETE=complete_bash" in script

    def test_offers_to_install_itself(self) -> None:
        assert "--install-completion" in self.complete("sample --")


def test_a_module_without_a_command_is_our_own_mistake() -> None:
    with pytest.raises(TypeError, match="neither a function"):
        load_command(CommandEntry("x", "lib.units", "No command."), "sample")
