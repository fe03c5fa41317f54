"""Commands that look at the market and at rentals, without a watcher: W1, W6, W10."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_watcher.providers.wiring import deployment_of
from job_watcher.rehearsal.vast import FakeVast
from lib.clock import SystemClock
from lib.machines.labels import MachineLabel
from lib.providers.rental import BootPlan
from lib.providers.vast.asks import Wanted
from lib.providers.vast.connection import VastConnection
from lib.providers.vast.provider import VastProvider
from lib.settings import load_settings
from lib.workers.ssh import new_key_pair
from tests import warm
from tests.e2e.home import check_shape


@pytest.fixture
def fake() -> Iterator[FakeVast]:
    pytest.importorskip("vastai", reason="the SDK is not installed (the extra vast)")
    with FakeVast(None) as made:
        yield made


def run(fake: FakeVast, data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of `job-watcher` with PROVIDER=vast."""
    more = {"PROVIDER": "vast", "VAST_URL": fake.url, "VAST_API_KEY": fake.api_key}
    environ = {**os.environ, **more, "JOBS_DATA_DIR": str(data)}
    argv, call = ["job-watcher", *words], warm.CALLS["job-watcher"]
    return warm.run(argv, call, cwd=Path.cwd(), environ=environ, timeout_s=60)


def rent(fake: FakeVast, owner: str, token: str, expires_at: float) -> str:
    """A rental under that label, as a watcher that is gone left it."""
    public = new_key_pair().public
    connection = VastConnection(fake.api_key, clock=SystemClock(), url=fake.url)
    provider = VastProvider(
        connection, Wanted("python:3.12-slim-bookworm", 12), lambda label: BootPlan(public, "nonce-of-it")
    )
    label = MachineLabel(owner, 1, token, expires_at).text()
    return provider.rent(provider.offers(interruptible=False)[0], label=label, expires_at=expires_at)


def test_each_offer_is_shown_with_the_terms_of_its_score(fake: FakeVast, tmp_path: Path) -> None:
    told = json.loads(run(fake, tmp_path, "instances", "--why", "--json").stdout)

    check_shape("job-watcher-instances", told)
    offers = told["offers"]
    fit = [offer for offer in offers if offer["objection"] is None]
    assert [offer["chosen"] for offer in offers] == [True] + [False] * (len(offers) - 1)
    assert fit == sorted(fit, key=lambda offer: float(offer["usd_per_audio_hour"]))
    dear = [offer["objection"] for offer in offers if float(offer["usd_per_hour"]) > 1.0]
    assert dear == ["dearer than the most allowed for one machine"]
    for offer in offers:
        assert offer["download_seconds"] > offer["download_gb"] > 0
        parts = sum(float(offer[name]) for name in ("time_usd", "start_usd", "risk_usd"))
        assert float(offer["usd_per_audio_hour"]) == pytest.approx(parts, abs=0.0002)


def test_a_large_engine_s_offers_need_its_driver_and_say_what_a_start_loads(
    fake: FakeVast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICE_ENGINE", "qwen3")

    told = run(fake, tmp_path, "instances", "--why").stdout

    # a model of 4.5 GB, 3.0 of packages and the image, at the 900 Mbit/s of that host
    assert "A start there loads 7.7 GB, the model among them: about 1m08s." in told
    (line,) = (line for line in told.splitlines() if "would be rented now" in line)
    assert line.startswith(("7000001@", "7000003@"))  # the two hosts with a newer driver
    assert "CUDA 12.8 is under 13" in told


def test_a_sweep_ends_what_is_past_its_time_and_leaves_the_rest(fake: FakeVast, tmp_path: Path) -> None:
    """W6: without queue, ledger or watcher."""
    owner = deployment_of(load_settings({"JOBS_DATA_DIR": str(tmp_path)}))
    now = time.time()
    late = rent(fake, owner, "token-late", now - 600)
    foreign = rent(fake, "another-1", "token-foreign", now - 600)
    living = rent(fake, owner, "token-living", now + 600)

    ended = run(fake, tmp_path, "sweep", "--json")

    told = json.loads(ended.stdout)
    check_shape("job-watcher-sweep", told)
    assert ended.returncode == 1, "somebody should look why it was left"
    assert told["destroyed"] == [late]
    assert [each["instance"] for each in told["alive"]] == [living]
    assert sorted(map(str, fake.living())) == sorted([foreign, living])
