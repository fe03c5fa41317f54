"""Mistakes that cost others money, planted here one by one: each is found by the bad days.

Each patch names the first day that finds it, which is lived first; if the code has changed so that it finds
nothing any more, all the days of the range are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import warm

ROOT = Path(__file__).parents[2]
PATCHES = sorted((Path(__file__).parent / "planted").glob("*.patch"))
WITHIN = 500
SEED = re.compile(r"^Seed: (\d+)$", re.MULTILINE)

CHANGED = re.compile(r"^--- a/(\S+)$", re.MULTILINE)


def test_there_are_enough_of_them() -> None:
    assert len(PATCHES) >= 10


@pytest.mark.timeout(300)
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_planted_bug_is_found(patch: Path, tmp_path: Path) -> None:
    for name in CHANGED.findall(patch.read_text()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    applied = subprocess.run(["git", "apply", str(patch)], cwd=tmp_path, capture_output=True, text=True)
    assert applied.returncode == 0, f"{patch.name} does not fit the code any more: {applied.stderr}"

    known = SEED.search(patch.read_text())
    assert known, f"{patch.name} names no day that finds it; write the first one as 'Seed: N'"
    done = warm.run(
        ["hunt", known[1], str(WITHIN)],
        "tests.simulation.hunt:main",
        cwd=tmp_path,
        environ={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout_s=280,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout, f"{patch.stem} survived {WITHIN} bad days"
