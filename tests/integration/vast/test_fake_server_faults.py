"""The fake Vast's limits, faults, keys and journal. Numbers: the list of facts."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from job_watcher.rehearsal.vast import (
    FakeVast,
    RequestFault,
    edited,
    hang,
    html_page,
    lost_reply,
    no_answer,
    rate_limited,
    redirect,
    refused,
    server_error,
    silent_failure,
    truncated,
)
from tests.integration.vast.fake_vast import cheapest, client, push, refusal, rent


def failure(call: Any, *args: Any, **more: Any) -> str:
    """The name of the client's error."""
    import requests

    with pytest.raises((requests.RequestException, ValueError)) as caught:
        call(*args, **more)
    return type(caught.value).__name__


def too_soon(call: Any, *args: Any) -> Any:
    """The answer of a call that is refused as too soon."""
    import requests

    with pytest.raises(requests.HTTPError) as caught:
        call(*args)
    return caught.value.response


def test_10_calls_that_come_too_soon_are_refused_in_four_forms(vast: FakeVast, sdk: Any) -> None:
    vast.throttle.on = True
    forms = set()
    sdk.show_instances_v1({"limit": 1})
    for _ in range(4):
        answer = too_soon(sdk.show_instances_v1, {"limit": 1})
        assert answer.status_code == 429
        forms.add((answer.text.startswith("{"), "Retry-After" in answer.headers))
        assert "API requests too frequent" in answer.text
        assert ("retry_after" in answer.text) is (
            answer.text.startswith("{") and "Retry-After" in answer.headers
        )
    assert len(forms) == 4
    push(vast, 1.0)
    assert sdk.show_instances_v1({"limit": 1})["success"]


def test_10_each_endpoint_and_each_key_has_its_own_limit(vast: FakeVast, sdk: Any) -> None:
    vast.throttle.on = True
    instance = rent(sdk)
    key = vast.instances()[0].key
    assert sdk.destroy_instance(instance)["success"]
    assert too_soon(sdk.destroy_instance, instance).status_code == 429
    # gone is gone, but the key of the machine is one that nobody has yet
    assert refusal(client(vast, key=key).destroy_instance, instance)[0] == 401


def test_10_a_create_that_comes_too_soon_has_to_wait_longer(vast: FakeVast, sdk: Any) -> None:
    vast.throttle.on = True
    first, second, third = (row["id"] for row in sdk.search_offers({})[:3])
    rent(sdk, first)
    assert too_soon(rent, sdk, second).status_code == 429
    push(vast, 5)
    assert too_soon(rent, sdk, second).status_code == 429
    push(vast, 13)
    assert rent(sdk, third)


def test_10_searches_are_counted_by_the_minute_and_the_day(vast: FakeVast, sdk: Any) -> None:
    vast.throttle.on = True
    for _ in range(10):
        cheapest(sdk)
    assert too_soon(cheapest, sdk).status_code == 429
    push(vast, 61)
    vast.throttle.search_quota = 1
    cheapest(sdk)
    answer = too_soon(cheapest, sdk)
    assert answer.json()["error"] == "search_quota_exceeded"
    assert int(answer.headers["X-RateLimit-Reset"]) > vast.clock.now()


def test_10_limits_are_off_unless_they_are_wanted(vast: FakeVast, sdk: Any) -> None:
    for _ in range(12):
        cheapest(sdk)


@pytest.mark.parametrize(
    ("fault", "error", "rented"),
    [
        (lost_reply("create"), "ConnectionError", 1),
        (no_answer("create"), "ConnectionError", 0),
        (server_error("create", 502), "HTTPError", 0),
        (server_error("create", 502, effect=True), "HTTPError", 1),
        (server_error("create", 500), "HTTPError", 0),
        (html_page("create"), "JSONDecodeError", 0),
        (html_page("create", effect=True), "JSONDecodeError", 1),
        (truncated("create"), "JSONDecodeError", 1),
        (rate_limited("create", plain=True), "HTTPError", 0),
        (refused("create", 410, "no_such_ask", "gone"), "HTTPError", 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_11_a_create_that_goes_wrong(
    vast: FakeVast, sdk: Any, fault: RequestFault, error: str, rented: int
) -> None:
    vast.faults.add(fault)
    ask = cheapest(sdk)
    assert failure(rent, sdk, ask) == error
    assert len(vast.living()) == rented
    assert vast.journal.entries("create")[0].faults == [fault.name]


@pytest.mark.parametrize("effect", [True, False])
def test_11_an_answer_that_takes_longer_than_the_client_waits(vast: FakeVast, sdk: Any, effect: bool) -> None:
    vast.faults.add(hang("create", 30.0, effect=effect))
    ask = cheapest(sdk)  # which may take its time
    sdk.client.timeout = 0.2
    began = time.monotonic()
    assert failure(rent, sdk, ask) == "ReadTimeout"
    assert time.monotonic() - began < 15.0  # long before the answer would have come
    # the client gave up by its own clock, and the fake may not have come to it yet
    assert vast.wait_for(lambda fake: bool(fake.journal.entries("create")))
    assert vast.wait_for(lambda fake: len(fake.living()) == effect)


def test_11_success_false_with_an_instance_all_the_same(vast: FakeVast, sdk: Any) -> None:
    vast.faults.add(silent_failure("create"))
    assert sdk.create_instance(cheapest(sdk), image="i", disk=10) == {"success": False}
    assert len(vast.living()) == 1


def test_11_the_clients_hidden_second_try_finds_its_own_offer_gone(vast: FakeVast) -> None:
    vast.faults.add(lost_reply("create"))
    trying = client(vast, retry=3)
    assert failure(rent, trying, cheapest(trying)) == "HTTPError"
    assert len(vast.living()) == 1
    assert len(vast.journal.entries("create")) == 2


def test_11_the_nth_call_and_so_many_times(vast: FakeVast, sdk: Any) -> None:
    vast.faults.add(server_error("user", 503, nth=2, times=2))
    sdk.show_user()
    assert [failure(sdk.show_user) for _ in range(2)] == ["HTTPError"] * 2
    assert sdk.show_user()["credit"] == 25.0


def test_11_an_odd_answer(vast: FakeVast, sdk: Any) -> None:
    rent(sdk)

    def without_start(body: Any) -> Any:
        del body["instances"][0]["start_date"]
        return body

    vast.faults.add(
        edited("list", lambda body: body | {"instances": []}), edited("list", without_start, nth=2)
    )
    assert sdk.show_instances() == []
    with pytest.raises(KeyError):
        sdk.show_instances()
    vast.faults.add(edited("search", lambda body: {"offers": []}), edited("search", lambda body: {}, nth=2))
    assert sdk.search_offers({}) == []
    with pytest.raises(KeyError):
        sdk.search_offers({})


def test_11_a_redirect(vast: FakeVast, sdk: Any) -> None:
    vast.faults.add(redirect("create", 302, "/api/v0/users/current/"))
    assert "new_contract" not in sdk.create_instance(cheapest(sdk), image="i", disk=10)
    assert vast.living() == []


def test_11_faults_end_when_they_are_cleared(vast: FakeVast, sdk: Any) -> None:
    vast.faults.add(server_error("*", 502, times=0))
    assert failure(sdk.show_user) == "HTTPError"
    vast.faults.clear()
    assert sdk.show_user()


@pytest.mark.parametrize("key", ["", "wrong", "x" * 64])
@pytest.mark.parametrize("status", [401, 404])
def test_12_a_wrong_key(vast: FakeVast, key: str, status: int) -> None:
    vast.account.keys.auth_status = status
    found, body = refusal(client(vast, key=key).show_user)
    assert (found, body["error"], body["msg"]) == (status, "auth_error", "Invalid user key")


def test_12_a_key_that_lacks_a_scope(vast: FakeVast, sdk: Any) -> None:
    vast.account.keys.scopes = frozenset({"instance_read", "misc", "user_read"})
    assert refusal(rent, sdk)[0] == 403
    assert sdk.show_instances() == []
    keys = sdk.client.get("/auth/apikeys/").json()["apikeys"]
    assert set(keys[0]["permissions"]["api"]) == {"instance_read", "misc", "user_read"}


def test_12_the_key_of_an_instance_is_for_that_one_alone(vast: FakeVast, sdk: Any) -> None:
    first, second = rent(sdk), rent(sdk)
    restricted = client(vast, key=vast.instances()[0].key)
    for call in (restricted.show_user, restricted.show_instances, restricted.search_offers):
        assert refusal(call)[0] == 403
    for call in (restricted.destroy_instance, restricted.stop_instance):
        assert refusal(call, second)[0] == 403
    assert restricted.stop_instance(first)["success"]
    assert restricted.destroy_instance(first)["success"]
    assert refusal(restricted.destroy_instance, first)[0] == 401
    assert vast.living() == [second]
    assert [entry.key for entry in vast.journal.entries("destroy")][-2:] == [f"instance {first}", "nobody"]


def test_13_the_account_with_and_without_the_slash(vast: FakeVast, sdk: Any) -> None:
    sdk.show_user()
    sdk.client.get("/users/current/").raise_for_status()
    assert [entry.path for entry in vast.journal.entries("user")] == [
        "/api/v0/users/current",
        "/api/v0/users/current/",
    ]


def test_13_the_journal_has_everything_and_finds_secrets(vast: FakeVast, sdk: Any) -> None:
    rent(sdk, env={"TOKEN": "s3cr3t"})
    entry = vast.journal.entries("create")[0]
    assert (entry.method, entry.status, entry.key, entry.at) == ("PUT", 200, "account", vast.clock.now())
    assert json.loads(entry.body)["env"] == {"TOKEN": "s3cr3t"}
    assert vast.journal.find("s3cr3t") == [entry.line]
    assert vast.journal.find(vast.api_key) == []


def test_14_it_is_vasts_own_client_that_asks(vast: FakeVast, sdk: Any) -> None:
    sdk.show_user()
    headers = vast.journal.entries()[0].headers
    assert headers["user-agent"].startswith("vastai-sdk/")
    assert headers["authorization"] == f"Bearer {vast.api_key}"


def test_the_date_is_that_of_the_rehearsal(vast: FakeVast, sdk: Any) -> None:
    vast.quirks.date_skew_s = 90.0
    date = sdk.client.get("/users/current").headers["Date"]
    assert parsedate_to_datetime(date).timestamp() == int(vast.clock.now()) + 90
