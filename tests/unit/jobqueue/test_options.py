"""Settings become a queue's options in one place, so that who enqueues and who works mean one queue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.jobqueue import QueueOptions, options_of
from lib.settings import Settings, load_settings
from tests.unit.house import calls_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(environ={"HOME": str(tmp_path)}, cwd=tmp_path)


def test_settings_that_are_left_out_are_the_queues_own_defaults(settings: Settings) -> None:
    assert options_of(settings) == QueueOptions()


@pytest.mark.parametrize(
    ("setting", "option", "value"),
    [
        ("jobs_prefix", "prefix", "other"),
        ("watcher_lease_idle_ms", "lease_ms", 500),
        ("jobs_result_ttl", "result_ttl_s", 61),
        ("jobs_history_max", "history_max", 2),
        ("jobs_max_depth", "max_depth", 3),
    ],
)
def test_each_setting_tunes_one_thing_and_nothing_else(
    settings: Settings, setting: str, option: str, value: object
) -> None:
    changed: dict[str, Any] = {setting: value}
    expected: dict[str, Any] = {option: value}

    assert options_of(replace(settings, **changed)) == replace(QueueOptions(), **expected)


def test_no_program_makes_options_of_a_server_by_itself() -> None:
    made = {place for place, _ in calls_of("QueueOptions", "lib", "job_runner", "job_watcher")}

    assert made == {
        "lib/jobqueue/options.py",
        "lib/jobqueue/memory/queue.py",  # left out: its defaults
        "lib/jobqueue/redis/queue.py",  # the same
        "job_runner/execution/execution.py",  # in memory: forgets nothing
        "job_watcher/simulation/world.py",  # in memory
    }
