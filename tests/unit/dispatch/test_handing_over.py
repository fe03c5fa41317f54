"""A watcher that ends hands its jobs back before anything that machines can make long (V5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from job_watcher.leader_and_standby import LedWatcher, Reign
from lib.dispatch import Dispatcher, DispatchLimits
from lib.jobqueue import JobState, Term
from tests.unit.dispatch.bench import Bench, spec

TERM = Term(1, "ann")


class Leading:
    """A lock that we hold."""

    def lead(self, at_least: int) -> int | None:
        return TERM.epoch

    def term(self) -> Term | None:
        return TERM

    def resign(self) -> None:
        """Nobody waits for it."""

    start = stop = resign


class NoMachines:
    """They are the dispatcher's already."""

    def step(self, dispatcher: Dispatcher, term: Term) -> None:
        """Nothing is new."""

    def begin(self) -> None:
        """They are ready."""

    close = begin

    def leave(self, grace: float) -> None:
        """Their workers go on."""

    def settled(self) -> bool:
        return True

    def trouble(self) -> None:
        return None


def test_jobs_are_handed_back_before_machines_are_asked_for_their_voices(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec("a")
    made = bench.holding(job)
    bench.host.take()  # begun, so that it is not withdrawn
    made.step()
    states = list[JobState]()
    monkeypatch.setattr(made, "take_voices_back", lambda: states.append(bench.job(job).state))
    about: Mapping[str, Any] = made._parts.about()
    watcher = LedWatcher(
        lambda name: reign,
        Leading(),
        bench.queue,
        bench.clock,
        DispatchLimits(drain_s=0.0),
        bench.intervals,
        name="ann",
        about=about,
        standby_s=1.0,
    )
    reign = Reign(made, NoMachines())

    watcher._hand_over(reign, TERM)

    assert states == [JobState.WAITING]
