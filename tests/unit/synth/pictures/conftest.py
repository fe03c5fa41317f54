"""A double of Replicate that has drawn its picture already."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.clock import ManualClock
from synth.pictures.backend import PictureOrder
from synth.pictures.mock import MockBackend
from tests.unit.synth.pictures.replicate_server import FakeReplicate, serving

ORDER = PictureOrder("A lighthouse in the fog.", 128, 128, seed=7)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(clock: ManualClock) -> Iterator[FakeReplicate]:
    drawn = MockBackend("mock").draw(ORDER).png
    with serving(FakeReplicate(clock.now, drawn)) as fake:
        yield fake
