"""A queue, a fake Vast with real SSH machines, and real watchers that rent there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer, a_market
from lib.jobqueue import connect
from tests import warm
from tests.integration.servers import Server
from tests.integration.sshd import need_sshd
from tests.integration.watcher.conftest import Deployment
from tests.warm.process import WarmProcess

ROOT = Path(__file__).parents[3]
#: Machines come up in a second or two.
QUICK = Conduct(null_s=0.2, created_s=0.1, loading_s=0.5, ssh_after_s=0.3)


class RentingDeployment(Deployment):
    """Watchers with PROVIDER=vast. `fake` is what they rent at."""

    fake: FakeVast
    program: Path

    def settings(self, **more: str) -> dict[str, str]:
        """What renting needs."""
        return {
            "PROVIDER": "vast",
            "VAST_URL": self.fake.url,
            "VAST_API_KEY": self.fake.api_key,
            "VAST_IMAGE": f"this-computer@sha256:{'0' * 64}",
            "SSH_VOICE_SYNTH": str(self.program),
            "IDLE_HOLD_SECONDS": "3",
            "WATCHER_DRAIN_SECONDS": "30",
            "JOBS_DEBUG": "1",
            **more,
        }

    def start(self, **more: str) -> WarmProcess:
        """`job-watcher run`."""
        return self.start_watcher(**self.settings(**more))

    def command(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command of `job-watcher`, to its end."""
        environ = {
            **os.environ,
            "REDIS_URL": self.url,
            "JOBS_DATA_DIR": str(self.data),
            "WATCHER_LEASE_IDLE_MS": str(self.lease_ms),
            **self.settings(),
            **more,
        }
        environ = {name: value for name, value in environ.items() if value}
        argv, call = ["job-watcher", *words], warm.CALLS["job-watcher"]
        return warm.run(argv, call, cwd=Path.cwd(), environ=environ, timeout_s=120)

    def told(self, event: str) -> list[dict[str, Any]]:
        """What watchers that log as JSON said of that kind."""
        lines = (self.data / "watcher.log").read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [each for each in found if each.get("event") == event]


@pytest.fixture
def market() -> list[HostOffer]:
    """Quick machines; a test that wants others is parametrized with them."""
    return [replace(offer, conduct=QUICK) for offer in a_market()]


@pytest.fixture
def renting(own_server: Server, tmp_path: Path, market: list[HostOffer]) -> Iterator[RentingDeployment]:
    """A market, and nobody who rents there yet."""
    need_sshd()
    pytest.importorskip("vastai", reason="the SDK is not installed (the extra vast)")
    queue = connect(own_server.url)
    deployed = RentingDeployment(queue, own_server.url, tmp_path / "data", lease_ms=6000)
    deployed.data.mkdir()
    deployed.program = tmp_path / "voice-synth"
    deployed.program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m synth.main "$@"\n')
    deployed.program.chmod(0o755)
    with (
        tempfile.TemporaryDirectory(prefix="jr-vast-") as folder,
        FakeVast(Path(folder), offers=market) as fake,
    ):
        deployed.fake = fake
        yield deployed
        deployed.end()
    queue.close()
