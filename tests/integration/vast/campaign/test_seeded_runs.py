"""The campaign over real processes: watchers that are killed, machines with SSH, the engine (W1-W8, W15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import Final

import pytest

from tests.integration.servers import Server
from tests.integration.vast.campaign.ending import check_ending, idle_dollars
from tests.integration.vast.campaign.run import CampaignRun, need_what_runs_need, opened_run
from tests.integration.vast.campaign.schedule import Schedule, schedule_of

#: Of the quick suite: the shortest ones, with different deaths. Four to eight seconds of processor time each.
QUICK: Final = (6, 8, 22, 34, 41, 53, 57, 58, 61, 274)
#: A run mostly waits, for leases that run out and for listings: so many cost hardly more time than one.
_AT_ONCE: Final = 5
ALL: Final = 300
pytestmark = pytest.mark.timeout(1800)  # as long as it takes on a busy computer


@pytest.fixture
def begin(own_server: Server) -> Iterator[Callable[[Schedule], CampaignRun]]:
    """Makes the run of a schedule; it is ended when the test is."""
    with opened_run(own_server) as begin_run:
        yield begin_run


def test_ten_runs_side_by_side_end_with_work_done_once_and_nothing_left_or_paid_in_vain() -> None:
    need_what_runs_need()
    context = get_context("forkserver")  # what a run needs is loaded once for all of them
    context.set_forkserver_preload([__name__, "pytest"])
    with ProcessPoolExecutor(_AT_ONCE, context) as pool:
        runs = {seed: pool.submit(_run_alone, seed) for seed in QUICK}

    failures = {seed: run.exception() for seed, run in runs.items() if run.exception() is not None}
    for seed in failures:
        print(f"again: {_command(seed)}")
    for failure in failures.values():
        assert failure is not None
        raise failure


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(ALL))
def test_whatever_dies_work_is_done_once_and_nothing_is_left_or_paid_in_vain(
    begin: Callable[[Schedule], CampaignRun], seed: int
) -> None:
    print(f"again: {_command(seed)}")
    _go(begin(schedule_of(seed)))


def _run_alone(seed: int) -> None:
    """A run with a queue's server of its own."""
    with ExitStack() as stack:
        server = Server("--appendonly", "yes", "--appendfsync", "everysec")
        stack.callback(server.remove)
        server.start()
        _go(stack.enter_context(opened_run(server))(schedule_of(seed)))


def _go(run: CampaignRun) -> None:
    """The run to its end, which is judged."""
    run.go()
    dollars = run.vast.bill().total
    print(
        f"{run.schedule.told()}\n{run.deaths()}; {len(run.searched)} machines, {dollars:.4f} USD, "
        f"idle {idle_dollars(run):.5f}"
    )
    check_ending(run)


def _command(seed: int) -> str:
    """What repeats a run."""
    return f"python -m pytest -m '' 'tests/integration/vast/campaign' -k '[{seed}]'"
