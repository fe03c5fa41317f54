"""The fake Vast's bill: by the second, for what Vast bills. Numbers: the list of facts."""

from __future__ import annotations

from typing import Any

import pytest

from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer, Mishap
from tests.integration.vast.fake_vast import START, client, push, rent, standing

HOUR_S = 3600.0
#: Up at once: the price of a GPU is reckoned from the first moment.
AT_ONCE = Conduct(null_s=0, created_s=0, loading_s=0, ssh_after_s=0)
HOST = HostOffer(1, dph_base=0.36, min_bid=0.1, storage_cost=7.2, conduct=AT_ONCE)  # a cent a GB and hour


def one(conduct: Conduct = AT_ONCE, **more: Any) -> FakeVast:
    host = HostOffer(1, dph_base=0.36, min_bid=0.1, storage_cost=7.2, conduct=conduct, **more)
    return standing(host)


def test_8_the_gpu_costs_while_it_runs_and_the_disk_from_the_start() -> None:
    with one(Conduct(null_s=10, created_s=10, loading_s=80)) as vast:
        rent(client(vast))
        push(vast, 100)
        assert vast.bill().kind("gpu") == 0.0
        push(vast, HOUR_S)
        assert vast.bill().kind("gpu") == pytest.approx(0.36)
        assert vast.bill().kind("disk") == pytest.approx(0.1 * (HOUR_S + 100) / HOUR_S)


def test_8_a_stopped_one_costs_its_disk_and_a_destroyed_one_nothing() -> None:
    with one() as vast:
        sdk = client(vast)
        instance = rent(sdk)
        push(vast, HOUR_S)
        sdk.stop_instance(instance)
        push(vast, HOUR_S)
        assert vast.bill().kind("gpu") == pytest.approx(0.36)
        assert vast.bill().kind("disk") == pytest.approx(0.2)
        sdk.destroy_instance(instance)
        before = vast.bill().total
        push(vast, HOUR_S)
        assert (vast.bill().total, vast.billing()) == (before, [])


@pytest.mark.parametrize(
    ("mishap", "gpu", "disk"),
    [
        (Mishap.OFFLINE, 0.0, 0.0),
        (Mishap.UNKNOWN, 0.0, 0.1),
        (Mishap.EXIT, 0.0, 0.1),
        (Mishap.OUTBID, 0.0, 0.1),
        (Mishap.SSH_DEAD, 0.36, 0.1),
    ],
)
def test_8_what_an_hour_costs_after_a_mishap(mishap: Mishap, gpu: float, disk: float) -> None:
    with one() as vast:
        instance = rent(client(vast))
        push(vast, 1)
        vast.befall(instance, mishap)
        before = vast.bill()
        push(vast, HOUR_S)
        assert vast.bill().kind("gpu") - before.kind("gpu") == pytest.approx(gpu, abs=1e-9)
        assert vast.bill().kind("disk") - before.kind("disk") == pytest.approx(disk, abs=1e-9)


def test_8_a_host_that_is_back_costs_again() -> None:
    with one() as vast:
        instance = rent(client(vast))
        vast.befall(instance, Mishap.OFFLINE)
        push(vast, HOUR_S)
        assert vast.bill().total == pytest.approx(0.0)
        vast.befall(instance, Mishap.ONLINE)
        push(vast, HOUR_S)
        assert vast.bill().total == pytest.approx(0.46)


def test_8_an_interruptible_one_costs_its_bid() -> None:
    with one() as vast:
        rent(client(vast), price=0.2)
        push(vast, HOUR_S)
        assert vast.bill().kind("gpu") == pytest.approx(0.2)


def test_8_a_price_that_rises_for_the_next_or_for_who_is_there() -> None:
    with one() as vast:
        sdk = client(vast)
        vast.market.reprice(1, 0.5)
        instance = rent(sdk)
        push(vast, HOUR_S)
        assert vast.bill().kind("gpu") == pytest.approx(0.5)
        vast.reprice(instance, 1.0)
        push(vast, HOUR_S)
        assert vast.bill().kind("gpu") == pytest.approx(1.5)
        assert sdk.show_instance(instance)["dph_base"] == 1.0


def test_8_bandwidth_costs_and_so_does_the_image() -> None:
    with one(Conduct(image_gb=10.0), inet_down_cost=0.01, inet_up_cost=0.03) as vast:
        instance = rent(client(vast))
        push(vast, 60)
        vast.traffic(instance, down_gb=2.0, up_gb=1.0)
        assert vast.bill().kind("bwd") == pytest.approx(0.12)
        assert vast.bill().kind("bwu") == pytest.approx(0.03)


def test_8_the_credit_falls_by_the_bill_and_ends_at_its_moment() -> None:
    with standing(HOST, credit=0.92) as vast:
        sdk = client(vast)
        rent(sdk)  # 0.46 an hour
        push(vast, HOUR_S)
        assert sdk.show_user()["credit"] == pytest.approx(0.46) == vast.credit
        push(vast, 10 * HOUR_S)
        assert vast.bill().kind("gpu") == pytest.approx(2 * 0.36)
        assert vast.credit == pytest.approx(0.92 - vast.bill().total)


def test_8_charges_are_a_row_for_each_instance_and_day() -> None:
    with standing(HOST, HostOffer(2, dph_base=0.36, storage_cost=7.2, conduct=AT_ONCE)) as vast:
        sdk = client(vast)
        rent(sdk, label="jr-a")
        rent(sdk, label="jr-b")
        push(vast, 3 * 86_400)
        words = {"charges": True, "start_date": int(START) - 1, "end_date": int(START) + 10 * 86_400}
        rows, token = list[Any](), None
        while True:
            page = sdk.show_invoices_v1(**words, charge_type=["instance"], limit=3, next_token=token)
            rows += page["results"]
            token = page["next_token"]
            if not token:
                break
        assert page["total"] == len(rows) == 8  # from the middle of a day, so four days
        assert sum(row["amount"] for row in rows) == pytest.approx(vast.bill().total)
        assert {(row["metadata"]["label"], row["type"]) for row in rows} == {
            ("jr-a", "instance"),
            ("jr-b", "instance"),
        }
        assert [item["type"] for item in rows[0]["items"]] == ["gpu", "disk"]
        latest = sdk.show_invoices_v1(**words, limit=1, latest_first=True)["results"]
        assert latest == rows[-1:]


def test_8_charges_may_be_late() -> None:
    with one() as vast:
        sdk = client(vast)
        rent(sdk)
        push(vast, HOUR_S)
        vast.quirks.charges_delay_s = 86_400.0
        words = {"charges": True, "start_date": int(START) - 86_400, "end_date": int(START) + 86_400}
        assert sdk.show_invoices_v1(**words)["results"] == []


def test_8_what_was_paid_in_is_an_invoice(vast: FakeVast, sdk: Any) -> None:
    assert sdk.show_invoices_v1(charges=False)["results"][0]["amount"] == 25.0
