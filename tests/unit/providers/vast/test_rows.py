"""Rentals, offers and charges out of rows; nothing that is missing is made up."""

from __future__ import annotations

from typing import Any

import pytest

from lib.providers.rental import Endpoint, RentalStatus
from lib.providers.vast.asks import Wanted, ask_and_bid, query, read_offers
from lib.providers.vast.charges import read_charge
from lib.providers.vast.fields import Unreadable
from lib.providers.vast.rows import read_rental
from lib.units import MICROS
from tests.unit.providers.vast.answers import MISSING, ask_row, charge_row, instance_row

WANTED = Wanted(image="img", disk_gb=40, download_gb=10.0)
ODD: tuple[Any, ...] = (MISSING, None, "x", float("nan"), float("inf"), [], {}, True, -1)


class TestARental:
    def test_says_what_the_row_says(self) -> None:
        rental = read_rental(instance_row())
        assert (rental.instance, rental.machine_id) == ("901", "31")
        assert rental.label == "jw|me|1|token123|x1700008000"
        assert rental.hourly_micros == 305_500
        assert rental.started_at == 1_700_000_000.5
        assert rental.message == "running: success, running img/ssh"

    @pytest.mark.parametrize("name", ["id", "machine_id", "dph_total", "start_date"])
    @pytest.mark.parametrize("value", ODD)
    def test_without_what_it_must_have_is_unreadable(self, name: str, value: Any) -> None:
        with pytest.raises(Unreadable):
            read_rental(instance_row(**{name: value}))

    @pytest.mark.parametrize("row", [None, [], "x", 3])
    def test_that_is_no_row_is_unreadable(self, row: object) -> None:
        with pytest.raises(Unreadable):
            read_rental(row)

    def test_without_the_word_for_its_state_is_unreadable(self) -> None:
        with pytest.raises(Unreadable):
            read_rental(instance_row(actual_status=MISSING))

    @pytest.mark.parametrize(
        ("different", "status"),
        [
            ({"actual_status": None, "cur_state": "stopped", "next_state": "stopped"}, RentalStatus.STARTING),
            ({"actual_status": "created"}, RentalStatus.STARTING),
            ({"actual_status": "loading"}, RentalStatus.STARTING),
            ({"actual_status": "rebooting"}, RentalStatus.STARTING),
            ({"actual_status": "a new word"}, RentalStatus.STARTING),
            ({"actual_status": "running"}, RentalStatus.RUNNING),
            ({"actual_status": "exited"}, RentalStatus.BROKEN),
            ({"actual_status": "frozen"}, RentalStatus.BROKEN),
            ({"actual_status": "offline"}, RentalStatus.OFFLINE),
            ({"actual_status": "unknown"}, RentalStatus.OFFLINE),
            ({"actual_status": "stopped"}, RentalStatus.STOPPED),
            ({"actual_status": "running", "intended_status": "stopped"}, RentalStatus.STOPPED),
            ({"actual_status": "loading", "intended_status": "stopped"}, RentalStatus.STOPPED),
            ({"cur_state": "stopped", "next_state": "stopped"}, RentalStatus.STOPPED),
            ({"cur_state": "stopped"}, RentalStatus.RUNNING),
        ],
    )
    def test_does_what_its_words_mean(self, different: dict[str, Any], status: RentalStatus) -> None:
        assert read_rental(instance_row(**different)).status is status

    @pytest.mark.parametrize(
        "words",
        [
            "Error response from daemon: manifest for img:tag not found: manifest unknown",
            "pull access denied for img",
            "unauthorized: authentication required",
            "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8",
            "OCI runtime create failed: unresolvable CDI devices",
            "net/http: TLS handshake timeout",
        ],
    )
    def test_that_will_never_run_is_broken_and_says_why(self, words: str) -> None:
        rental = read_rental(instance_row(actual_status="loading", status_msg=words))
        assert rental.status is RentalStatus.BROKEN
        assert words in rental.message
        assert read_rental(instance_row(status_msg=words)).status is RentalStatus.RUNNING

    def test_whose_image_is_pulled_again_is_not_broken(self) -> None:
        row = instance_row(actual_status="loading", status_msg="TLS handshake timeout, Retrying in 3 seconds")
        assert read_rental(row).status is RentalStatus.STARTING

    def test_is_reached_directly_first_and_each_way_has_its_own_port(self) -> None:
        assert read_rental(instance_row()).endpoints == (
            Endpoint("203.0.113.9", 40_022, direct=True),
            Endpoint("ssh5.vast.ai", 10_022, direct=False),
        )

    @pytest.mark.parametrize(
        "ports", [None, {}, {"22/tcp": None}, {"22/tcp": []}, {"22/tcp": [{}]}, {"22/tcp": [7]}, [], "x"]
    )
    def test_has_no_direct_way_until_its_port_is_known(self, ports: object) -> None:
        endpoints = read_rental(instance_row(ports=ports)).endpoints
        assert [endpoint.direct for endpoint in endpoints] == [False]

    @pytest.mark.parametrize(
        ("host", "port"),
        [
            ("-oProxyCommand=x", 22), ("a b", 22), ("", 22), (None, 22), ("host;x", 22), ("h\nx", 22),
            (5, 22), ("host", 0), ("host", 65_536), ("host", "22x"), ("host", None), ("host", -1),
            ("host", 2.5),
        ],
    )  # fmt: skip
    def test_leads_nowhere_odd(self, host: object, port: object) -> None:
        endpoints = read_rental(instance_row(ssh_host=host, ssh_port=port)).endpoints
        assert [endpoint.direct for endpoint in endpoints] == [True]

    def test_shows_words_of_others_on_one_line(self) -> None:
        message = read_rental(instance_row(status_msg="a\x1b[2Jb\nc" * 500)).message
        assert message.isprintable()
        assert len(message) <= 300


class TestAnOffer:
    def test_says_what_the_row_says(self) -> None:
        (offer,) = read_offers([ask_row()], WANTED, interruptible=False)
        assert (offer.id, offer.machine_id, offer.host_id) == ("4711", "31", "7")
        assert (offer.hourly_micros, offer.fee_micros) == (305_500, 50_000)
        assert (offer.gpu, offer.perf, offer.driver, offer.cuda) == ("RTX 4090", 2.0, 570, 12.8)
        assert (offer.vram_gb, offer.disk_gb) == (24.564, 250.5)
        assert (offer.down_mbps, offer.up_mbps, offer.direct_ports) == (900.5, 400.0, 12)
        assert (offer.reliability, offer.verified, offer.interruptible) == (0.9954, True, False)
        assert offer.contract_end == 1_800_000_000.0

    def test_that_can_be_interrupted_costs_the_bid_and_the_disk_and_has_an_id_of_its_own(self) -> None:
        (offer,) = read_offers([ask_row()], WANTED, interruptible=True)
        assert ask_and_bid(offer.id) == (4711, 0.166)  # a tenth above the lowest, rounded up
        assert offer.hourly_micros == 171_500
        assert offer.interruptible

    @pytest.mark.parametrize(
        "name",
        [
            "ask_contract_id", "machine_id", "host_id", "num_gpus", "gpu_name", "gpu_ram", "cuda_max_good",
            "driver_version", "disk_space", "inet_up", "inet_down", "inet_down_cost", "direct_port_count",
            "dph_total", "reliability2", "verification", "end_date", "dlperf",
        ],
    )  # fmt: skip
    def test_without_a_fact_is_left_out(self, name: str) -> None:
        rows = [ask_row(**{name: None}), ask_row()]
        assert len(read_offers(rows, WANTED, interruptible=False)) == 1

    @pytest.mark.parametrize("bid", [None, 0, -1, "x", 1e9, MISSING])
    def test_without_a_lowest_bid_is_not_bid_for(self, bid: object) -> None:
        rows = [ask_row(min_bid=bid), ask_row()]
        assert len(read_offers(rows, WANTED, interruptible=True)) == 1

    def test_none_of_which_can_be_read_is_an_error_and_no_empty_market(self) -> None:
        with pytest.raises(Unreadable, match="none of 2 offers: dlperf"):
            read_offers([ask_row(dlperf=None)] * 2, WANTED, interruptible=False)
        with pytest.raises(Unreadable):
            read_offers({"a": 1}, WANTED, interruptible=False)
        assert read_offers([], WANTED, interruptible=False) == []

    @pytest.mark.parametrize(
        ("different", "wanted"),
        [
            ({"num_gpus": 2}, WANTED),
            ({"disk_space": 39.9}, WANTED),
            ({}, Wanted("img", 40, gpus=("RTX_3090",))),
            ({}, Wanted("img", 40, regions=("US", "FR"))),
            ({"geolocation": "Texas, US"}, Wanted("img", 40, regions=("EU",))),
            ({"geolocation": None}, Wanted("img", 40, regions=("EU",))),
            ({"geolocation": "DEUS"}, Wanted("img", 40, regions=("US",))),
        ],
    )
    def test_that_was_not_asked_for_is_left_out(self, different: dict[str, Any], wanted: Wanted) -> None:
        assert read_offers([ask_row(**different)], wanted, interruptible=False) == []

    @pytest.mark.parametrize("regions", [(), ("DE",), ("eu",), ("US", "EU")])
    def test_that_stands_right_counts(self, regions: tuple[str, ...]) -> None:
        wanted = Wanted("img", 40, gpus=("RTX_4090",), regions=regions)
        assert len(read_offers([ask_row()], wanted, interruptible=False)) == 1

    def test_the_market_is_asked_with_numbers(self) -> None:
        assert query(Wanted("img", 40, gpus=("RTX_4090",))) == {
            "num_gpus": {"eq": 1},
            "disk_space": {"gte": 40},
            "gpu_name": {"in": ["RTX 4090"]},
        }

    @pytest.mark.parametrize("name", ["", "x", "0", "12@", "12@1", "12@0.1000", "../1", "1\n", "-1"])
    def test_only_an_offer_of_ours_is_taken(self, name: str) -> None:
        with pytest.raises(Unreadable):
            ask_and_bid(name)


class TestACharge:
    def test_is_spread_over_its_hours_and_sums_up_to_its_amount(self) -> None:
        lines = read_charge(charge_row())
        assert sum(line.micros for line in lines) == 37_000
        assert {line.instance for line in lines} == {"901"}
        assert {line.label for line in lines} == {"jw|me|1|token123|x1700008000"}
        first = 1_700_000_000 // 3600
        compute = [(line.hour - first, line.micros) for line in lines if line.category == "compute"]
        assert compute == [(0, 15_556), (1, 14_444)]  # 2,800 s and 2,600 s of 5,400
        assert {line.category for line in lines} == {"compute", "storage", "bandwidth"}
        assert sum(line.micros for line in lines if line.category == "bandwidth") == 2_000

    def test_grows_with_its_day_and_keeps_its_hours(self) -> None:
        early = {(line.category, line.hour) for line in read_charge(charge_row(end=1_700_002_000))}
        late = {(line.category, line.hour) for line in read_charge(charge_row())}
        assert early < late

    @pytest.mark.parametrize(
        "items", [None, [], "x", [{"type": "gpu"}], [{"type": "gpu", "amount": 5.0}], [7]]
    )
    def test_whose_parts_cannot_be_read_is_the_gpus(self, items: object) -> None:
        lines = read_charge(charge_row(items=items))
        assert {line.category for line in lines} == {"compute"}
        assert sum(line.micros for line in lines) == 37_000

    @pytest.mark.parametrize("name", ["amount", "start", "end", "source"])
    def test_without_what_it_must_have_is_unreadable(self, name: str) -> None:
        with pytest.raises(Unreadable):
            read_charge(charge_row(**{name: None}))

    @pytest.mark.parametrize("source", ["volume-3", "instance-", "instance-0", "instance-1x", "x"])
    def test_of_nothing_known_is_unreadable(self, source: str) -> None:
        with pytest.raises(Unreadable):
            read_charge(charge_row(source=source))

    def test_of_a_time_that_is_none_is_unreadable(self) -> None:
        with pytest.raises(Unreadable):
            read_charge(charge_row(end=1_600_000_000))
        with pytest.raises(Unreadable):
            read_charge(charge_row(end=1e15))

    def test_of_a_moment_is_in_its_hour(self) -> None:
        (line,) = read_charge(charge_row(start=3600.0, end=3600.0, items=None, amount=1))
        assert (line.hour, line.micros) == (1, MICROS)
