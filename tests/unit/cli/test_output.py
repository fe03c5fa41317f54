"""Results on stdout, words on stderr; data never steers a terminal."""

from __future__ import annotations

import errno
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.cli import output
from lib.cli.output import Column, Table, clean, display_width
from lib.cli.progress import LiveRow, LiveTable, ProgressBar
from lib.clock import ManualClock
from lib.errors import UsageError

ESCAPE = "\x1b"
#: C1 controls, separators that end lines, and each kind of mark that reorders what is read.
STEERING = [*map(chr, (0x80, 0x85, 0x9B, 0x9D, 0x9F, 0x61C, 0x200E, 0x200F, 0x2028, 0x2029))]
STEERING += map(chr, (0x202A, 0x202D, 0x202E, 0x2066, 0x2069))


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Pipe(Terminal):
    """A stream that says it is none."""

    def isatty(self) -> bool:
        return False


class Answers(Terminal):
    """A person who types an answer."""


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


def jobs() -> Table:
    table = Table([Column("id"), Column("text", wrap=True), Column("chars", align="right")])
    table.row("topic:beat-001", "A sentence that is a good deal longer than a narrow terminal is wide.", 71)
    table.row("a", None, 5)
    return table


class TestTables:
    def test_in_a_pipe_are_aligned_and_never_cut(self) -> None:
        assert jobs().plain().splitlines() == [
            "id              text                                                                   chars",
            "topic:beat-001  A sentence that is a good deal longer than a narrow terminal is wide.     71",
            "a               -                                                                          5",
        ]

    def test_on_a_terminal_fit_its_width(self, screen: Terminal) -> None:
        jobs().show(screen)
        lines = screen.getvalue().splitlines()
        assert max(display_width(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in lines) <= 60
        assert "topic:beat-001" in screen.getvalue()
        assert "wide." in screen.getvalue()  # folded, not cut

    def test_without_colour_hold_no_colour(self, screen: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        jobs().show(screen)
        assert not re.search(r"\x1b\[[\d;]*3\d[;m]", screen.getvalue())

    def test_take_markup_and_control_characters_as_they_are(self, screen: Terminal) -> None:
        table = Table([Column("id")])
        table.row("[red]x[/red]")
        table.row(f"{ESCAPE}]0;title\x07")
        table.show(screen)
        assert "[red]x[/red]" in screen.getvalue()
        assert "\\x1b]0;title\\x07" in screen.getvalue()
        assert f"{ESCAPE}]0" not in screen.getvalue()

    def test_refuse_a_row_of_another_length(self) -> None:
        with pytest.raises(ValueError, match="3 columns, the row 1 cells"):
            jobs().row("x")

    def test_align_wide_characters(self) -> None:
        table = Table([Column("a"), Column("b")])
        table.row("日本", "x")
        table.row("abcd", "y")
        assert table.plain() == "a     b\n日本  x\nabcd  y\n"

    def test_of_fields_line_up(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.show_fields({"waiting": 3, "lock_owner": None}, title="Queue")
        assert capsys.readouterr().out == "Queue\nwaiting     3\nlock_owner  -\n"


class TestJson:
    def test_is_compact_in_a_pipe_and_indented_on_a_terminal(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        output.emit_json({"a": [1, "ü"]})
        assert capsys.readouterr().out == '{"a":[1,"ü"]}\n'
        terminal = Terminal()
        monkeypatch.setattr("sys.stdout", terminal)
        output.emit_json({"a": [1]})
        assert terminal.getvalue() == '{\n  "a": [\n    1\n  ]\n}\n'

    def test_writes_money_and_paths_as_texts(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.emit_json({"cost": Decimal("0.10"), "file": Path("/a/b")})
        assert json.loads(capsys.readouterr().out) == {"cost": "0.10", "file": "/a/b"}

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_refuses_what_is_no_json(self, value: float, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(ValueError, match="not JSON compliant"):
            output.emit_json({"a": value})
        assert capsys.readouterr().out == ""

    def test_refuses_a_value_without_a_form(self) -> None:
        with pytest.raises(TypeError, match="a object has no JSON form"):
            output.emit_json({"a": object()})

    def test_is_ascii_where_nothing_else_can_be_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
        monkeypatch.setattr("sys.stdout", stream)
        output.emit_json({"a": "ü\U0001f600"})
        stream.flush()
        assert json.loads(stream.buffer.getvalue()) == {"a": "ü\U0001f600"}

    @pytest.mark.parametrize("steering", [*STEERING, "\x7f", "\ud800"])
    @pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
    def test_steers_no_terminal_and_says_the_same(
        self, steering: str, terminal: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        value = {f"key{steering}": [f"a{steering}b", "ü"]}
        for emit in (
            output.emit_json,
            lambda value: output.emit_json_lines([value]),
            lambda value: output.emit_json_array([value]),
        ):
            stream = Terminal() if terminal else Pipe()
            monkeypatch.setattr("sys.stdout", stream)
            emit(value)
            printed = stream.getvalue()

            assert steering not in printed
            assert "ü" in printed
            assert json.loads(printed) in (value, [value])


class TestWords:
    def test_for_people_go_to_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.note("looking")
        output.warn("careful")
        output.error("wrong")
        output.say("result")
        assert capsys.readouterr() == ("result\n", "looking\nwarning: careful\nerror: wrong\n")

    @given(st.text())
    def test_cleaned_hold_no_control_character(self, text: str) -> None:
        cleaned = clean(text)
        assert not [char for char in cleaned if ord(char) < 32 or 127 <= ord(char) < 160]
        cleaned.encode()  # no lone surrogate is left
        if text.isprintable():
            assert cleaned == text

    @pytest.mark.parametrize("steering", STEERING)
    def test_show_what_would_steer_or_reorder_them(
        self, steering: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        table = Table([Column("id")], title=f"t{steering}")
        table.row(f"c{steering}")

        output.say(f"s{steering}")
        output.note(f"n{steering}")
        output.show_fields({f"name{steering}": f"v{steering}"})
        output.emit_csv(["id"], [[f"c{steering}"]])
        table.show()
        printed = "".join(capsys.readouterr()) + "\n".join(table.lines(80))

        assert steering not in printed
        assert printed.count(f"{ord(steering):x}") >= 7

    def test_cleaned_cannot_be_reordered(self) -> None:
        assert clean("a\u202etxt.exe") == "a\\u202etxt.exe"

    def test_keep_their_lines_when_they_may(self) -> None:
        assert clean("a\nb\rc", keep_newlines=True) == "a\nb\\rc"


class TestQuestions:
    def test_without_a_terminal_are_a_usage_error_that_names_yes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        with pytest.raises(UsageError, match="--yes"):
            output.confirm("Delete 3 keys?", yes=False)

    def test_with_yes_are_not_asked(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert output.confirm("Delete 3 keys?", yes=True)
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize(
        ("typed", "answer"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
    )
    def test_on_a_terminal_are_asked_on_stderr(
        self, typed: str, answer: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", Answers(typed))
        assert output.confirm("Delete 3 keys?", yes=False) is answer
        assert capsys.readouterr() == ("", "Delete 3 keys? [y/N] ")


class TestProgress:
    def test_without_a_terminal_is_a_few_lines(self) -> None:
        stream, clock = io.StringIO(), ManualClock()
        with ProgressBar(1000, "speaking", clock=clock, stream=stream) as bar:
            for _ in range(1000):
                clock.advance(0.01)
                bar.advance()
        lines = stream.getvalue().splitlines()
        assert len(lines) == 10
        assert lines[0] == "speaking: 100/1000 (10%), 100.0/s, 9.0s left"
        assert lines[-1] == "speaking: 1000/1000 (100%), 100.0/s, in 10.0s"

    def test_without_a_terminal_speaks_up_when_it_is_slow(self) -> None:
        stream, clock = io.StringIO(), ManualClock()
        with ProgressBar(1000, "speaking", clock=clock, stream=stream) as bar:
            clock.advance(31)
            bar.advance(note="job 1")
            clock.advance(5)
            bar.advance()
            assert stream.getvalue() == "speaking: 1/1000 (0%), 0.0/s, 8h36m left, job 1\n"

    def test_counts_no_rate_of_what_was_done_before(self) -> None:
        clock = ManualClock()
        bar = ProgressBar(30, "jobs", clock=clock, stream=io.StringIO())
        clock.advance(0.001)
        bar.reach(14)
        assert bar.text() == "jobs: 14/30 (47%)"
        clock.advance(3.999)
        bar.reach(18)
        assert bar.text() == "jobs: 18/30 (60%), 1.0/s, 12.0s left"

    def test_goes_on_when_nobody_can_read_it(self) -> None:
        class Full(io.StringIO):
            def write(self, text: str) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

        with ProgressBar(2, "jobs", stream=Full()) as bar:
            bar.advance(2)
        with LiveTable([Column("job")], stream=Full()) as table:
            table.update([LiveRow("a", "done", ("a",))])

    def test_of_nothing_is_complete(self) -> None:
        stream = io.StringIO()
        with ProgressBar(0, "speaking", clock=ManualClock(), stream=stream):
            pass
        assert stream.getvalue() == "speaking: 0/0 (100%)\n"

    def test_a_quiet_one_says_nothing_where_nothing_can_be_redrawn(self) -> None:
        stream = io.StringIO()
        with ProgressBar(4, "days", quiet=True, clock=ManualClock(), stream=stream) as bar:
            bar.reach(2)
        assert stream.getvalue() == ""

    def test_the_total_may_grow(self) -> None:
        bar = ProgressBar(4, "pieces", clock=ManualClock(), stream=io.StringIO())
        bar.reach(4, total=8)
        assert bar.text() == "pieces: 4/8 (50%)"

    def test_on_a_terminal_is_drawn_in_place_and_then_gone(self, screen: Terminal) -> None:
        with ProgressBar(4, "speaking", clock=ManualClock(), stream=screen) as bar:
            bar.advance(2)
            drawn = screen.getvalue()
        assert "speaking: 2/4 (50%)" in drawn
        assert ESCAPE in drawn

    def test_of_many_rows_reports_changes_of_state_only(self) -> None:
        stream = io.StringIO()
        with LiveTable([Column("job"), Column("state")], stream=stream) as table:
            table.update(
                [LiveRow("a", "waiting", ("a", "waiting", "")), LiveRow("b", "running", ("10%",))], "2 jobs"
            )
            table.update(
                [LiveRow("a", "waiting", ("a", "waiting", "")), LiveRow("b", "running", ("90%",))], "2 jobs"
            )
            table.update(
                [LiveRow("a", "running", ("a", "running", "")), LiveRow("b", "done", ("2.1s",))], "2 jobs"
            )
        assert stream.getvalue().splitlines() == [
            "a: waiting",
            "b: running  10%",
            "a: running",
            "b: done  2.1s",
        ]

    def test_of_more_rows_than_fit_says_so(self, screen: Terminal) -> None:
        rows = [LiveRow(f"job-{n}", "waiting", (f"job-{n}", "waiting")) for n in range(100)]
        with LiveTable([Column("job"), Column("state")], stream=screen) as table:
            table.update(rows, "100 jobs")
            drawn = screen.getvalue()
        assert "100 jobs  (and 85 more)" in drawn
        assert "job-14" in drawn
        assert "job-15" not in drawn
