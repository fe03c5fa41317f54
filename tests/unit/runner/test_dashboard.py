"""What the dashboard shows of one look: bar, rate, time left, what runs, how long ago."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from job_runner.commands.status import fields_of
from job_runner.display.dashboard import ago_text, pace_lines, rate_text, screen_lines
from lib.jobqueue import FinishedJob, JobRecord, JobState, Snapshot, WatcherInfo
from lib.jobs.dashboard import Dashboard, Pace, pace_of
from lib.jobs.overview import Overview, overview

NOW = 1_000_000.0
SHOT = Snapshot(
    waiting=9,
    pending=3,
    delayed=1,
    stale_pel=0,
    oldest_waiting_s=120.0,
    done=31,
    failed=0,
    canceled=0,
    paused=False,
    lock_owner="ann",
    watcher_last_seen=NOW - 4,
    server_time=NOW,
)


def view_of(*watchers: WatcherInfo, **changes: Any) -> Overview:
    return overview(replace(SHOT, **changes), watchers, {})


def running(name: str, since: float, progress: dict[str, Any] | None = None) -> JobRecord:
    return JobRecord(
        request_id=name,
        state=JobState.RUNNING,
        priority="normal",
        fingerprint="v1:x",
        max_attempts=3,
        attempt=1,
        excused=0,
        lost=0,
        poisoned=0,
        lease_no=1,
        enqueued_at=NOW - 100,
        since=since,
        progress=progress,
    )


def ended(name: str, at: float) -> FinishedJob:
    error = {"class": "bad_input", "message": "no speech", "evidence": {}}
    return FinishedJob(name, JobState.FAILED, at, at - 9, at - 5, 1, 0, 1, "ann", None, error)


LOOK = Dashboard(
    view_of(),
    [running("sea:2", NOW - 65, {"pieces_done": 3, "pieces": 12}), running("sea:3", NOW - 1.5)],
    pace_of(view_of(), NOW - 200, 31, NOW - 200, 20),
    [ended("sea:1", NOW - 4)],
)


class TestPace:
    def test_is_of_what_came_with_the_oldest_unfinished_job(self) -> None:
        assert LOOK.pace == Pace(since=NOW - 200, ended=31, total=44, rate=0.1, left_s=120.0)

    @pytest.mark.parametrize("changes", [{"paused": True}, {"lock_owner": None}])
    def test_nothing_is_foretold_while_nobody_works(self, changes: dict[str, Any]) -> None:
        pace = pace_of(view_of(**changes), NOW - 200, 31, NOW - 200, 20)

        assert (pace.rate, pace.left_s) == (0.1, None)

    @pytest.mark.parametrize(("span", "count"), [(2.0, 5), (200.0, 0)])
    def test_too_little_says_nothing(self, span: float, count: int) -> None:
        pace = pace_of(view_of(), NOW - 200, 31, NOW - span, count)

        assert (pace.rate, pace.left_s) == (None, None)


class TestLines:
    def test_the_bar_stands_beside_its_words(self) -> None:
        (line,) = pace_lines(Pace(0.0, 31, 44, 0.1, 120.0), 80, colour=False)

        assert line.endswith("  31 of 44 ended (70%), 6.0 jobs a minute, 2m00s left")
        assert len(line) <= 80
        bar = line.partition(" ")[0]
        assert bar.count("━") == int(len(bar) * 31 / 44)

    def test_on_a_phone_it_stands_above_them(self) -> None:
        bar, *words = pace_lines(Pace(0.0, 31, 44, 0.1, 120.0), 40, colour=False)

        assert set(bar) == {"━", "─"}
        assert " ".join(words).startswith("31 of 44 ended")
        assert all(len(line) <= 40 for line in (bar, *words))

    @pytest.mark.parametrize("width", [80, 40, 24])
    def test_all_fits(self, width: int) -> None:
        assert [line for line in screen_lines(LOOK, width, colour=False) if len(line) > width] == []

    def test_what_runs_says_for_how_long_and_how_far(self) -> None:
        text = "\n".join(screen_lines(LOOK, 80, colour=False))

        assert "running now, and 1 more" in text
        assert "sea:2" in text
        assert "1m05s  3 of 12 pieces" in text
        assert "sea:3                     1.5s" in text

    def test_what_ended_says_how_long_ago(self) -> None:
        assert any(line.startswith("4 s ago  failed  sea:1") for line in screen_lines(LOOK, 80, colour=False))

    def test_a_screen_has_only_its_rows_and_the_numbers_in_one_line(self) -> None:
        lines = screen_lines(LOOK, 100, colour=False, rows=14)

        assert len(lines) <= 14
        assert "13 outstanding (waiting 9, running 3, delayed 1); 31 done, 0 failed, 0 canceled" in lines

    def test_colour_changes_no_word(self) -> None:
        plain = screen_lines(LOOK, 80, colour=False)
        coloured = screen_lines(LOOK, 80, colour=True)

        assert coloured != plain
        assert [_bare(line) for line in coloured] == plain

    def test_a_pipe_gets_nothing_folded(self) -> None:
        lines = screen_lines(replace(LOOK, running=[running("x" * 200, NOW)]), None, colour=False)

        assert any("x" * 200 in line for line in lines)


def _bare(line: str) -> str:
    for code in ("0", "1", "31", "32", "33", "36"):
        line = line.replace(f"\x1b[{code}m", "")
    return line


def test_machines_and_money_are_said_only_where_some_are_rented() -> None:
    renting = WatcherInfo("a", 1.0, 2.0, live=True, data={"instances": 2, "spend_usd": "0.10"})

    assert fields_of(view_of(renting))["machines"] == "2 rented, 0.10 USD"
    assert "machines" not in fields_of(view_of())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s ago"), (4.9, "4 s ago"), (60, "1 min ago"), (7_300, "2 h ago"), (200_000, "2 d ago")],
)
def test_how_long_ago(seconds: float, text: str) -> None:
    assert ago_text(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(5.14, "5.1 jobs a second"), (0.1, "6.0 jobs a minute"), (0.01, "36.0 jobs an hour")],
)
def test_a_rate_is_said_in_the_unit_in_which_people_count(rate: float, text: str) -> None:
    assert rate_text(rate) == text
