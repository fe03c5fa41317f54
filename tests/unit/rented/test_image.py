"""What a machine's image has of our programs is used where it is ours to the last byte, and else not."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from job_watcher.providers.over_ssh.bootstrap import Bootstrap, ask
from job_watcher.providers.over_ssh.machine_spec import MachineSpec
from job_watcher.providers.over_ssh.preparation import SshPreparation
from lib.bundle import Bundle, BundleMaker, MachineFacts, Target
from lib.bundle.own_wheel import own_files
from lib.errors import Unavailable
from lib.workers.ssh import SshAddress
from tests.unit.rented.near import DIRECT, NearLink

PINNED = f"numpy=={__import__('numpy').__version__}"


class NoBundles(BundleMaker):
    """There are none to be had."""

    def make(self, target: Target) -> Bundle:
        raise Unavailable("A bundle was asked for.")


class Image:
    """An environment on a machine that is this computer."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.place, self.ours = folder / "home", folder / "image", folder / "ours"
        self.home.mkdir()
        for name, data in own_files().items():
            (self.ours / name).parent.mkdir(parents=True, exist_ok=True)
            (self.ours / name).write_bytes(data)
        venv.create(self.place, symlinks=True, with_pip=False)
        (site,) = self.place.glob("lib/python*/site-packages")
        shared = (str(self.ours), *(path for path in sys.path if path.endswith("-packages")))
        (site / "shared.pth").write_text("".join(f"{path}\n" for path in shared))
        self.program = self.place / "bin" / "voice-synth"
        self.program.write_text("#!/bin/sh\nexec false\n")
        self.program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{self.program.parent}:/usr/bin:/bin")
        self.machine = NearLink(self.home, DIRECT)

    def found(self, requirements: str = PINNED) -> str | None:
        """What is used of it."""
        bootstrap = Bootstrap(NoBundles(self.home / "bundles", requirements))
        return bootstrap.found_there(self.machine, self.facts())

    def facts(self) -> MachineFacts:
        return ask(self.machine)


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    return Image(tmp_path, monkeypatch)


def test_the_same_programs_are_used_and_nothing_is_brought(image: Image) -> None:
    spec = MachineSpec(SshAddress("me", "near"), workers=1)
    bootstrap = Bootstrap(NoBundles(image.home / "bundles", PINNED))
    preparation = SshPreparation(spec, bootstrap, engine="hibari")

    preparation.prepare(image.machine, lambda stage: None)  # where something is brought, it raises

    program = image.found()
    assert program is not None
    assert program != str(image.program)  # which is not what it says: only what was compared is run
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("voice-synth")


@pytest.mark.parametrize("name", ["synth/main.py", "lib/machine_checks/checks.py"])
def test_one_changed_byte_is_enough_to_bring_ours(image: Image, name: str) -> None:
    file = image.ours / name
    file.write_bytes(file.read_bytes() + b"#")
    assert image.found() is None


def test_a_file_that_is_missing_is_a_change(image: Image) -> None:
    (image.ours / "synth/worker/uploads.py").unlink()
    assert image.found() is None


@pytest.mark.parametrize("requirements", ["numpy==1.0", "no-such-package==1.0"])
def test_another_package_would_speak_otherwise(image: Image, requirements: str) -> None:
    assert image.found(requirements) is None


def test_a_program_outside_of_any_environment_is_passed_over(image: Image) -> None:
    python = image.place / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 127\n")
    python.chmod(0o755)
    assert image.found() is None


def test_an_environment_that_answers_anything_is_passed_over(image: Image) -> None:
    python = image.place / "bin" / "python"
    python.unlink()
    python.write_text('#!/bin/sh\necho \'{"state": "same", "program": "/bin/x\\u001b"}\'\n')
    python.chmod(0o755)
    assert image.found() is None


def test_a_machine_without_one_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert ask(NearLink(tmp_path, DIRECT)).program is None
