"""The fake Vast with Vast's own client. A conftest imports the fixtures that it gives away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from job_watcher.rehearsal.vast import FakeVast, HostOffer, RehearsalClock

START = 1_800_000_000.0
IMAGE = "example/image:1"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key file, no netrc and no proxy of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    for name in ("VAST_URL", "VAST_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def vast() -> Iterator[FakeVast]:
    """A fake without machines, whose time stands still until it is pushed."""
    with standing() as fake:
        yield fake


@pytest.fixture
def sdk(vast: FakeVast) -> Any:
    """Vast's own client of it."""
    return client(vast)


def standing(*offers: HostOffer, credit: float = 25.0, folder: Path | None = None) -> FakeVast:
    """A fake whose time stands still."""
    clock = RehearsalClock(speed=0, start=START)
    return FakeVast(folder, clock=clock, offers=offers or None, credit=credit)


def client(vast: FakeVast, key: str | None = None, retry: int = 1) -> Any:
    """Vast's own client, which tries once and waits some seconds at most."""
    sdk_module = pytest.importorskip(
        "vastai", reason="Vast's client is not installed: install the extra vast"
    )
    found = sdk_module.VastAI(api_key=vast.api_key if key is None else key, server_url=vast.url, retry=retry)
    found.client.timeout = 10.0
    return found


def push(vast: FakeVast, seconds: float) -> None:
    """Let time pass in a fake whose time stands still."""
    clock = vast.clock
    assert isinstance(clock, RehearsalClock)
    clock.advance(seconds)


def cheapest(sdk: Any, **more: Any) -> int:
    """The number of the cheapest offer."""
    return int(sdk.search_offers({}, order="dph_total", **more)[0]["id"])


def rent(sdk: Any, ask: int | None = None, **more: Any) -> int:
    """Rent an offer, the cheapest one unless it is said which; returns the instance."""
    words = {"image": IMAGE, "disk": 10, "ssh": True, "direct": True, "cancel_unavail": True} | more
    return int(sdk.create_instance(cheapest(sdk) if ask is None else ask, **words)["new_contract"])


def refusal(call: Any, *args: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    """The status and the body by which a call is refused."""
    import requests

    with pytest.raises(requests.HTTPError) as caught:
        call(*args, **more)
    answer = caught.value.response
    assert answer is not None
    return answer.status_code, answer.json()
