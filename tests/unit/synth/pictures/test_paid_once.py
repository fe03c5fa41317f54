"""What was ordered at Replicate and did not arrive is found there, and not paid for twice."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from synth.pictures.backend import PaidInVain
from tests.unit.synth.pictures.conftest import ORDER
from tests.unit.synth.pictures.replicate_server import FakeReplicate
from tests.unit.synth.pictures.test_replicate import backend


def test_an_order_of_a_process_that_was_killed_is_found_and_not_paid_for_twice(
    server: FakeReplicate, clock: ManualClock
) -> None:
    """I4."""
    backend(server, clock).draw(ORDER)  # and it never said so to anybody

    picture = backend(server, clock).draw(ORDER)

    assert (picture.png, len(server.made), len(server.ordered)) == (server.png, 1, 1)


def test_a_picture_that_could_not_be_fetched_is_fetched_later_and_not_paid_for_twice(
    server: FakeReplicate, clock: ManualClock
) -> None:
    """I4."""
    drawer, server.files["/files/p0.png"] = backend(server, clock), (404, {}, b"")
    with pytest.raises(PaidInVain, match="cannot be fetched"):
        drawer.draw(ORDER)
    server.files.clear()

    assert drawer.draw(ORDER).png == server.png
    assert len(server.ordered) == 1


def test_an_order_is_placed_though_the_list_cannot_be_had(server: FakeReplicate, clock: ManualClock) -> None:
    """I1: without a sign that it was placed before."""
    server.lists = [500]
    assert backend(server, clock).draw(ORDER).png == server.png
