"""The market as `instances --why` shows it: by the speeds that jobs told (W9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from job_watcher.provisioning.offers_now import measured_speeds, offers_now
from lib.fleet import Caps, Offer, Policy
from lib.machines.memory import MemoryLedger
from lib.machines.model import Change, Epoch, FinishedWork, HostNote
from lib.providers.rental import RentalProvider
from tests.contract.machines.rows import NOON, planned
from tests.unit.fleet.things import offer

ENGINE = "hibari"


class Market:
    """Two GPUs of the same promise."""

    def offers(self, *, interruptible: bool) -> Sequence[Offer]:
        found = [
            offer(id="known", gpu="RTX 3060", machine_id="a"),
            offer(id="new", gpu="RTX 4070", machine_id="b"),
        ]
        return [] if interruptible else found


@pytest.fixture
def ledger() -> MemoryLedger:
    """An RTX 3060 passed its checks after 100 s and spoke a minute in 20 s."""
    ledger = MemoryLedger()
    ledger.open_epoch(Epoch(1, "ann", NOON))
    row = planned(ledger, 1)
    created = row.intent.created_at
    ledger.change(Change(row.token, row.version, 1, "ready", "passed", created + 100.0))
    ledger.note_work([FinishedWork(row.token, "job", 1, "", NOON + 300.0, 20_000, 60_000)], epoch=1)
    return ledger


def test_a_speed_that_jobs_told_is_used_and_another_one_guessed(ledger: MemoryLedger) -> None:
    market = cast(RentalProvider, Market())
    shown = offers_now(market, Policy(speed=2.0), Caps(), ENGINE, ledger, NOON + 900.0)
    told = {each.score.offer.id: (each.score.speed, each.measured) for each in shown}
    assert told == {"known": (pytest.approx(3.0), True), "new": (2.0, False)}
    assert {each.to_json()["speed_measured"] for each in shown} == {True, False}


def test_no_bid_is_shown_where_the_leader_would_make_none(ledger: MemoryLedger) -> None:
    class Bids(Market):
        def offers(self, *, interruptible: bool) -> Sequence[Offer]:
            return (
                [offer(id="bid", interruptible=True)]
                if interruptible
                else super().offers(interruptible=False)
            )

    def shown() -> set[str]:
        market = cast(RentalProvider, Bids())
        found = offers_now(market, Policy(), Caps(), ENGINE, ledger, NOON + 900.0)
        return {each.score.offer.id for each in found}

    ledger.note_host(HostNote("vast", "m1", "h1", "outbid", ok=False, at=NOON + 800.0), epoch=1)
    assert shown() == {"known", "new", "bid"}
    ledger.note_host(HostNote("vast", "m2", "h2", "outbid", ok=False, at=NOON + 810.0), epoch=1)
    assert shown() == {"known", "new"}


def test_starts_are_measured_too_and_what_is_old_is_forgotten(ledger: MemoryLedger) -> None:
    found = measured_speeds(ledger, ENGINE, NOON + 900.0)
    assert found.audio == {(ENGINE, "RTX 3060"): pytest.approx(3.0)}
    assert found.cold == {"RTX 3060": pytest.approx(100.0)}
    later = measured_speeds(ledger, ENGINE, NOON + 40 * 86_400.0)
    assert (later.audio, later.cold) == ({}, {})
