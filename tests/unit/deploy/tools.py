"""The tools of others that judge what lies in deploy/, where they are installed (CONTRIBUTING says how)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"


def tool(name: str) -> str:
    """The program's path; the test is passed over where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def output_of(*words: str | Path, env: Mapping[str, str] | None = None) -> str:
    """What it prints; the test fails with its words when it refuses."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
