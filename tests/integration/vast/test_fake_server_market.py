"""The fake Vast's addresses, searches and creates, asked by Vast's own client. Numbers: the list of facts."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from job_watcher.rehearsal.vast import FakeVast, HostOffer
from job_watcher.rehearsal.vast.routes import ROUTES
from job_watcher.rehearsal.vast.server import HANDLERS
from tests.integration.vast.fake_vast import IMAGE, cheapest, client, push, refusal, rent, standing


def raw(vast: FakeVast, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
    """A request of our own: status, body, headers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{vast.url}{path}", data, method=method)
    request.add_header("Authorization", f"Bearer {vast.api_key}")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read()), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()), error.headers


def test_1_each_route_has_somebody_who_answers() -> None:
    assert {route.name for route in ROUTES} == {*HANDLERS, "result"}


def test_1_the_list_that_was_is_gone_with_and_without_its_slash(vast: FakeVast) -> None:
    for path in ("/api/v0/instances/", "/api/v0/instances"):
        status, body, _ = raw(vast, "GET", path)
        assert (status, body["error"]) == (410, "deprecated_endpoint")


def test_1_an_address_that_there_is_not_is_refused_and_noted(vast: FakeVast) -> None:
    assert raw(vast, "GET", "/api/v0/nothing/")[0] == 404
    assert raw(vast, "POST", "/api/v0/users/current/", {})[0] == 404
    assert [entry.route for entry in vast.journal.entries()] == ["unknown", "unknown"]


def test_2_each_request_has_a_connection_of_its_own_and_a_body_with_a_delete(vast: FakeVast) -> None:
    sdk = client(vast)
    sdk.destroy_instance(rent(sdk))
    deleted = vast.journal.entries("destroy")[0]
    assert deleted.body == b"{}"
    assert raw(vast, "GET", "/api/v0/users/current/")[2]["Connection"] == "close"


@pytest.mark.parametrize(
    ("query", "machines"),
    [
        ({"gpu_name": {"eq": "RTX 4090"}, "num_gpus": {"eq": "1"}}, {1002, 1003, 1004}),
        ({"gpu_ram": {"gt": "40000"}}, {1006}),
        ({"gpu_ram": {"lt": 20_000}}, {1007}),
        ({"gpu_name": {"in": ["RTX 5090", "A100 SXM4"]}}, {1005, 1006}),
        ({"gpu_name": {"notin": ["RTX 4090", "RTX 3090", "RTX 3060"]}}, {1005, 1006}),
        ({"dlperf": {"gte": 110, "lte": "150"}}, {1005, 1006}),
        ({"gpu_name": {"neq": "RTX 4090"}, "compute_cap": {"gte": 1000}}, {1005}),
        ({"id": {"eq": 7_000_001}}, set()),
        ({"ask_contract_id": {"eq": 7_000_001}}, {1001}),
        ("gpu_name=RTX_4090 reliability>0.99 verified=any", {1002, 1003, 1008}),
        ("gpu_ram>=30 datacenter=any", {1005, 1006}),
    ],
)
def test_2_filters_take_numbers_as_text(sdk: Any, query: Any, machines: set[int]) -> None:
    assert {row["machine_id"] for row in sdk.search_offers(query)} == machines


def test_2_an_operator_that_there_is_not_is_refused(sdk: Any) -> None:
    status, body = refusal(sdk.search_offers, {"gpu_ram": {"about": 24_000}})
    assert (status, body["error"]) == (400, "invalid_request")


def test_3_a_search_is_in_order_and_priced_with_the_disk(sdk: Any) -> None:
    rows = sdk.search_offers({}, order="dph_total", storage=100)
    totals = [row["dph_total"] for row in rows]
    assert totals == sorted(totals)
    assert sdk.search_offers({}, order="dph_total-")[0]["machine_id"] == 1006
    assert rows[0]["dph_total"] == pytest.approx(rows[0]["dph_base"] + 0.15 / 720 * 100)
    assert all(row["verification"] == "verified" and row["id"] == row["ask_contract_id"] for row in rows)
    assert [row["machine_id"] for row in rows if row["datacenter"]] == [1003]


def test_3_interruptible_offers_cost_the_least_bid(sdk: Any) -> None:
    rows = sdk.search_offers({}, type="bid")
    assert all(row["is_bid"] and row["dph_base"] == row["min_bid"] for row in rows)


def test_3_a_page_has_64_rows_at_most() -> None:
    with standing(*(HostOffer(number) for number in range(1, 101))) as vast:
        sdk = client(vast)
        assert len(sdk.search_offers({}, limit=1000)) == 64
        assert len(sdk.search_offers({}, limit=3)) == 3


def test_3_a_listing_may_be_behind(vast: FakeVast, sdk: Any) -> None:
    vast.market.listing_lag_s = 10.0
    ask = cheapest(sdk)
    vast.market.withdraw(vast.market.host_of(ask).machine_id, vast.clock.now())
    assert cheapest(sdk) == ask
    assert "no_such_ask" in json.dumps(refusal(rent, sdk, ask)[1])
    push(vast, 11)
    assert cheapest(sdk) != ask


def test_4_of_many_who_ask_at_once_one_has_it(vast: FakeVast, sdk: Any) -> None:
    ask = cheapest(sdk)

    def attempt(_: int) -> int:
        from requests import HTTPError  # the client's, which need not be installed

        try:
            return rent(client(vast), ask)
        except HTTPError as error:
            return 0 if error.response is None else int(error.response.status_code)

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(attempt, range(6)))
    assert len([result for result in results if result > 1000]) == 1
    assert {result for result in results if result < 1000} == {400, 404, 410}


def test_4_an_ask_is_let_once_also_when_its_host_is_free_again(sdk: Any) -> None:
    ask = cheapest(sdk)
    sdk.destroy_instance(rent(sdk, ask))
    assert refusal(rent, sdk, ask)[0] in (400, 404, 410)
    again = cheapest(sdk)
    assert again != ask
    assert rent(sdk, again)


def test_4_what_is_sent_is_kept(vast: FakeVast, sdk: Any) -> None:
    words = {"label": "jr-1", "env": {"A": "b", "-p 8080:8080": "1"}, "onstart_cmd": "true"}
    answer = sdk.create_instance(cheapest(sdk), image=IMAGE, disk=40, ssh=True, direct=True, **words)
    body = json.loads(vast.journal.entries("create")[0].body)
    assert (body["runtype"], body["price"], body["env"]) == ("ssh_direc ssh_proxy", None, words["env"])
    assert answer["success"]
    assert len(answer["instance_api_key"]) == 64
    row = sdk.show_instance(answer["new_contract"])
    assert (row["label"], row["is_bid"], row["disk_space"], row["onstart"]) == ("jr-1", False, 40, "true")


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        ({"disk": 7}, 400, "invalid_args"),
        ({"disk": 5000}, 400, "invalid_args"),
        ({"price": 0.0}, 400, "invalid_price"),
        ({"price": 200.0}, 400, "invalid_price"),
        ({"label": "x" * 257}, 400, "invalid_args"),
        ({"image": "x" * 1025}, 400, "invalid_args"),
        ({"onstart_cmd": "x" * 4097}, 400, "invalid_args"),
        ({"env": {"A": "x" * 40_000}}, 400, "invalid_args"),
    ],
    ids=str,
)
def test_4_what_no_host_takes_is_refused_and_the_offer_stays(
    vast: FakeVast, sdk: Any, words: dict[str, Any], status: int, error: str
) -> None:
    ask = cheapest(sdk)
    found, body = refusal(rent, sdk, ask, **words)
    assert (found, body["error"]) == (status, error)
    assert vast.living() == []
    assert rent(sdk, ask)


def test_4_without_credit_nothing_is_rented(vast: FakeVast, sdk: Any) -> None:
    vast.set_credit(0.0)
    status, body = refusal(rent, sdk)
    assert (status, body["error"]) == (400, "insufficient_credit")
    assert vast.living() == []


def test_4_a_new_account_may_spend_so_much_an_hour(vast: FakeVast, sdk: Any) -> None:
    vast.quirks.spend_limit = 0.10
    rent(sdk)
    assert refusal(rent, sdk)[1]["error"] == "spend_rate_limit"


def test_4_a_gpu_that_is_taken_at_that_moment(vast: FakeVast, sdk: Any) -> None:
    ask = cheapest(sdk)
    vast.market.occupy(vast.market.host_of(ask).machine_id)
    assert "no_such_ask" in json.dumps(refusal(rent, sdk, ask)[1])
    again = cheapest(sdk)
    row = sdk.show_instance(rent(sdk, again, cancel_unavail=False))
    assert (row["intended_status"], row["cur_state"]) == ("stopped", "stopped")
    assert vast.billing() == [row["id"]]


@pytest.mark.parametrize("has_id", [True, False])
def test_4_a_bid_that_is_too_low_makes_a_stopped_instance_all_the_same(
    vast: FakeVast, sdk: Any, has_id: bool
) -> None:
    vast.quirks.bid_refusal_has_id = has_id
    answer = sdk.create_instance(cheapest(sdk), image=IMAGE, disk=10, price=0.01, label="low")
    assert answer["success"] is False
    assert ("new_contract" in answer) is has_id
    (row,) = sdk.show_instances()
    assert (row["label"], row["cur_state"]) == ("low", "stopped")
    assert vast.billing() == [row["id"]]


def test_4_a_price_that_is_higher_than_was_offered() -> None:
    with standing(HostOffer(1, surcharge=0.2)) as vast:
        sdk = client(vast)
        offered = sdk.search_offers({}, storage=10)[0]["dph_total"]
        assert sdk.show_instance(rent(sdk))["dph_total"] == pytest.approx(offered + 0.2)
