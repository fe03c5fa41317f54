"""An engine that machines cannot speak with is refused before any is looked for or rented (W11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_watcher.providers.over_ssh.wiring import engine_environ, see_that_machines_can_have
from lib.errors import BadConfiguration
from lib.settings import load_settings
from lib.voices import engine_facts
from tests import warm

ROOT = Path(__file__).parents[3]
PROVIDERS = {
    "ssh": {"SSH_MACHINES": "root@127.0.0.1:1"},
    "vast": {"VAST_API_KEY": "a-key-that-nobody-asks-for", "VAST_URL": "http://127.0.0.1:1"},
}
HUB_ID = f"Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice@{'0' * 40}"
CLONES = f"Qwen/Qwen3-TTS-12Hz-1.7B-Base@{'0' * 40}"
QWEN = {"VOICE_ENGINE": "qwen3"}
IMAGE = {"VAST_IMAGE": f"mine@sha256:{'0' * 64}"}
THERE = {"SSH_VOICE_SYNTH": "/opt/voice-synth"}


def once(folder: Path, redis_url: str, provider: str, **environ: str) -> tuple[int, str]:
    """How `job-watcher once` ends, and what it says."""
    usual = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    settings = {"REDIS_URL": redis_url, "PROVIDER": provider, **PROVIDERS[provider], **environ}
    argv = ["job-watcher", "once"]
    done = warm.run(argv, warm.CALLS["job-watcher"], cwd=folder, environ=usual | settings, timeout_s=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_whose_weights_are_nowhere_is_one_line(provider: str, redis_url: str, tmp_path: Path) -> None:
    if provider == "vast":
        pytest.importorskip("vastai", reason="the SDK is not installed (the extra vast)")
    status, said = once(tmp_path, redis_url, provider, VOICE_ENGINE="qwen3")

    assert status == 78
    assert "VOICE_ENGINE is qwen3, and QWEN_MODEL is not set" in said


@pytest.mark.parametrize("rented", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        {"VOICE_ENGINE": "hibari"},
        {"VOICE_ENGINE": "espeak"},
        {"VOICE_ENGINE": "hibari", "QWEN_MODEL": "what another engine reads"},
        QWEN | {"QWEN_MODEL": HUB_ID},
        QWEN | {"QWEN_MODEL": f"{CLONES},{HUB_ID}"},
        QWEN | {"QWEN_MODEL": "/srv/models"} | IMAGE,
        QWEN | {"QWEN_MODEL": "~/models"} | THERE,
        QWEN | THERE,  # whose own environment says it
    ],
)
def test_one_that_machines_have_or_get_passes(given: dict[str, str], rented: bool, tmp_path: Path) -> None:
    settings = load_settings({}, {"HOME": str(tmp_path), **given}, tmp_path)

    see_that_machines_can_have(settings, rented=rented)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"VOICE_ENGINE": "of-others"}, "SSH_VOICE_SYNTH to where voice-synth is on them"),
        (QWEN | {"QWEN_MODEL": "models/qwen"} | IMAGE, "QWEN_MODEL of the environment is models/qwen, which"),
        (QWEN | {"QWEN_MODEL": "models"} | THERE, "the absolute path of a folder on them"),
        (QWEN | {"QWEN_MODEL": HUB_ID.partition("@")[0]}, "without a commit"),
        (QWEN | {"QWEN_MODEL": CLONES}, "names only checkpoints that clone"),
        (
            QWEN | {"QWEN_MODEL": "/srv/models"},
            "the image python:3.12-slim-bookworm has none: set VAST_IMAGE",
        ),
    ],
)
def test_what_no_machine_could_find_is_refused_and_says_what_to_do(
    given: dict[str, str], said: str, tmp_path: Path
) -> None:
    settings = load_settings({}, {"HOME": str(tmp_path), **given}, tmp_path)

    with pytest.raises(BadConfiguration, match=said):
        see_that_machines_can_have(settings, rented=True)


def test_machines_of_ones_own_may_have_the_folder_whatever_image_others_run(tmp_path: Path) -> None:
    given = {"HOME": str(tmp_path), **QWEN, "QWEN_MODEL": "/srv/models"}
    see_that_machines_can_have(load_settings({}, given, tmp_path))


def test_a_worker_is_told_the_settings_of_its_engine_that_were_set_and_nothing_else(tmp_path: Path) -> None:
    given = {"HOME": str(tmp_path), "QWEN_MODEL": HUB_ID, "QWEN_BATCH": "16", "VAST_API_KEY": "a-secret"}
    settings = load_settings({}, given, tmp_path)

    assert engine_environ(settings, engine_facts("hibari")) == {}
    assert engine_environ(settings, engine_facts("qwen3")) == {"QWEN_MODEL": HUB_ID, "QWEN_BATCH": "16"}
