"""Offices of the catalogue, closed at the end of each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from job_watcher.rehearsal.vast import HostOffer
from tests.integration.vast.catalogue.office import Office

OpenOffice = Callable[..., Office]


@pytest.fixture
def office() -> Iterator[OpenOffice]:
    """Opens one on the hosts it is given."""
    opened: list[Office] = []

    def open_office(*offers: HostOffer, **more: Any) -> Office:
        opened.append(Office(offers, **more))
        return opened[-1]

    yield open_office
    for each in opened:
        each.close()
