"""How a worker paces itself, what it lets into its log, and how its loops bear a database that is away."""

from __future__ import annotations

import logging

import pytest

from job_pipeline.database_trouble import DatabaseTrouble
from job_pipeline.rounds import Rounds
from job_pipeline.worker.options import stages_taken
from job_pipeline.worker.output_lines import OutputLines
from job_pipeline.worker.pace import SAFETY_S, ClaimPace, retry_in_s
from lib.errors import Unavailable, UsageError
from lib.events import transition_of
from lib.pipeline import Dag


def test_where_nobody_is_woken_the_pauses_grow_to_the_interval() -> None:
    pace = ClaimPace(poll_s=0.5, is_woken=False, chance=lambda: 1.0)

    pauses = [pace.pause_s() for _ in range(9)]
    assert pauses[:3] == [0.005, 0.01, 0.02]
    assert pauses[-2:] == [0.5, 0.5]
    pace.found()
    assert pace.pause_s() == 0.005


def test_where_one_is_woken_a_look_now_and_then_is_enough() -> None:
    pace = ClaimPace(poll_s=0.5, is_woken=True, chance=lambda: 1.0)

    assert [pace.pause_s() for _ in range(3)] == [SAFETY_S] * 3


def test_who_finds_nothing_lets_others_go_first_and_is_first_again_after_a_find() -> None:
    pace = ClaimPace(poll_s=0.5, is_woken=True, chance=lambda: 1.0)

    assert pace.courtesy_s() == 0
    for _ in range(9):
        pace.found_nothing()
    assert 0 < pace.courtesy_s() < 0.01
    pace.found()
    assert pace.courtesy_s() == 0


def test_retries_wait_longer_each_time_with_full_jitter_and_a_cap() -> None:
    assert [retry_in_s(failures, 1.0) for failures in (1, 2, 3, 20)] == [1, 2, 4, 300]
    assert retry_in_s(5, 0.0) == 0
    assert retry_in_s(5, 0.5) == 8


def test_output_is_cut_into_lines_and_a_flood_is_told_once() -> None:
    lines = OutputLines(most=30, longest=10)

    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o\r\n\nthree") == ["two"]
    assert lines.end() == ["three"]
    assert lines.feed(b"x" * 12 + b"\ny") == ["x" * 10 + "..."]
    flood = lines.feed(b"y" * 100)
    assert flood[-1] == "what it printed beyond that is left out"
    assert sum(map(len, flood[:-1])) <= 30
    assert lines.feed(b"more\n") == []
    lines.begin()
    assert lines.feed(b"\xff next\n") == ["\ufffd next"]


def test_a_worker_takes_all_stages_or_the_one_that_it_is_told() -> None:
    one, two = Dag("one"), Dag("two")
    for dag, names in ((one, ("audio", "video")), (two, ("video",))):
        for name in names:
            dag.task(name=name)(lambda inputs: 1)

    assert stages_taken([one, two], None) == {"one": ("audio", "video"), "two": ("video",)}
    assert stages_taken([one, two], "audio") == {"one": ("audio",)}
    with pytest.raises(UsageError, match="there are audio, video, video"):
        stages_taken([one, two], "upload")


def test_a_database_that_is_away_is_told_once_and_its_return_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = DatabaseTrouble(logging.getLogger("job_pipeline.test"), "stage", "claiming", lambda: 1.0)
    with caplog.at_level(logging.INFO, "job_pipeline"):
        trouble.over()
        pauses = [trouble.failed(Unavailable("no answer")) for _ in range(8)]
        trouble.over()

    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert pauses[-1] == 5.0
    assert [transition_of(record)["event"] for record in caplog.records] == ["database_away", "database_back"]
    assert {transition_of(record)["tag"] for record in caplog.records} == {"stage"}


def test_rounds_go_on_after_a_fault_and_end_when_they_are_told(caplog: pytest.LogCaptureFixture) -> None:
    made: list[int] = []

    def step() -> None:
        made.append(len(made))
        if len(made) in (2, 3):
            raise Unavailable("no answer")
        if len(made) == 5:
            rounds.stop()

    log = logging.getLogger("job_pipeline.test")
    rounds = Rounds(step, poll_s=0.0, log=log, what="recovery", chance=lambda: 0.0)
    rounds.run()

    assert len(made) == 5
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_rounds_go_on_after_what_nobody_foresaw(caplog: pytest.LogCaptureFixture) -> None:
    made: list[int] = []

    def step() -> None:
        made.append(len(made))
        if len(made) == 2:
            raise RuntimeError("one run is odd")
        if len(made) == 3:
            rounds.stop()

    log = logging.getLogger("job_pipeline.test")
    rounds = Rounds(step, poll_s=0.0, log=log, what="recovery", chance=lambda: 0.0)
    rounds.run()

    assert len(made) == 3
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_the_first_round_says_what_is_wrong_with_the_database() -> None:
    def step() -> None:
        raise Unavailable("no answer")

    rounds = Rounds(step, poll_s=0.0, log=logging.getLogger("job_pipeline.test"), what="recovery")
    with pytest.raises(Unavailable):
        rounds.run()
