"""An engine that machines cannot speak with is refused before any is looked for or rented (W11)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from job_watcher.providers.over_ssh.wiring import MachinesAre, engine_environ, see_that_machines_can_have
from lib.errors import BadConfiguration
from lib.settings import load_settings
from lib.voices import engine_facts
from tests import warm
from tests.integration.sshd import need_sshd

ROOT = Path(__file__).parents[3]
PROVIDERS = {
    "ssh": {"SSH_MACHINES": "root@127.0.0.1:1"},
    "vast": {"VAST_API_KEY": "a-key-that-nobody-asks-for", "VAST_URL": "http://127.0.0.1:1"},
}
HUB_ID = f"Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice@{'0' * 40}"
CLONES = f"Qwen/Qwen3-TTS-12Hz-1.7B-Base@{'0' * 40}"
DESIGNS = f"Qwen/Qwen3-TTS-12Hz-1.7B-VoiceDesign@{'0' * 40}"
QWEN = {"VOICE_ENGINE": "qwen3"}
IMAGE = {"VAST_IMAGE": f"mine@sha256:{'0' * 64}"}
THERE = {"SSH_VOICE_SYNTH": "/opt/voice-synth"}


def once(folder: Path, redis_url: str, provider: str, **environ: str) -> tuple[int, str]:
    """How `job-watcher once` ends, and what it says."""
    usual = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT), **warm.usual()}
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


@pytest.mark.parametrize("machines", [MachinesAre.OWN, MachinesAre.RENTED])
@pytest.mark.parametrize(
    "given",
    [
        {"VOICE_ENGINE": "hibari"},
        {"VOICE_ENGINE": "espeak"},
        {"VOICE_ENGINE": "hibari", "QWEN_MODEL": "what another engine reads"},
        QWEN | {"QWEN_MODEL": HUB_ID},
        QWEN | {"QWEN_MODEL": f"{CLONES},{HUB_ID}"},
        QWEN | {"QWEN_MODEL": DESIGNS},  # which says its first sentence with a description of its own
        QWEN | {"QWEN_MODEL": f"{CLONES},{DESIGNS}"},
        QWEN | {"QWEN_MODEL": "/srv/models"} | IMAGE,
        QWEN | {"QWEN_MODEL": "~/models"} | THERE | IMAGE,
        QWEN | THERE | IMAGE,  # whose own environment says it
    ],
)
def test_one_that_machines_have_or_get_passes(
    given: dict[str, str], machines: MachinesAre, tmp_path: Path
) -> None:
    settings = load_settings({}, {"HOME": str(tmp_path), **given}, tmp_path)

    see_that_machines_can_have(settings, machines)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"VOICE_ENGINE": "of-others"}, "SSH_VOICE_SYNTH to where voice-synth is on them"),
        (QWEN | {"QWEN_MODEL": "models/qwen"} | IMAGE, "QWEN_MODEL of the environment is models/qwen, which"),
        (THERE, "SSH_VOICE_SYNTH of the environment is /opt/voice-synth, and the image python:"),
        (QWEN | {"QWEN_MODEL": "models"} | THERE | IMAGE, "the absolute path of a folder on them"),
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
        see_that_machines_can_have(settings, MachinesAre.RENTED)


def test_machines_of_ones_own_may_have_the_folder_whatever_image_others_run(tmp_path: Path) -> None:
    given = {"HOME": str(tmp_path), **QWEN, "QWEN_MODEL": "/srv/models"}
    see_that_machines_can_have(load_settings({}, given, tmp_path))


@pytest.fixture
def with_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if qwen3 were installed here: the rest of the question does not ask for it again."""
    monkeypatch.setattr("job_watcher.providers.over_ssh.wiring.version", lambda package: "0")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "QWEN_MODEL is not set"),
        ("/srv/models-that-nobody-has", "a rehearsal's machines find no such folder"),
        ("~/models", "a rehearsal's machines find no such folder"),
    ],
)
def test_a_rehearsal_needs_the_weights_on_this_computer(
    with_packages: None, written: str | None, said: str, tmp_path: Path
) -> None:
    given = {"HOME": str(tmp_path), **QWEN, **THERE} | ({"QWEN_MODEL": written} if written else {})
    (tmp_path / "models").mkdir()

    with pytest.raises(BadConfiguration, match=said):
        see_that_machines_can_have(load_settings({}, given, tmp_path), MachinesAre.HERE)


@pytest.mark.parametrize("written", [HUB_ID, "the folder"])
def test_a_rehearsal_that_finds_all_on_this_computer_passes(
    with_packages: None, written: str, tmp_path: Path
) -> None:
    model = str(tmp_path) if written == "the folder" else written
    given = {"HOME": str(tmp_path), **QWEN, **THERE, "QWEN_MODEL": model}

    see_that_machines_can_have(load_settings({}, given, tmp_path), MachinesAre.HERE)


def test_a_rehearsal_without_the_engines_packages_is_one_line_and_rents_nothing(
    tmp_path: Path,
) -> None:
    need_sshd()
    pytest.importorskip("vastai", reason="the SDK is not installed (the extra vast)")
    if find_spec("qwen_tts") is not None:
        pytest.skip("qwen3 is installed here")
    (tmp_path / "jobs.yaml").write_text("jobs: [{output_name: a, speaker: Ryan, text: One word.}]\n")
    environ = {"PATH": "/usr/bin:/bin:/usr/sbin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), **QWEN}
    argv = ["job-watcher", "rehearse", "jobs.yaml"]
    calls = warm.CALLS["job-watcher"]
    done = warm.run(argv, calls, cwd=tmp_path, environ=environ | warm.usual(), timeout_s=60)

    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: A rehearsal with qwen3, whose machines have what this computer has, needs")
    assert "rented" not in done.stdout


def test_a_worker_is_told_the_settings_of_its_engine_that_were_set_and_nothing_else(tmp_path: Path) -> None:
    given = {"HOME": str(tmp_path), "QWEN_MODEL": HUB_ID, "QWEN_BATCH": "16", "VAST_API_KEY": "a-secret"}
    settings = load_settings({}, given, tmp_path)

    assert engine_environ(settings, engine_facts("hibari")) == {}
    assert engine_environ(settings, engine_facts("qwen3")) == {"QWEN_MODEL": HUB_ID, "QWEN_BATCH": "16"}
