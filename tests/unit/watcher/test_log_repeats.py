"""A trouble that lasts for days is a few lines in the log, and none of them hides another (W19)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from job_watcher.log_repeats import QuietRepeats
from lib.clock import ManualClock
from lib.events import LogSink
from lib.events.model import JobReleased, LifecycleEvent, StorageRefused
from lib.events.watchers import WatcherTrouble

ABOUT = {"lease_no": 1, "attempt": 1, "host": "h", "reason": "no"}


class Lines(logging.Handler):
    """A logger of its own with what passed."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.texts = ManualClock(), list[str]()
        self.addFilter(QuietRepeats(self.clock))
        self.log = logging.Logger("lib.x")
        self.log.addHandler(self)
        self.sink = LogSink(self.log)

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def each_second(self, seconds: int, tell: Callable[[], None]) -> None:
        for _ in range(seconds):
            tell()
            self.clock.advance(1)


def test_a_trouble_of_each_second_is_a_dozen_lines_in_six_hours() -> None:
    lines = Lines()
    event = WatcherTrouble(reason="Redis does not answer", pause_seconds=1)

    lines.each_second(6 * 3600, lambda: lines.sink.emit(event))

    assert len(lines.texts) <= 12
    assert lines.texts[1].endswith("(and 59 times since the last line)")


def test_a_pause_that_grows_is_the_same_trouble_and_another_reason_is_not() -> None:
    lines = Lines()
    for pause in (1, 2, 4):
        lines.log.warning("no new job is taken, next try in %.0f s: %s", pause, "disk full")
    lines.log.warning("no new job is taken, next try in %.0f s: %s", 8, "disk gone")

    assert [text[-9:] for text in lines.texts] == ["disk full", "disk gone"]


def test_what_comes_again_after_a_while_is_news() -> None:
    lines = Lines()
    for _ in range(2):
        lines.each_second(10, lambda: lines.log.error("it is away"))
        lines.clock.advance(300)

    assert lines.texts == ["it is away", "it is away"]


def test_each_job_whose_audio_cannot_be_stored_is_told_and_transitions_pass_always() -> None:
    lines, told = Lines(), list[LifecycleEvent]()
    for job in ("a:1", "a:2", "a:1"):
        told.append(StorageRefused(request_id=job, pause_seconds=1, **ABOUT))  # type: ignore[arg-type] # one
        told.append(JobReleased(request_id=job, **ABOUT))  # type: ignore[arg-type] # dict for both
    for event in told:
        lines.sink.emit(event)

    assert sum("not stored" in text for text in lines.texts) == 2
    assert sum("handed back" in text for text in lines.texts) == 3


def test_what_it_remembers_is_bounded() -> None:
    lines = Lines()
    for number in range(600):
        lines.log.error("trouble %d", number)
    lines.log.error("trouble 599")
    lines.log.error("trouble 0")  # forgotten, so told again

    assert len(lines.texts) == 601
