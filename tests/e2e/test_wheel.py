"""The built wheel is whole: in an environment with nothing else it does the main job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.voices import engine_facts, engine_names

ROOT = Path(__file__).parents[2]
PACKAGES = ("job_runner", "job_watcher", "job_pipeline", "job_console", "synth", "lib")

pytestmark = [
    pytest.mark.timeout(900),  # it installs an environment
    pytest.mark.skipif(
        not os.environ.get("CI"), reason="builds the wheel and an environment for it: .ci/run does, or CI=1"
    ),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


class Machine:
    """An environment with the wheel in it, an empty home, and a folder to work in."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.bin = folder / "venv" / "bin"
        self.work = folder / "here"
        self.environ = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
            # How packages are reached from this machine; nothing of the project's own.
            **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))},
        }
        self.work.mkdir()
        (folder / "home").mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        self.run("pip", "install", "-q", "--require-hashes", "-r", str(ROOT / "requirements/base.txt"))
        self.run("pip", "install", "-q", "--no-deps", "--no-index", str(wheel))

    def run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=self.work,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{program} {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done


@pytest.fixture(scope="module")
def machine(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"), wheel)
    shutil.copy(ROOT / "jobs.example.yaml", machine.work)
    shutil.copytree(ROOT / "narration", machine.work / "narration")
    yield machine
    machine.run("job-runner", "down", check=False)


def data_files() -> set[str]:
    """Everything in the packages that is no Python, as git sees it."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard", *PACKAGES]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return {name for name in names if not name.endswith((".py", ".md"))}


def test_the_wheel_holds_every_data_file(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = data_files()
    assert {Path(name).suffix for name in wanted} >= {".lua", ".yaml"}
    assert wanted - inside == set()


@pytest.mark.parametrize("name", sorted({engine_facts(each).requirements for each in engine_names()}))
def test_the_wheel_holds_what_machines_are_installed_with(wheel: Path, name: str) -> None:
    """The lists lie elsewhere in a clone, so nothing but this sees that they are brought along."""
    inside = zipfile.ZipFile(wheel).read(f"lib/bundle/{name}-requirements.txt")
    assert inside == (ROOT / f"requirements/{name}.txt").read_bytes()
    assert b"--hash=sha256:" in inside


def test_the_wheel_holds_no_tests_and_nothing_of_this_machine(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops - set(PACKAGES) == {name for name in tops if name.endswith(".dist-info")}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_come_from_the_environment(machine: Machine, package: str) -> None:
    done = machine.run("python", "-c", f"import {package}; print({package}.__file__)")
    assert Path(done.stdout).is_relative_to(machine.bin.parent / "lib")


@pytest.mark.parametrize("program", ["job-runner", "job-watcher", "voice-synth", "image-synth"])
def test_every_program_starts(machine: Machine, program: str) -> None:
    assert machine.run(program, "--version").stdout == f"{program} {version()}\n"
    assert machine.run(program, "--help").stdout.startswith(f"Usage: {program} ")


def version() -> str:
    import tomllib

    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def test_it_plans_the_example(machine: Machine) -> None:
    plan = json.loads(machine.run("job-runner", "plan", "jobs.example.yaml", "--json").stdout)
    assert len(plan["jobs"]) >= 8
    assert plan["problems"] == []


def test_it_does_the_main_job_and_then_prints_the_results_again(machine: Machine) -> None:
    machine.run("job-runner", "up", "jobs.example.yaml")
    again = machine.run("job-runner", "up", "jobs.example.yaml", "--json")
    (machine.work / "results.json").write_text(again.stdout)
    verify = str(ROOT / "tests/e2e/verify_outputs.py")
    checked = machine.run("python", verify, "jobs.example.yaml", "results.json")
    assert checked.stdout.splitlines()[-1].endswith(" 0 wrong files")
