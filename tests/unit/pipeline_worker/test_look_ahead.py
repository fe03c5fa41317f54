"""How many tasks a worker holds ahead."""

from __future__ import annotations

import pytest

from job_pipeline.worker.look_ahead import PATIENCE_S, LookAhead


def after(seconds: float, times: int = 50, processes: int = 4) -> LookAhead:
    """A look ahead that has seen tasks of one length."""
    ahead = LookAhead(processes)
    for _ in range(times):
        ahead.took(seconds)
    return ahead


def test_nothing_is_held_before_a_task_has_ended() -> None:
    assert LookAhead(4).count == 0


@pytest.mark.parametrize(("seconds", "held"), [(0.3, 0), (0.11, 0), (0.05, 7), (0.02, 19), (0.001, 128)])
def test_what_is_held_is_a_tenth_of_a_second_of_work(seconds: float, held: int) -> None:
    assert after(seconds).count == pytest.approx(held, abs=1)


def test_a_long_task_counts_at_once() -> None:
    ahead = after(0.001)
    ahead.took(PATIENCE_S)
    assert ahead.count == 0


def test_short_ones_after_a_long_one_count_bit_by_bit() -> None:
    ahead = after(0.3)
    ahead.took(0.001)
    assert ahead.count == 0
    assert after(0.3, 1).count == 0
    for _ in range(40):
        ahead.took(0.001)
    assert ahead.count == 128
