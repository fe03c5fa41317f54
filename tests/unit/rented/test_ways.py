"""A rented machine is reached by its own address, else by the proxy (W11, W12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_watcher.providers.rented.ways_in import RentedLink
from lib.spool import HostUnreachable
from lib.workers.ssh import HostKeyChanged
from tests.unit.rented.near import DIRECT, PROXY, NearLink

SILENT = HostUnreachable("It does not answer.")


@pytest.fixture
def ways(tmp_path: Path) -> dict[object, NearLink]:
    return {way: NearLink(tmp_path, way) for way in (DIRECT, PROXY)}


@pytest.fixture
def link(ways: dict[object, NearLink]) -> RentedLink:
    made = RentedLink("token-1", lambda way: ways[way])
    made.direct_to([DIRECT, PROXY])
    return made


def test_the_machines_own_address_goes_first(link: RentedLink, ways: dict[object, NearLink]) -> None:
    link.connect()

    assert link.way == DIRECT
    assert ways[PROXY].connections == 0


def test_the_proxy_is_taken_where_the_address_does_not_answer(
    link: RentedLink, ways: dict[object, NearLink]
) -> None:
    ways[DIRECT].trouble = SILENT

    link.connect()

    assert link.way == PROXY
    assert link.run(("echo", "here")).stdout == b"here\n"


def test_a_way_that_breaks_later_is_left_for_the_other(
    link: RentedLink, ways: dict[object, NearLink]
) -> None:
    link.connect()
    ways[DIRECT].trouble = SILENT

    link.reroute()

    assert link.way == PROXY


def test_where_no_way_works_the_one_that_was_used_stays(
    link: RentedLink, ways: dict[object, NearLink]
) -> None:
    link.connect()
    ways[DIRECT].trouble = ways[PROXY].trouble = SILENT

    with pytest.raises(HostUnreachable):
        link.reroute()

    assert link.way == DIRECT


def test_another_host_key_is_told_before_a_silence(link: RentedLink, ways: dict[object, NearLink]) -> None:
    """Somebody between us and the machine matters more than a proxy that is down."""
    ways[DIRECT].trouble, ways[PROXY].trouble = SILENT, HostKeyChanged("Another key.")

    with pytest.raises(HostKeyChanged):
        link.connect()


def test_a_machine_without_an_address_yet_is_not_there(ways: dict[object, NearLink]) -> None:
    with pytest.raises(HostUnreachable, match="not known yet"):
        RentedLink("token-1", lambda way: ways[way]).connect()
