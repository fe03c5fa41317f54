"""The campaign over real processes: watchers that are killed, machines with SSH, the engine (W1-W8, W15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.integration.servers import Server
from tests.integration.vast.campaign.ending import check_ending, idle_dollars
from tests.integration.vast.campaign.run import CampaignRun, opened_run
from tests.integration.vast.campaign.schedule import Schedule, schedule_of

#: Of the quick suite: about ten seconds of processor time each, with few machines and different deaths.
QUICK = (6, 8, 21, 22)
ALL = 300
pytestmark = pytest.mark.timeout(900)  # as long as it takes on a busy computer
SEEDS = [seed if seed in QUICK else pytest.param(seed, marks=pytest.mark.soak) for seed in range(ALL)]


@pytest.fixture
def begin(own_server: Server) -> Iterator[Callable[[Schedule], CampaignRun]]:
    """Makes the run of a schedule; it is ended when the test is."""
    with opened_run(own_server) as begin_run:
        yield begin_run


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_dies_work_is_done_once_and_nothing_is_left_or_paid_in_vain(
    begin: Callable[[Schedule], CampaignRun], seed: int
) -> None:
    print(f"again: python -m pytest -m '' 'tests/integration/vast/campaign' -k '[{seed}]'")
    run = begin(schedule_of(seed))
    print(run.schedule.told())
    run.go()
    dollars = run.vast.bill().total
    print(f"{run.deaths()}; {len(run.searched)} machines, {dollars:.4f} USD, idle {idle_dollars(run):.5f}")

    check_ending(run)
