"""No machine is rented for jobs that none could speak: they fail in their own sentence first (V5, W9)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib.dispatch import Dispatcher
from lib.jobqueue import JobState
from lib.jobspec import JobSpec
from lib.spool import SpoolFull
from lib.voices import NamedModels, VoiceRegistry, engine_facts, named_by
from lib.voices.voice_store import add_voice
from tests.unit.dispatch.bench import Refusal
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import Bench
from tests.unit.voices.test_voice_store import clone

LARGE = "Qwen3-TTS-12Hz-1.7B-CustomVoice"


@pytest.fixture
def voices(bench: Bench, tmp_path: Path) -> Path:
    """The registry of the watchers from now on, with a clone, jo."""
    folder = tmp_path / "voices"
    add_voice(folder, clone())
    bench.speech = {"voices": lambda: VoiceRegistry([folder])}
    return folder


def of_jo(name: str = "a") -> JobSpec:
    return of("jo", name)


def of(voice: str, name: str) -> JobSpec:
    return replace(spec(name), voice=voice, speaker=None)


def failure(bench: Bench, request_id: str) -> str:
    found = bench.queue.result(request_id)
    assert found is not None, "it is not finished"
    why = found.failure()
    assert found.state is JobState.FAILED
    assert why is not None
    assert why.error_class == "bad_input"
    return why.message


def test_a_job_whose_recording_changed_fails_and_nothing_is_rented(bench: Bench, voices: Path) -> None:
    (recording,) = (voices / "jo").glob("recording-*")
    bench.queue.enqueue([of_jo()])
    recording.write_bytes(recording.read_bytes() + b"!")
    bench.live(bench.watcher(), 120)

    assert "has changed: its sha256 is" in failure(bench, of_jo().request_id)
    assert not bench.company.asked


def test_a_job_whose_voice_was_removed_fails_and_nothing_is_rented(bench: Bench, voices: Path) -> None:
    bench.queue.enqueue([of_jo()])
    for file in (voices / "jo").iterdir():
        file.unlink()
    bench.live(bench.watcher(), 120)

    assert "There is no voice 'jo'" in failure(bench, of_jo().request_id)
    assert not bench.company.asked


def test_a_profile_whose_model_is_not_named_fails_and_nothing_is_rented(bench: Bench) -> None:
    named = NamedModels("QWEN_MODEL", "hub ids", frozenset({LARGE}))
    bench.speech = {
        "engine": "qwen3",
        "named": lambda facts: named if facts == engine_facts("qwen3") else None,
    }
    job = spec("a", profile="fast")
    bench.queue.enqueue([job])
    bench.live(bench.watcher(), 120)

    assert "The profile fast of a speaker needs the model Qwen3-TTS-12Hz-0.6B" in failure(
        bench, job.request_id
    )
    assert not bench.company.asked


def test_a_setting_without_a_commit_fails_the_job_of_that_engine_and_the_watcher_goes_on(
    bench: Bench,
) -> None:
    no_commit = SimpleNamespace(qwen_model=f"Qwen/{LARGE}")
    bench.speech = {"engine": "qwen3", "named": named_by(no_commit, here=False)}
    job = spec("a")
    bench.queue.enqueue([job])
    bench.live(bench.watcher(), 120)

    assert "QWEN_MODEL" in failure(bench, job.request_id)
    assert not bench.company.asked


def test_one_good_job_behind_bad_ones_is_rented_for(bench: Bench, voices: Path) -> None:
    bad = [of("gone", f"bad-{number}") for number in range(3)]
    bench.queue.enqueue([*bad, of_jo("good")])
    bench.live(bench.watcher(), 120)

    assert all("There is no voice 'gone'" in failure(bench, job.request_id) for job in bad)
    assert len(bench.company.asked) == 1
    record = bench.queue.job(of_jo("good").request_id)
    assert record is not None
    assert record.state is JobState.WAITING


def test_a_long_line_of_bad_jobs_is_seen_through_without_renting(bench: Bench, voices: Path) -> None:
    bad = [of("gone", f"bad-{number}") for number in range(250)]
    bench.queue.enqueue(bad)
    bench.live(bench.watcher(), 300)

    assert all(bench.queue.result(job.request_id) for job in bad)
    assert not bench.company.asked


def test_a_full_disk_ends_no_watcher_that_looks_for_work_and_it_rents_once_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Refusal(monkeypatch, Dispatcher, "sift", SpoolFull("There is no space left for leases."))
    bench.queue.enqueue([spec("a")])
    watcher = bench.watcher()
    bench.live(watcher, 120)
    assert full.refused > 0
    assert ("trouble", "There is no space left for leases.") in bench.told
    assert not bench.company.asked

    full.on = False
    bench.live(watcher, 120)
    assert len(bench.company.asked) == 1
