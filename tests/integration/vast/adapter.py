"""The adapter over Vast's own client, against the fake. A conftest or a test imports the fixtures."""

from __future__ import annotations

import pytest

from job_watcher.rehearsal.vast import FakeVast
from lib.clock import Clock
from lib.providers.rental import BootPlan, Listing
from lib.providers.vast.asks import Wanted
from lib.providers.vast.connection import VastConnection
from lib.providers.vast.provider import VastProvider
from tests.integration.vast.fake_vast import IMAGE

LABEL = "jw|rehearsal|1|token-00000001|x1800007200"
PLAN = BootPlan("ssh-ed25519 " + "A" * 68 + " machine", "nonce-12345")
WANTED = Wanted(IMAGE, 40)


def provider_of(
    vast: FakeVast,
    *,
    key: str | None = None,
    clock: Clock | None = None,
    plan: BootPlan = PLAN,
    wanted: Wanted = WANTED,
) -> VastProvider:
    """The adapter with the account's key, in the time of the fake."""
    pytest.importorskip("vastai", reason="Vast's client is not installed: install the extra vast")
    connection = VastConnection(vast.api_key if key is None else key, clock=clock or vast.clock, url=vast.url)
    return VastProvider(connection, wanted, lambda label: plan)


@pytest.fixture
def provider(vast: FakeVast) -> VastProvider:
    """The adapter of a fake whose time stands still but for what the adapter itself waits."""
    return provider_of(vast)


def rented(provider: VastProvider, vast: FakeVast, label: str = LABEL, *, interruptible: bool = False) -> str:
    """Rent the best offer for two hours."""
    offer = provider.offers(interruptible=interruptible)[0]
    return provider.rent(offer, label=label, expires_at=vast.clock.now() + 7200.0)


def instances(listing: Listing) -> list[str]:
    """The ids of what is listed."""
    return [rental.instance for rental in listing.rentals]
