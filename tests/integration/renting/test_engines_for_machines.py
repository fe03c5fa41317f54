"""An engine that machines would not have is refused before any is looked for or rented (W11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_watcher.providers.over_ssh.wiring import see_that_machines_can_have
from lib.settings import load_settings
from tests import warm

ROOT = Path(__file__).parents[3]
PROVIDERS = {
    "ssh": {"SSH_MACHINES": "root@127.0.0.1:1"},
    "vast": {"VAST_API_KEY": "a-key-that-nobody-asks-for", "VAST_URL": "http://127.0.0.1:1"},
}


def once(folder: Path, redis_url: str, provider: str, **environ: str) -> tuple[int, str]:
    """How `job-watcher once` ends, and what it says."""
    usual = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    settings = {"REDIS_URL": redis_url, "PROVIDER": provider, **PROVIDERS[provider], **environ}
    argv = ["job-watcher", "once"]
    done = warm.run(argv, warm.CALLS["job-watcher"], cwd=folder, environ=usual | settings, timeout_s=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_whose_packages_are_not_brought_is_one_line(
    provider: str, redis_url: str, tmp_path: Path
) -> None:
    if provider == "vast":
        pytest.importorskip("vastai", reason="the SDK is not installed (the extra vast)")
    status, said = once(tmp_path, redis_url, provider, VOICE_ENGINE="qwen3")

    assert status == 78
    assert "VOICE_ENGINE is qwen3, whose packages are not brought to machines" in said


@pytest.mark.parametrize(
    "given", [{"VOICE_ENGINE": "hibari"}, {"VOICE_ENGINE": "qwen3", "SSH_VOICE_SYNTH": "/opt/voice-synth"}]
)
def test_one_that_machines_have_or_get_passes(given: dict[str, str], tmp_path: Path) -> None:
    see_that_machines_can_have(load_settings({}, {"HOME": str(tmp_path), **given}, tmp_path))
