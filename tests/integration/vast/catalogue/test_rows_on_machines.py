"""Rows of the catalogue that concern machines, on real ones: SSH servers, the engine, a watcher's process.

Each has a sick host, which is the cheapest, and good ones: work is done once, the sick machine is given back
with the reason in the ledger, and the bill and the ledger are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from job_watcher.rehearsal.vast import Mishap
from lib.jobqueue import JobState
from tests.integration.servers import Server
from tests.integration.vast.campaign.run import CampaignRun, opened_run
from tests.integration.vast.campaign.schedule import BOOT, Schedule, good_host, schedule_of, short_jobs

pytestmark = pytest.mark.timeout(900)  # as long as it takes on a busy computer


@pytest.fixture
def begin(own_server: Server) -> Iterator[Callable[[Schedule], CampaignRun]]:
    """Makes the run of a schedule; it is ended when the test is."""
    with opened_run(own_server) as begin_run:
        yield begin_run


def _schedule(conduct: dict[str, Any], befalls: list[tuple[int, Mishap]], bids: bool) -> Schedule:
    """One machine at a time, given back at once; no death, no fault of the company's server."""
    sick = replace(good_host(1, 0.20), conduct=replace(BOOT, **conduct))
    return replace(
        schedule_of(0),
        offers=(sick, good_host(2, 0.30), good_host(3, 0.32)),
        faults=(),
        befalls=befalls,
        deaths=(),
        first=short_jobs(3),
        later=(),
        bids=bids,
        settings={"MAX_MACHINES": "1", "IDLE_HOLD_SECONDS": "0"},
        seen_after_s=0.0,
        gone_after_s=5.0,
        is_throttled=False,
    )


@pytest.mark.soak
@pytest.mark.parametrize(
    ("conduct", "befalls", "reason"),
    [
        pytest.param({"gpu_shown": "Tesla T4"}, [], "wrong_gpu", id="row 8, another GPU"),
        pytest.param({"gpu_shown": ""}, [], "gpu", id="row 8, none"),
        pytest.param({}, [(1, Mishap.GPU_GONE)], "gpu", id="row 9"),
        pytest.param({}, [(1, Mishap.SSH_DEAD)], "silent", id="row 10, refused while it works"),
        pytest.param({"befalls": ((0.0, Mishap.SSH_DEAD),)}, [], "unreachable", id="row 10, refused at once"),
        pytest.param({}, [(1, Mishap.EXIT)], "broken", id="row 12"),
        pytest.param({}, [(1, Mishap.OFFLINE)], "offline", id="row 13"),
        pytest.param({}, [(1, Mishap.OUTBID)], "outbid", id="row 14"),
    ],
)
def test_a_sick_machine_is_given_back_with_its_reason_and_its_work_goes_to_the_next(
    begin: Callable[[Schedule], CampaignRun],
    conduct: dict[str, Any],
    befalls: list[tuple[int, Mishap]],
    reason: str,
) -> None:
    run = begin(_schedule(conduct, befalls, bids=reason == "outbid"))

    run.work_off()

    notes = [(note.machine_id, note.reason, note.ok) for note in run.ledger.host_notes(0.0)]
    assert ("1", reason, False) in notes, notes
    assert [each.host.machine_id for each in run.vast.instances()] == [1, 2]
    _check(run)


@pytest.mark.soak
@pytest.mark.parametrize("mishap", [Mishap.DIRECT_DEAD, Mishap.KEYS_LOST])
def test_row_10_a_machine_that_can_be_reached_in_another_way_does_all_of_the_work(
    begin: Callable[[Schedule], CampaignRun], mishap: Mishap
) -> None:
    """By its proxy; or because it lets us in by itself. A broken connection in the middle changes nothing."""
    run = begin(_schedule({"befalls": ((0.0, mishap),)}, [(1, Mishap.CUT)], bids=False))

    run.work_off()

    assert [each.host.machine_id for each in run.vast.instances()] == [1]
    _check(run)


def _check(run: CampaignRun) -> None:
    """Work done once, nothing left, books that equal the bill."""
    done = Counter(each.request_id for each in run.events if each.kind == "done")
    assert done == Counter(spec.request_id for spec in run.specs)
    results = [run.queue.result(spec.request_id) for spec in run.specs]
    assert all(found is not None and found.state is JobState.DONE for found in results)
    assert run.vast.living() == []
    assert run.vast.billing() == []
    assert run.differences() == []
    assert run.found == []
