"""A worker with qwen3: it reaches no other machine, loads each model once, and its death costs no job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from lib.records import SpokenRecord
from lib.spool import LocalFiles, SpoolClient, SpoolJob
from lib.voices.voice_store import NewVoice, add_voice
from tests.contract.engines.tiny_qwen import make_checkpoint
from tests.e2e.sealed import attempts, why_not

ROOT = Path(__file__).parents[3]
WORK = [sys.executable, "-m", "synth.main", "work", "--engine", "qwen3"]
#: As above, with a line on stderr for each model that is loaded.
COUNTED = """
import sys
from synth.engines.qwen3.loading import LoadedCheckpoint
load = LoadedCheckpoint.__init__
def loud(self, torch, package, checkpoint, *args):
    print("loaded", checkpoint.name, file=sys.stderr)
    load(self, torch, package, checkpoint, *args)
LoadedCheckpoint.__init__ = loud
from synth.main import main
sys.exit(main())
"""
PROFILES = ("fast", "balanced", "quality")
LINE = "The train to the coast leaves at noon. "


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    torch.set_num_threads(1)
    models = tmp_path_factory.mktemp("models")
    make_checkpoint(models, "0.6B", "CustomVoice", seed=5)
    make_checkpoint(models, "1.7B", "CustomVoice", seed=6)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("HF_", "XDG_", "JOBS_"))
    }
    return {
        **kept,
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PYTHONPATH": str(ROOT),
        "QWEN_MODEL": str(models),
        "QWEN_DEVICE": os.environ.get("QWEN_TEST_DEVICE", "cpu"),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def client(spool: Path) -> Iterator[SpoolClient]:
    files = LocalFiles(spool)
    yield SpoolClient(files)
    files.close()


def submit(client: SpoolClient, name: str, text: str, profile: str, voice: str | None = None) -> str:
    who = {"speaker": "Ryan"} if voice is None else {"voice": voice}
    spec = {"request_id": name, "output_name": name, "text": text, "profile": profile, **who}
    return client.submit(SpoolJob(name, 1, "marknone", 1, "v1:any", {**spec, "chunk": True}))


def done(client: SpoolClient, entry: str) -> SpokenRecord:
    result = client.result(entry)
    assert result is not None
    assert result.error is None, result.error
    assert isinstance(result.record, SpokenRecord)
    return result.record


def test_profiles_that_take_turns_in_a_file_load_each_model_once(
    client: SpoolClient, spool: Path, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    """The same run shows that nothing is looked up: every packet of it is seen."""
    profiles = ["fast", "balanced"] * 4
    entries = [submit(client, f"j{n}", LINE, profile) for n, profile in enumerate(profiles)]
    if (reason := why_not()) is not None:
        pytest.skip(reason)

    command = [sys.executable, "-c", COUNTED, *WORK[3:], "--spool", str(spool), "--once"]
    seen, ended = attempts(command, tmp_path, environ, timeout_s=600)

    models = [done(client, entry).model for entry in entries]
    assert models == [f"Qwen3-TTS-12Hz-{size}-CustomVoice" for size in ["0.6B", "1.7B"] * 4]
    assert ended.stdout.count("loaded Qwen3-TTS") == 2, ended.stdout
    assert seen == []


def test_a_worker_that_is_killed_leaves_its_job_to_the_next(
    client: SpoolClient, spool: Path, environ: Mapping[str, str]
) -> None:
    entry = submit(client, "long", LINE * 24, "fast")
    worker = subprocess.Popen([*WORK, "--spool", str(spool)], env=dict(environ), stderr=subprocess.DEVNULL)
    try:
        while worker.poll() is None:
            beat = client.heartbeat()
            if beat is not None and entry in beat.entries and beat.pieces_done:
                break
            client.wait(0.5)
        assert worker.poll() is None, "it ended before it spoke"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert client.result(entry) is None

    short = [*WORK, "--spool", str(spool), "--once"]
    assert subprocess.run(short, env=dict(environ), check=False).returncode == 0
    assert done(client, entry).takes


def test_designed_voices_of_all_profiles_load_the_one_checkpoint_and_a_speaker_is_told_what_it_needs(
    client: SpoolClient, spool: Path, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    """The worker has nothing but that checkpoint, as a machine may whose QWEN_MODEL names just this one."""
    models, voices = tmp_path / "models", tmp_path / "voices"
    make_checkpoint(models, "1.7B", "VoiceDesign", seed=8)
    new = NewVoice("granny", "qwen3", "English", "own", "", design="A low voice of an old woman.")
    add_voice(voices, new)
    spoken = [submit(client, f"d{n}", LINE, profile, "granny") for n, profile in enumerate(PROFILES)]
    refused = submit(client, "ryan", LINE, "balanced")

    argv = [sys.executable, "-c", COUNTED, *WORK[3:], "--voices-dir", str(voices), "--spool", str(spool)]
    given = {**environ, "QWEN_MODEL": str(models)}
    ended = subprocess.run([*argv, "--once"], env=given, stderr=subprocess.PIPE, text=True, check=False)

    records = [done(client, entry) for entry in spoken]
    name = "Qwen3-TTS-12Hz-1.7B-VoiceDesign"
    assert [(record.model, record.voice, record.preset) for record in records] == [(name, "granny", None)] * 3
    assert ended.stderr.count("loaded Qwen3-TTS") == 1, ended.stderr
    result = client.result(refused)
    assert result is not None
    assert result.error is not None
    assert f"holds no Qwen3-TTS-12Hz-1.7B-CustomVoice; it has: {name}" in result.error.message


def told(environ: Mapping[str, str], *words: str) -> Any:
    """What a command prints with `--json`."""
    argv = [sys.executable, "-m", "synth.main", *words, "--engine", "qwen3", "--json"]
    done = subprocess.run(argv, env=dict(environ), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def test_the_doctor_finds_the_checkpoints_whole_and_hears_a_word(environ: Mapping[str, str]) -> None:
    seen = told(environ, "doctor")
    assert [item["id"] for item in seen["findings"]] == ["D046"]  # none that clones
    models = [item["seen"] for item in seen["seen"] if item["what"] == "model"]
    assert len(models) == 2
    assert all("whole" in model for model in models)
    assert "speech" in {item["what"] for item in seen["seen"]}


def test_the_bench_measures_batches_of_the_size_it_is_asked_for(environ: Mapping[str, str]) -> None:
    found = told(environ, "bench", "--profile", "fast", "--batch", "12", "--seconds", "0")
    (row,) = found["measured"]
    assert (row["problem"], row["texts"], row["most_at_once"]) == (None, 12, 12)
    assert found["speeds"] == {"qwen3": row["speed"]}
