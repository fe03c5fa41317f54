"""What can be ordered to go wrong in a rehearsal, tried at the fake company alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from job_watcher.rehearsal.market_day import hastened, market_of
from job_watcher.rehearsal.ordered_faults import FAULTS, USUAL_FAULT, OrderedFault, read_fault
from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer
from job_watcher.rehearsal.whole_run import rentals_of
from lib.errors import UsageError
from lib.fleet import Policy
from tests.integration.vast.fake_vast import client, push, rent, standing

#: These are of the company, and happen whether a machine is there or not.
OF_THE_COMPANY = {"credit-gone", "lost-reply", "lost-destroy", "rate-limited", "server-error", "empty-list"}
SLOW = HostOffer(1, conduct=Conduct(null_s=1, created_s=1, loading_s=10, ssh_after_s=1))


def test_a_fault_says_what_and_when() -> None:
    assert read_fault("outbid@60s") == OrderedFault("outbid", 60.0)
    assert read_fault("gpu_gone@5") == OrderedFault("gpu-gone", 5.0)
    assert read_fault("outbid@audio") == USUAL_FAULT
    assert USUAL_FAULT.due(1.0, True)
    assert not USUAL_FAULT.due(1e6, False)
    assert read_fault("cut@2.5s").due(2.5, False)
    assert not read_fault("cut@2.5s").due(2.4, True)


@pytest.mark.parametrize("text", ["outbid", "outbid@", "earthquake@5s", "outbid@soon", "@5s", "outbid@-1s"])
def test_a_fault_that_is_none_is_one_line_with_those_there_are(text: str) -> None:
    with pytest.raises(UsageError, match=r"KIND@SECONDS.*outbid, offline.*empty-list"):
        read_fault(text)


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_waits_until_there_is_whom_it_can_befall(kind: str) -> None:
    with standing(SLOW) as fake:
        if kind in OF_THE_COMPANY:
            assert FAULTS[kind](fake)
            return
        assert FAULTS[kind](fake) is None
        instance = rent(client(fake))
        push(fake, 5.0 if kind == "stuck-loading" else 60.0)
        said = FAULTS[kind](fake)
        assert said is not None
        assert str(instance) in said


def rented() -> tuple[FakeVast, int]:
    fake = standing(SLOW)
    instance = rent(client(fake))
    return fake, instance


def test_a_machine_that_is_stuck_comes_up_never() -> None:
    fake, _ = rented()
    with fake:
        push(fake, 5.0)
        FAULTS["stuck-loading"](fake)
        push(fake, 10_000.0)
        assert [each.actual for each in fake.instances()] == ["loading"]


def test_a_host_that_is_gone_costs_nothing_more_and_is_let_no_more() -> None:
    fake, instance = rented()
    with fake:
        push(fake, 60.0)
        FAULTS["host-gone"](fake)
        before = fake.bill().total
        push(fake, 3600.0)
        assert (fake.living(), fake.bill().total) == ([], before)
        assert client(fake).search_offers() == []
        assert [each.instance for each in rentals_of(fake)] == [instance]


def test_credit_that_is_gone_stops_every_machine() -> None:
    fake, _ = rented()
    with fake:
        push(fake, 60.0)
        FAULTS["credit-gone"](fake)
        push(fake, 60.0)
        assert [each.contract for each in fake.instances()] == ["stopped"]


def test_the_bill_by_rental_is_the_whole_bill() -> None:
    fake, _ = rented()
    with fake:
        push(fake, 3600.0)
        costs = rentals_of(fake)
        assert sum(each.dollars for each in costs) == pytest.approx(fake.bill().total)
        assert costs[0].gpu_dollars > costs[0].disk_dollars > 0


def test_a_number_is_a_market_and_speed_shortens_only_how_long_machines_take() -> None:
    slow, fast = market_of(7, 1), market_of(7, 10)

    assert market_of(7, 10) == fast
    assert market_of(8, 10) != fast
    assert [host.dph_base for host in slow] == [host.dph_base for host in fast]
    for one, other in zip(slow, fast, strict=True):
        assert one.conduct.loading_s == pytest.approx(10 * other.conduct.loading_s)


def test_haste_never_makes_more_patient_and_leaves_what_decides_on_money() -> None:
    usual = replace(Policy(), least_vram_gb=0.0)

    assert hastened(usual, 1).boot_limit_s <= usual.boot_limit_s
    quick = hastened(usual, 100)
    assert quick.boot_limit_s == 60.0
    assert hastened(replace(usual, least_vram_gb=8.0), 100).boot_limit_s == 400.0  # a large engine loads long
    assert quick.silence_s == 60.0
    assert (quick.pass_s, quick.least_life_s, quick.boot_s) == (
        usual.pass_s,
        usual.least_life_s,
        usual.boot_s,
    )
