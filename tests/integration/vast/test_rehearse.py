"""`job-watcher rehearse`: the whole of renting for a newcomer, at no cost (W1)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from job_watcher.rehearsal.ordered_faults import OrderedFault, read_fault
from lib.errors import UsageError
from tests.e2e.home import check_shape
from tests.integration.sshd import need_sshd

JOBS = """\
jobs:
  - {output_name: tides/one, speaker: Ryan, text: Twice a day the sea leaves and comes back.}
  - {output_name: tides/two, speaker: Ryan, text: Boats that floated at breakfast lie on mud by noon.}
"""


def rehearsal(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A rehearsal of two short jobs, by somebody whose settings name a server and a receiver of their own."""
    need_sshd()
    pytest.importorskip("vastai", reason="the SDK is not installed (the extra vast)")
    file = folder / "jobs.yaml"
    file.write_text(JOBS)
    environ = {
        **os.environ,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "STORAGE_URL": "s3://nowhere/at-all?endpoint=http://127.0.0.1:1",
        "WEBHOOK_URL": "https://receiver.example/",
        "WEBHOOK_SECRET": "a-secret-that-is-long-enough",
        "JOBS_DATA_DIR": str(folder / "data"),
    }
    return subprocess.run(
        [sys.executable, "-m", "job_watcher.main", "rehearse", str(file), *words],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


@pytest.mark.soak
def test_a_batch_is_rented_spoken_and_billed_and_nothing_of_ones_own_is_touched(tmp_path: Path) -> None:
    """An outbid machine is replaced; the queue, the store and the receiver of the settings are left alone."""
    ended = rehearsal(tmp_path, "--json", "--fault", "outbid@14s", "--out", str(tmp_path / "audio"))

    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    check_shape("job-watcher-rehearse", told)
    assert (told["jobs"], told["done"], told["left"]) == (2, 2, 0)
    assert float(told["usd"]) > 0
    assert sorted(file.name for file in (tmp_path / "audio" / "outputs" / "tides").glob("*.wav")) == [
        "one.wav",
        "two.wav",
    ]
    assert not (tmp_path / "data").exists()


def test_a_fault_says_what_and_when() -> None:
    assert read_fault("outbid@60s") == OrderedFault("outbid", 60.0)
    assert read_fault("gpu_gone@5") == OrderedFault("gpu-gone", 5.0)


@pytest.mark.parametrize("text", ["outbid", "outbid@", "earthquake@5s", "outbid@soon", "@5s"])
def test_a_fault_that_is_none_is_one_line_with_those_there_are(text: str) -> None:
    with pytest.raises(UsageError, match="outbid, resume"):
        read_fault(text)
