"""Killed at any moment, an execution goes on where it was, and nothing is spoken twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from lib.spool.layout import HEARTBEAT
from tests.integration.execution.conftest import Machine, audio

_JOBS = 60


def _jobs(count: int = _JOBS) -> list[dict[str, Any]]:
    formats = ("wav", "flac", "mp3", "opus")
    return [
        {
            "output_name": f"topic-{number % 3}/beat-{number:03d}",
            "text": f"This is sentence number {number}, and it goes on slowly.",
            "format": formats[number % 4],
        }
        for number in range(count)
    ]


@pytest.mark.parametrize(("count", "kills"), [(20, 3), pytest.param(_JOBS, 6, marks=pytest.mark.soak)])
def test_jobs_killed_several_times_end_as_if_nothing_had_happened(
    machine: Machine, tmp_path: Path, count: int, kills: int
) -> None:
    """Q12."""
    undisturbed = Machine(_folder(tmp_path / "undisturbed"))
    undisturbed.run("run", undisturbed.jobs(*_jobs(count)), "--out", "out")
    path = machine.jobs(*_jobs(count))

    for kill in range(kills):
        process = machine.start("run", path, "--out", "out", "--jobs", "2")
        machine.until_spoken(4 + (count - 6) // kills * kill)
        process.kill()
        process.communicate()
    ended = machine.run("run", path, "--out", "out", "--json", "--jobs", "2")

    assert set(ended.states().values()) == {"done", "skipped"}
    assert machine.spoken() == undisturbed.spoken()
    assert set(machine.spoken().values()) == {1}
    assert audio(tmp_path / "out") == audio(tmp_path / "undisturbed/out")
    assert len(audio(tmp_path / "out")) == count
    assert not (tmp_path / "out/.job-runner").exists()


def test_when_the_worker_is_killed_too_only_the_piece_at_hand_is_spoken_again(
    machine: Machine, tmp_path: Path
) -> None:
    path = machine.jobs(*_jobs()[:12])
    for kill in range(2):
        process = machine.start("run", path, "--out", "out", "--jobs", "1")
        machine.until_spoken(3 + 4 * kill)
        process.kill()
        for beat in (tmp_path / "out/.job-runner").glob(f"spool-*/{HEARTBEAT}"):
            _kill_worker(beat.parent)
        process.communicate()

    machine.run("run", path, "--out", "out", "--jobs", "1")

    spoken = machine.spoken()
    assert len(spoken) == 12
    assert spoken.total() <= 12 + 2 * 3  # at hand: one spoken, at most two being encoded
    assert len(audio(tmp_path / "out")) == 12


def _kill_worker(spool: Path) -> None:
    owner = (spool / "worker.lock").read_text().strip()
    if owner:
        try:
            os.kill(int(owner), signal.SIGKILL)
        except ProcessLookupError:
            return


def test_a_left_result_of_other_inputs_is_not_used(machine: Machine, tmp_path: Path) -> None:
    before = _jobs()[:8]
    process = machine.start("run", machine.jobs(*before), "--out", "out")
    machine.until_spoken(4)
    process.kill()
    process.communicate()
    after = [{**job, "text": job["text"] + " Changed."} for job in before]

    machine.run("run", machine.jobs(*after), "--out", "out")

    clean = Machine(_folder(tmp_path / "clean"))
    clean.run("run", clean.jobs(*after), "--out", "out")
    assert audio(tmp_path / "out") == audio(tmp_path / "clean/out")


def test_several_workers_killed_and_followed_by_one(machine: Machine, tmp_path: Path) -> None:
    path = machine.jobs(*_jobs()[:24])
    process = machine.start("run", path, "--out", "out", "--jobs", "3")
    machine.until_spoken(9)
    process.kill()
    process.communicate()

    machine.run("run", path, "--out", "out")

    assert set(machine.spoken().values()) == {1}
    assert len(audio(tmp_path / "out")) == 24
    assert not (tmp_path / "out/.job-runner").exists()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
