"""Mistakes that cost others money, planted here one by one: each is found by the bad days.

Each patch names the first day that finds it, which is lived first; if the code has changed so that it finds
nothing any more, all the days of the range are.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATCHES = sorted((Path(__file__).parent / "planted").glob("*.patch"))
WITHIN = 500
SEED = re.compile(r"^Seed: (\d+)$", re.MULTILINE)

CHANGED = re.compile(r"^--- a/(\S+)$", re.MULTILINE)

# Only the changed files lie in the current folder: all others are taken, compiled, from the tree.
HUNT = """
import sys
from importlib.abc import MetaPathFinder
from importlib.util import spec_from_file_location
from pathlib import Path

class Changed(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        file = Path(name.replace(".", "/") + ".py").absolute()
        return spec_from_file_location(name, file) if file.exists() else None

sys.meta_path.insert(0, Changed())
sys.path.insert(0, sys.argv[3])
from job_watcher.simulation.days import run_day
for seed in [int(sys.argv[1]), *range(int(sys.argv[2]))]:
    try:
        found = run_day(seed).conditions.violations
    except Exception as error:
        found = [repr(error)]
    if found:
        print(seed, found[0])
        break
"""


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
    command = [sys.executable, "-c", HUNT, known[1], str(WITHIN), str(ROOT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout, f"{patch.stem} survived {WITHIN} bad days"
