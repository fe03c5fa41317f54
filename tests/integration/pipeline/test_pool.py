"""The processes of a worker stand whatever tasks do to them, and leave nothing behind."""

from __future__ import annotations

import gc
import logging
import os
import queue
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from job_pipeline.worker.look_ahead import PATIENCE_S
from job_pipeline.worker.pool import News, ProcessBroken, ProcessReady, TaskEnded, TaskPool
from lib.clock import Clock, ManualClock, SystemClock
from lib.events import transition_of
from lib.pipeline.work import ClaimedTask, Done, Failed, Released
from tests.integration.pipeline.shop import is_gone, until

ODD = "tests.integration.pipeline.odd_tasks:odd"


class Hands:
    """A pool of one process, and what it told."""

    def __init__(self, folder: Path, dag: str = ODD, clock: Clock | None = None) -> None:
        self.news: queue.Queue[News] = queue.Queue()
        self.folder = folder
        self.pool = TaskPool([dag], 1, self.news.put, clock=clock or SystemClock(), folder=folder)

    def hear(self, kind: type[News]) -> News:
        """The next news of a kind."""
        while not isinstance(found := self.news.get(timeout=30), kind):
            pass
        return found

    def do(self, name: str, timeout_s: float = 20.0, **inputs: Any) -> Any:
        """Have a task carried out; its outcome. On a busy machine a process may take long to be ready."""
        while True:
            self.pool.begin(task_of(name, timeout_s, inputs))
            ended = self.hear(TaskEnded)
            assert isinstance(ended, TaskEnded)
            if not isinstance(ended.outcome, Released):
                return ended.outcome


def task_of(name: str, timeout_s: float, inputs: dict[str, Any]) -> ClaimedTask:
    return ClaimedTask(
        run="r1",
        name=name,
        dag="odd",
        attempt=1,
        lease_no=1,
        timeout_s=timeout_s,
        executor="worker",
        inputs=inputs,
        run_inputs=inputs,
        config={},
        input_hash="",
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    made = Hands(tmp_path_factory.mktemp("odd"))
    yield made
    made.pool.close()


@pytest.fixture
def hands(shared: Hands) -> Hands:
    """The pool of all tests here, with a process that is ready."""
    until(lambda: shared.pool.free)
    return shared


def test_a_process_is_reused_and_stays_in_its_folder(hands: Hands) -> None:
    first = hands.do("where").result
    assert hands.do("wander").result == first[0]
    assert hands.do("where").result == first
    assert first[1] == os.getcwd()


def test_what_a_task_prints_is_logged_under_its_name_and_answers_for_nobody(
    hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "job_pipeline"):
        assert hands.do("talk").result == "said"

    told = [transition_of(record) for record in caplog.records]
    place = {"event": "printed", "tag": "stage", "run": "r1", "task": "talk", "attempt": 1}
    assert told == [place] * 5
    said = sorted(record.getMessage().removeprefix("[stage] r1 talk 1: ") for record in caplog.records)
    assert said == [
        "WARNING beats: to the log",
        "from a program",
        "to the other stream",
        "without an end",
        '{"done": 1}',
    ]


def test_a_flood_of_output_is_cut_and_does_not_hold_the_task_up(
    hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "job_pipeline"):
        assert hands.do("flood").result == "said"

        assert "left out" in caplog.messages[-1]
        assert sum(map(len, caplog.messages)) < 100_000
        hands.do("talk")

    assert "[stage] r1 talk 1: from a program" in caplog.messages  # the next task may print again


def test_large_inputs_go_over_in_parts(hands: Hands) -> None:
    assert hands.do("large", text="x" * 3_000_000).result == 3_000_000


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("exit_at_once", "exit status 7"),
        ("crash", "signal SIGSEGV"),
        ("answer_for_us", "its process"),
    ],
)
def test_a_task_that_ruins_its_process_fails_and_the_next_one_has_a_fresh_one(
    hands: Hands, name: str, words: str
) -> None:
    outcome = hands.do(name)

    assert isinstance(outcome, Failed)
    assert words in outcome.error
    assert isinstance(hands.do("where"), Done)


def test_a_task_that_forks_answers_once(hands: Hands) -> None:
    pid = hands.do("where").result[0]

    assert hands.do("fork").result == "returned"
    assert [hands.do("where").result[0] for _ in range(20)] == [pid] * 20


def test_what_a_task_started_is_gone_with_it_also_from_sessions_of_its_own(tmp_path: Path) -> None:
    clock, note = ManualClock(), tmp_path / "pids"  # its time is not over before it has started all of them
    hands = Hands(tmp_path, clock=clock)
    try:
        hands.hear(ProcessReady)
        hands.pool.begin(task_of("leave_children", 3.0, {"note": str(note)}))
        until(lambda: note.exists() and len(note.read_text().split()) == 4)
        clock.advance(3.0)

        ended = hands.hear(TaskEnded)
        assert isinstance(ended, TaskEnded)
        assert isinstance(ended.outcome, Failed)
        assert "did not end within 3 s" in ended.outcome.error
        assert [pid for pid in map(int, note.read_text().split()) if not is_gone(pid)] == []
    finally:
        hands.pool.close()


def test_a_process_that_was_stopped_is_ended_all_the_same(hands: Hands) -> None:
    pid = hands.do("where").result[0]
    os.kill(pid, signal.SIGSTOP)

    assert "did not end" in hands.do("where", timeout_s=0.2).error
    assert is_gone(pid)


def test_a_signal_to_every_process_of_the_service_leaves_the_work_alone(hands: Hands, tmp_path: Path) -> None:
    hands.pool.begin(task_of("patient", 60.0, {"place": str(tmp_path)}))
    until(lambda: (tmp_path / "began").exists() and (tmp_path / "began").read_text())
    for pid in map(int, (tmp_path / "began").read_text().split()):
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(pid, number)
    (tmp_path / "go").touch()

    ended = hands.hear(TaskEnded)
    assert isinstance(ended, TaskEnded)
    assert ended.outcome == Done(result="waited", artifacts=[])


def test_a_guard_that_was_killed_takes_its_runner_with_it(hands: Hands, tmp_path: Path) -> None:
    hands.pool.begin(task_of("patient", 60.0, {"place": str(tmp_path)}))
    until(lambda: (tmp_path / "began").exists() and (tmp_path / "began").read_text())
    runner, guard = map(int, (tmp_path / "began").read_text().split())
    os.kill(guard, signal.SIGKILL)

    ended = hands.hear(TaskEnded)
    assert isinstance(ended, TaskEnded)
    assert ended.outcome == Failed(error="its process ended before it did: its guard ended by signal SIGKILL")
    until(lambda: is_gone(runner))


def test_processes_that_are_replaced_leave_no_descriptor_open(hands: Hands) -> None:
    def descriptors() -> int:
        """How many this process has, with a process for tasks that is ready."""
        until(lambda: isinstance(hands.do("where"), Done))
        gc.collect()  # what other tests left open is not counted once and collected later
        return len(os.listdir("/proc/self/fd"))

    hands.do("exit_at_once")
    before = descriptors()
    hands.do("exit_at_once")

    assert descriptors() == before


def test_a_process_that_is_killed_while_it_waits_is_replaced(hands: Hands) -> None:
    pid = hands.do("where").result[0]
    os.kill(pid, signal.SIGKILL)
    hands.hear(ProcessReady)

    assert hands.do("where").result[0] != pid


def test_a_task_that_is_stopped_has_no_outcome(hands: Hands) -> None:
    task = task_of("leave_children", 60.0, {"note": str(hands.folder / "pids-2")})
    hands.pool.begin(task)
    until((hands.folder / "pids-2").exists)
    hands.pool.stop(task)

    assert hands.hear(TaskEnded) == TaskEnded(task, None)


def test_what_waits_too_long_behind_a_task_is_given_back(tmp_path: Path) -> None:
    clock = ManualClock()  # by which every task takes no time
    hands = Hands(tmp_path, clock=clock)
    try:
        hands.hear(ProcessReady)
        assert hands.pool.free == 1
        for _ in range(12):
            hands.do("where")
        assert hands.pool.free > 2
        long, waits = task_of("patient", 60.0, {"place": str(tmp_path)}), task_of("where", 20.0, {})
        hands.pool.begin_all([long, waits])
        until((tmp_path / "began").exists)
        assert hands.pool.free > 1
        clock.advance(PATIENCE_S)

        assert hands.hear(TaskEnded) == TaskEnded(waits, Released(why="no process of its worker became free"))
        assert hands.pool.free == 0
        (tmp_path / "go").touch()
        assert hands.hear(TaskEnded) == TaskEnded(long, Done(result="waited", artifacts=[]))
    finally:
        hands.pool.close()


def test_no_more_is_asked_for_while_half_of_what_may_wait_does(tmp_path: Path) -> None:
    hands = Hands(tmp_path, clock=ManualClock())
    try:
        hands.hear(ProcessReady)
        for _ in range(30):
            hands.do("where")
        assert (hands.pool.free, hands.pool.is_supplied) == (33, False)  # one to begin, 32 may wait
        tasks = [task_of("where", 20.0, {}) for _ in range(17)]
        hands.pool.begin_all([task_of("patient", 60.0, {"place": str(tmp_path)}), *tasks])
        until((tmp_path / "began").exists)
        assert (hands.pool.free, hands.pool.is_supplied) == (0, True)

        hands.pool.stop(tasks[-1])
        assert hands.hear(TaskEnded) == TaskEnded(tasks[-1], None)
        assert (hands.pool.free, hands.pool.is_supplied) == (16, False)
    finally:
        hands.pool.close()


def test_code_that_does_not_import_in_the_process_is_told(tmp_path: Path) -> None:
    hands = Hands(tmp_path, dag="tests.integration.pipeline.nowhere:dag")
    try:
        broken = hands.hear(ProcessBroken)
    finally:
        hands.pool.close()

    assert isinstance(broken, ProcessBroken)
    assert "there is no module" in broken.reason
    assert hands.pool.free == 0
