"""The fake Vast's instances: rows, pages, states and ends. Numbers: the list of facts."""

from __future__ import annotations

from typing import Any

import pytest

from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer, Mishap
from tests.integration.vast.fake_vast import client, push, refusal, rent, standing

BOOT_S = 30.0  # longer than the usual conduct takes


def row_of(sdk: Any, instance: int) -> dict[str, Any]:
    """One instance as its row says it is."""
    return dict(sdk.show_instance(instance))


def states(row: dict[str, Any]) -> tuple[str | None, str, str, str]:
    return row["actual_status"], row["intended_status"], row["cur_state"], row["next_state"]


def with_conduct(conduct: Conduct) -> FakeVast:
    return standing(HostOffer(1, conduct=conduct))


def test_5_a_row_has_what_the_client_needs_and_what_it_must_bear(vast: FakeVast, sdk: Any) -> None:
    instance = rent(sdk, env={"A": "b", "-p 8080:8080": "1"})
    row = sdk.client.get(f"/instances/{instance}/", query_args={"owner": "me"}).json()["instances"]
    assert isinstance(row["start_date"], float)
    assert row["extra_env"] == [["A", "b"], ["-p 8080:8080", "1"]]
    assert row["public_ipaddr"].endswith("\n")
    assert row["local_ipaddrs"].endswith(" \n")
    assert (row["actual_status"], row["ports"]) == (None, None)
    assert sdk.show_instances()[0]["extra_env"] == {"A": "b", "-p 8080:8080": "1"}


def test_5_one_that_there_is_not_is_null_or_404(vast: FakeVast, sdk: Any) -> None:
    assert sdk.show_instance(5) is None
    vast.quirks.gone_is_404 = True
    assert refusal(sdk.show_instance, 5)[1]["error"] == "no_such_instance"


def test_6_pages_have_25_rows_and_a_token() -> None:
    with standing(*(HostOffer(number) for number in range(1, 61))) as vast:
        sdk = client(vast)
        made = [rent(sdk, label="a" if number % 2 else "") for number in range(60)]
        assert [row["id"] for row in sdk.show_instances()] == made
        assert len(vast.journal.entries("list")) == 3
        page = sdk.show_instances_v1({"limit": 100})
        assert (len(page["instances"]), page["instances_found"], page["total_instances"]) == (25, 60, 60)
        assert page["label_counts"] == {"": 30, "a": 30}
        assert len(sdk.show_instances_v1({"limit": 0})["instances"]) == 5
        filtered = sdk.show_instances_v1({"select_filters": {"label": {"in": ["a"]}}, "limit": 25})
        assert (filtered["instances_found"], filtered["total_instances"]) == (30, 60)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"select_filters": {"dph_total": {"lt": 1}}}, "invalid_request"),
        ({"select_filters": {"num_gpus": {"eq": 1}}}, "invalid_request"),
        ({"after_token": "nonsense"}, "invalid_token"),
    ],
)
def test_6_computed_columns_and_bad_tokens_are_refused(sdk: Any, query: dict[str, Any], error: str) -> None:
    status, body = refusal(sdk.show_instances_v1, query | {"limit": 25})
    assert (status, body["error"]) == (400, error)


def test_6_a_new_instance_may_not_be_listed_yet(vast: FakeVast, sdk: Any) -> None:
    vast.lags.seen_after_s = 60.0
    instance = rent(sdk)
    assert (sdk.show_instances(), sdk.show_instance(instance)) == ([], None)
    push(vast, 61)
    assert [row["id"] for row in sdk.show_instances()] == [instance]


def test_7_it_boots_in_its_own_time(vast: FakeVast, sdk: Any) -> None:
    instance, seen = rent(sdk), list[Any]()
    for _ in range(15):
        row = row_of(sdk, instance)
        if (row["actual_status"], row["status_msg"]) not in seen:
            seen.append((row["actual_status"], row["status_msg"]))
        push(vast, 2)
    assert [status for status, _ in seen] == [None, "created", "loading", "loading", "running"]
    assert seen[-1][1].startswith("success, running")
    row = row_of(sdk, instance)
    assert states(row) == ("running", "running", "running", "running")
    assert row["ports"]["22/tcp"][0] == {"HostIp": "0.0.0.0", "HostPort": "1"}  # nobody's: no machine here


@pytest.mark.parametrize(
    ("stuck_at", "message", "status"),
    [
        ("null", None, None),
        ("created", "OCI runtime create failed: unresolvable CDI devices nvidia.com/gpu=0", "created"),
        ("loading", "manifest unknown", "loading"),
        ("loading", "pull access denied for example/image", "loading"),
        ("loading", "TLS handshake timeout", "loading"),
        ("created", "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8", "created"),
    ],
)
def test_7_it_gets_stuck_and_says_why(stuck_at: str, message: str | None, status: str | None) -> None:
    with with_conduct(Conduct(stuck_at=stuck_at, message=message)) as vast:
        sdk = client(vast)
        instance = rent(sdk)
        push(vast, 7200)
        row = row_of(sdk, instance)
        assert (row["actual_status"], row["status_msg"], row["ports"]) == (status, message, None)
        assert vast.bill().kind("gpu") == 0.0


def test_7_an_outbid_machine_is_stopped_first_and_says_so_later(vast: FakeVast, sdk: Any) -> None:
    instance = rent(sdk, price=0.2)
    push(vast, BOOT_S)
    vast.befall(instance, Mishap.OUTBID)
    assert states(row_of(sdk, instance)) == ("running", "stopped", "stopped", "stopped")
    push(vast, 6)
    assert states(row_of(sdk, instance)) == ("exited", "stopped", "stopped", "stopped")
    vast.befall(instance, Mishap.RESUME)
    push(vast, 6)
    assert states(row_of(sdk, instance)) == ("running", "running", "running", "running")


@pytest.mark.parametrize(
    ("mishap", "status"),
    [(Mishap.EXIT, "exited"), (Mishap.OFFLINE, "offline"), (Mishap.UNKNOWN, "unknown")],
)
def test_7_what_its_host_reports_changes_while_it_is_meant_to_run(
    vast: FakeVast, sdk: Any, mishap: Mishap, status: str
) -> None:
    instance = rent(sdk)
    push(vast, BOOT_S)
    vast.befall(instance, mishap)
    assert states(row_of(sdk, instance)) == (status, "running", "running", "running")


def test_7_a_host_that_was_away_while_it_booted_goes_on(vast: FakeVast, sdk: Any) -> None:
    instance = rent(sdk)
    push(vast, 5)
    vast.befall(instance, Mishap.OFFLINE)
    push(vast, 600)
    assert row_of(sdk, instance)["actual_status"] == "offline"
    vast.befall(instance, Mishap.ONLINE)
    assert row_of(sdk, instance)["actual_status"] == "running"


def test_7_what_is_planned_befalls_whoever_runs_then(vast: FakeVast, sdk: Any) -> None:
    vast.plan(1.0, Mishap.EXIT)
    instance = rent(sdk)
    push(vast, 10)
    assert row_of(sdk, instance)["actual_status"] == "loading"
    push(vast, 20)
    assert row_of(sdk, instance)["actual_status"] == "exited"


def test_7_what_belongs_to_a_host_befalls_its_machine() -> None:
    with with_conduct(Conduct(befalls=((60.0, Mishap.OFFLINE),))) as vast:
        sdk = client(vast)
        instance = rent(sdk)
        push(vast, 60)
        assert row_of(sdk, instance)["actual_status"] == "running"
        push(vast, 60)
        assert row_of(sdk, instance)["actual_status"] == "offline"


def test_7_without_credit_everything_is_stopped_and_disks_cost_on() -> None:
    with standing(credit=0.05) as vast:
        sdk = client(vast)
        first, second = rent(sdk), rent(sdk)
        push(vast, 86_400)
        assert [states(row_of(sdk, each))[1:] for each in (first, second)] == [("stopped",) * 3] * 2
        assert vast.credit < 0
        assert vast.billing() == [first, second]


def test_7_a_contract_ends() -> None:
    with standing(HostOffer(1, days_left=1.0)) as vast:
        sdk = client(vast)
        instance = rent(sdk)
        push(vast, 86_000)
        assert row_of(sdk, instance)["cur_state"] == "running"
        push(vast, 1000)
        assert states(row_of(sdk, instance)) == ("exited", "stopped", "stopped", "stopped")


def test_9_destroyed_is_destroyed_once_and_listed_a_while(vast: FakeVast, sdk: Any) -> None:
    instance = rent(sdk)
    assert sdk.destroy_instance(instance)["success"]
    status, body = refusal(sdk.destroy_instance, instance)
    assert (status, body["error"]) == (404, "no_such_instance")
    assert [row["id"] for row in sdk.show_instances()] == [instance]
    push(vast, 6)
    assert (sdk.show_instances(), sdk.show_instance(instance)) == ([], None)


@pytest.mark.parametrize("succeeds", [True, False])
def test_9_a_start_on_a_taken_gpu_is_queued_and_bills_later(vast: FakeVast, sdk: Any, succeeds: bool) -> None:
    vast.quirks.queued_start_succeeds = succeeds
    instance = rent(sdk)
    push(vast, BOOT_S)
    sdk.stop_instance(instance)
    host = vast.instances()[0].host.machine_id
    vast.market.occupy(host)
    answer = sdk.start_instance(instance)
    assert (answer["success"], "state change queued" in answer["msg"]) == (succeeds, True)
    push(vast, 60)
    assert states(row_of(sdk, instance)) == ("exited", "running", "stopped", "running")
    vast.market.occupy(host, busy=False)
    push(vast, 1)
    assert row_of(sdk, instance)["cur_state"] == "running"


def test_labels_reboots_and_bids(vast: FakeVast, sdk: Any) -> None:
    instance = rent(sdk, price=0.2)
    push(vast, BOOT_S)
    sdk.label_instance(instance, "other")
    assert row_of(sdk, instance)["label"] == "other"
    assert refusal(sdk.label_instance, instance, "x" * 1025)[1]["error"] == "label_too_long"
    sdk.reboot_instance(instance)
    assert row_of(sdk, instance)["actual_status"] == "rebooting"
    push(vast, 6)
    assert row_of(sdk, instance)["actual_status"] == "running"
    sdk.recycle_instance(instance)
    assert row_of(sdk, instance)["actual_status"] == "recycling"
    sdk.change_bid(instance, 0.3)
    assert row_of(sdk, instance)["dph_base"] == 0.3
    assert refusal(sdk.change_bid, instance, 100.0)[1]["error"] == "invalid_args"


def test_ssh_keys_of_the_account_and_of_an_instance(vast: FakeVast, sdk: Any) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0 somebody"
    assert refusal(sdk.show_ssh_keys)[0] == 404
    made = sdk.create_ssh_key(key)["key"]["id"]
    assert [row["public_key"] for row in sdk.show_ssh_keys()] == [key]
    instance = rent(sdk)
    sdk.attach_ssh(instance, key)
    attached = vast.account.ssh_keys.of(instance)
    assert [row["key"] for row in attached] == [key, key]
    sdk.detach_ssh(instance, attached[1]["id"])
    assert len(vast.account.ssh_keys.of(instance)) == 1
    sdk.delete_ssh_key(made)
    assert refusal(sdk.delete_ssh_key, made)[1]["error"] == "no_ssh_key"
    assert refusal(sdk.create_ssh_key, "no key")[1]["error"] == "no_ssh_key"
    vast.account.ssh_keys.is_team = True
    assert refusal(sdk.create_ssh_key, key)[1]["error"] == "team_ssh_keys_not_supported"
