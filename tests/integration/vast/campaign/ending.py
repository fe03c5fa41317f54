"""What holds at the end of every run of the campaign."""

from __future__ import annotations

from collections import Counter
from typing import Final

from job_watcher.rehearsal.vast.instances import RentedInstance
from job_watcher.rehearsal.vast.request_log import JournalEntry
from lib.jobqueue import JobState
from lib.machines.labels import parse_label
from tests.integration.vast.campaign.run import CampaignRun
from tests.integration.vast.campaign.watchers import SPEED

_HOUR_S: Final = 3600.0
#: Listings that a leader may see between the end of a hold and its first try to give a machine back: the
#: new leader's first, one that shows the machine idle, one that shows it drained, and one for good measure.
_PASSES: Final = 4


def check_ending(run: CampaignRun) -> None:
    """Raises AssertionError where something of it does not hold."""
    _check_work(run)
    _check_nothing_is_left(run)
    _check_caps(run)
    _check_idle(run)
    _check_secrets(run)
    assert len(run.leaders) > 1, "nobody took over"
    assert set(run.statuses) == {0}, run.log()


def _check_work(run: CampaignRun) -> None:
    """Each job once in effect, or failed for its own reason; and of each the audio, and no other."""
    ended = Counter(each.request_id for each in run.events if each.kind in ("done", "failed"))
    assert ended == Counter(spec.request_id for spec in run.specs)
    spoken = set()
    for spec in run.specs:
        found = run.queue.result(spec.request_id)
        assert found is not None
        if spec.speaker == "Ryan":
            assert found.state is JobState.DONE, found.error
            spoken.add(f"{spec.output_name}.{spec.format}")
        else:
            assert found.state is JobState.FAILED
            assert found.error is not None
            assert found.error["class"] == "bad_input"
            assert "Nobody" in found.error["message"]
    place = run.data / "storage" / "outputs"
    kept = {str(file.relative_to(place)) for file in place.rglob("*.wav")}
    assert kept == spoken


def _check_nothing_is_left(run: CampaignRun) -> None:
    assert run.vast.living() == []
    assert run.vast.billing() == []
    assert run.ledger.open_rows() == []
    assert run.differences() == []
    for amount in run.vast.bill().amounts:
        label = parse_label(amount.label)
        assert label is not None
        assert run.ledger.row(label.token) is not None, "billed, and never planned"


def _check_caps(run: CampaignRun) -> None:
    """By what the company says: machines at once, their prices, dollars in an hour."""
    settings, rented = run.schedule.settings, run.vast.instances()
    most = int(settings["MAX_MACHINES"])
    for begun in rented:
        at_once = [each for each in rented if each.created_at <= begun.created_at < _end(each)]
        assert len(at_once) <= most, [(each.id, each.history) for each in at_once]
        assert begun.host.dph_base <= float(settings["MAX_DPH"])
    hours = {int(at // _HOUR_S) for each in rented for at in (each.created_at, _end(each))}
    assert run.vast.bill().total <= float(settings["SPEND_CAP_HOUR"]) * max(1, len(hours))


def _end(instance: RentedInstance) -> float:
    assert instance.destroyed_at is not None
    return instance.destroyed_at


def _check_idle(run: CampaignRun) -> None:
    """A machine without work is given back in the first passes after its hold."""
    hold_s = float(run.schedule.settings["IDLE_HOLD_SECONDS"]) * SPEED
    listings = [each for each in run.vast.journal.entries("list") if each.status == 200 and not each.faults]
    for began, ended in run.rests():
        for each in run.vast.instances():
            gave = min(_given_back(run, each), ended)
            due = max(began, each.created_at) + hold_s
            seen = sum(due < listing.at < gave for listing in listings)
            assert seen <= _PASSES, (each.id, seen, gave - due, each.history, run.log())


def _given_back(run: CampaignRun, instance: RentedInstance) -> float:
    """When it was first tried to end it."""
    tries: list[JournalEntry] = run.vast.journal.entries("destroy")
    mine = [each.at for each in tries if f"/{instance.id}/" in each.path]
    return min([*mine, _end(instance)])


def idle_dollars(run: CampaignRun) -> float:
    """What machines cost while there was no work, beyond the hold."""
    hold_s = float(run.schedule.settings["IDLE_HOLD_SECONDS"]) * SPEED
    total = 0.0
    for began, ended in run.rests():
        for each in run.vast.instances():
            idle_s = min(_end(each), ended) - (max(began, each.created_at) + hold_s)
            total += max(0.0, idle_s) * each.gpu_price / _HOUR_S
    return total


def _check_secrets(run: CampaignRun) -> None:
    """Nothing of the account or the queue was on a machine or in a request's words."""
    assert run.searched == {each.id for each in run.vast.instances()}
    assert run.found == []
    assert run.vast.journal.find(run.vast.api_key) == []
    assert run.vast.journal.find(run.url) == []
