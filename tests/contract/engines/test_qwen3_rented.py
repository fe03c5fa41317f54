"""qwen3 on a rented machine: a rehearsal at the fake Vast with the real package ends with audio (V4, W2)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch

from lib import machine_checks
from lib.clock import SystemClock
from lib.machine_checks import GateFailed
from lib.voices import VoiceRegistry, engine_facts
from synth.engines.discovery import create_engine
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak
from tests.contract.engines.tiny_qwen import make_checkpoint

ROOT = Path(__file__).parents[3]
_MODEL = "1.7B", "CustomVoice"
_TRIES = 12
JOB = """
jobs:
  - {request_id: train, output_name: train, speaker: Ryan, language: German, text: Der Zug ist da.}
"""  # which hibari does not speak


def speaks_soundly(models: Path, folder: Path) -> bool:
    """Whether how it says the sentence of all machines passes for speech: by chance, as all it says."""
    engine = create_engine("qwen3", {"QWEN_MODEL": str(models), "QWEN_DEVICE": "cpu"})
    engine.load()
    speaker = next(iter(engine_facts("qwen3").speakers))
    voice = VoiceRegistry([]).resolve(None, speaker, "English", "qwen3")
    request = SpeakRequest(machine_checks.GOLDEN_TEXT, voice)
    record = speak(request, engine, SystemClock(), folder / models.name, lambda done, total: None)
    try:
        machine_checks.golden((folder / record.takes[0].audio.file).read_bytes())
    except GateFailed:
        return False
    return True


@pytest.fixture(scope="module")
def renting() -> None:
    """Pass over what rents where the packages for it, or OpenSSH's server, are not."""
    for name, brought_by in {"vastai": "vast", "asyncssh": "watcher"}.items():
        pytest.importorskip(name, reason=f"the extra {brought_by} is not in this environment")
    from tests.integration.sshd import need_sshd  # which imports what only such an environment has

    need_sshd()


@pytest.fixture(scope="module")
def models(renting: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that a machine gets work with: of random weights, the first whose sentence passes."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("sound")
    for seed in range(7, 7 + _TRIES):
        made = folder / f"models-{seed}"
        make_checkpoint(made, *_MODEL, seed=seed, codes=32)
        if speaks_soundly(made, folder):
            return made
    pytest.fail(f"none of {_TRIES} checkpoints of random weights says anything that passes for speech")


def lines_of(said: str) -> Iterator[Mapping[str, object]]:
    """What a rehearsal tells, a JSON value a line."""
    for line in said.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


@pytest.mark.timeout(1500)
def test_a_rehearsal_ends_with_audio_and_nothing_left_alive(models: Path, tmp_path: Path) -> None:
    """The worker knows of the model from its watcher alone: a machine has an environment of its own."""
    job, out = tmp_path / "job.yaml", tmp_path / "audio"
    job.write_text(JOB)
    words = ["rehearse", str(job), "--fault", "none", "--speed", "50", "--limit", "1200", "--json"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "VAST_"))}
    told = {"VOICE_ENGINE": "qwen3", "QWEN_MODEL": str(models), "QWEN_DEVICE": "cpu"}
    own = {"HOME": str(tmp_path), "JOBS_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-m", "job_watcher.main", *words, "--out", str(out)],
        env={**kept, **own, **told},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    last = list(lines_of(done.stdout))[-1]
    assert (last["event"], last["done"], last["left"]) == ("rehearsed", 1, 0)
    with wave.open(str(out / "train.wav")) as audio:
        assert audio.getframerate() == 24_000
        assert audio.getnframes() > 2_400
