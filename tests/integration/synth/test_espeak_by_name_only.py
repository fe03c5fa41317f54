"""V3: the robotic voice is never chosen silently, whatever else is missing or refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.settings import load_settings
from lib.voices import DEFAULT_ENGINE, SHIPPED, VoiceRegistry

ROOT = Path(__file__).parents[3]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Packages that stand before the installed ones: eSpeak NG's leaves a mark when anybody imports it."""
    made = tmp_path / "packages"
    made.mkdir()
    mark = tmp_path / "imported"
    (made / "espeakng_loader.py").write_text(
        f"open({str(mark)!r}, 'w').close()\nraise RuntimeError('a trap')\n"
    )
    return made


def speak(packages: Path, *options: str, **environ: str) -> tuple[int, str, bool]:
    """How `voice-synth speak` ends, what it says, and whether eSpeak NG's package was imported."""
    folder = packages.parent
    usual = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"}
    argv = [sys.executable, "-P", "-m", "synth.main", "speak", *options, "--out-exact", "said"]
    done = subprocess.run(
        argv, cwd=folder, env=usual | environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert not [*folder.glob("said*")]
    return done.returncode, done.stderr, (folder / "imported").exists()


def test_a_default_voice_that_is_missing_is_an_error(packages: Path) -> None:
    (packages / "hibari.py").write_text(
        "raise ModuleNotFoundError('No module named hibari', name='hibari')\n"
    )

    status, said, imported = speak(packages, "Good morning.")

    assert (status, imported) == (78, False)
    assert "hibari" in said
    assert "espeak" not in said.lower()


def test_a_language_that_only_it_speaks_is_an_error(packages: Path) -> None:
    status, said, imported = speak(packages, "Guten Morgen.", "--language", "German")

    assert (status, imported) == (65, False)
    assert "does not speak German" in said


def test_its_name_alone_has_it_used(packages: Path) -> None:
    """Else the tests above would see nothing, whatever happened."""
    assert speak(packages, "Guten Morgen.", "--language", "German", VOICE_ENGINE="espeak")[2]


def test_no_default_and_no_shipped_voice_names_it(tmp_path: Path) -> None:
    assert DEFAULT_ENGINE == "hibari"
    assert load_settings({}, {"HOME": str(tmp_path)}, tmp_path).voice_engine == DEFAULT_ENGINE
    registry = VoiceRegistry([SHIPPED])
    assert {registry.get(name).engine for name in registry.names()} == {DEFAULT_ENGINE}


def test_nothing_but_its_own_folder_and_the_table_of_engines_knows_it() -> None:
    knowing = [
        path.relative_to(ROOT).as_posix()
        for place in ("lib", "synth", "job_runner", "job_watcher")
        for path in sorted((ROOT / place).rglob("*.py"))
        if "espeak" in path.read_text(encoding="utf-8").lower()
    ]
    assert [name for name in knowing if not name.startswith("synth/engines/espeak/")] == [
        "lib/bundle/own_wheel.py",  # its list of packages
        "lib/cli/failures.py",  # the extra that brings it
        "lib/voices/engines.py",  # the table
        "job_watcher/providers/over_ssh/wiring.py",  # a sentence with every engine of ours
    ]
