"""A missing extra comes by pip where the package was installed, and by ./run in an environment it made."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from lib.errors import MissingExtra, install_command
from tests.unit.house import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose environment `./run` made, with a set for `watcher`."""
    root = tmp_path / "a clone"
    (root / ".venv").mkdir(parents=True)
    (root / ".venv/requirements-stamp").touch()
    (root / "requirements").mkdir()
    (root / "requirements/watcher.txt").touch()
    return root


def test_an_installed_package_gets_the_extra_by_its_name(tmp_path: Path) -> None:
    assert install_command("watcher", tmp_path) == "pip install 'job-runner[watcher]'"


def test_a_clone_gets_its_own_pinned_set_where_there_is_one(clone: Path) -> None:
    command = install_command("watcher", clone / ".venv")

    assert shlex.split(command) == ["RUN_REQUIREMENTS=watcher", f"{clone}/run", "COMMAND"]


def test_a_clone_gets_other_extras_of_its_own_code_and_no_package_of_its_name(clone: Path) -> None:
    command = install_command("qwen", clone / ".venv")

    assert shlex.split(command) == [f"{clone}/run", "pip", "install", "--editable", f"{clone}[qwen]"]


def test_the_mark_is_the_one_that_the_script_leaves() -> None:
    script = (ROOT / "run").read_text(encoding="utf-8")

    assert "stamp=$venv/requirements-stamp" in script
    assert "venv=$root/.venv" in script
    assert "RUN_REQUIREMENTS:-" in script


def test_the_sentence_ends_with_the_command() -> None:
    error = MissingExtra("Storing files in S3", "watcher")

    assert str(error).endswith(f"install them with: {install_command('watcher')}")
    assert error.extra == "watcher"
