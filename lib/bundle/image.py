"""Programs that a machine's image may hold already: what they must be, to be used as they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import PurePosixPath

from lib.bundle.machine_facts import NEWEST_PYTHON, OLDEST_PYTHON, MachineFacts, Python
from lib.bundle.make import lines_for
from lib.bundle.own_wheel import OWN_PACKAGES, own_files
from lib.bundle.target import Target, target_of

IMAGE_FOLDER = ".local/share/job-runner/image"  # below the machine's home


def image_script() -> str:
    """What the Python of the image runs, with the folder of its programs as its only argument."""
    return files("lib.bundle").joinpath("image.script").read_text(encoding="utf-8")


def python_beside(program: str) -> str:
    """The interpreter of the environment that a program lies in."""
    return str(PurePosixPath(program).parent / "python")


def programs_wanted(requirements: str, facts: MachineFacts, machine: str) -> bytes:
    """What `image_script` reads: each file of ours by its hash, each package by its version.

    Raises:
        BadConfiguration: our programs come for no such machine, or cannot be read here.
    """
    minors = range(OLDEST_PYTHON[1], NEWEST_PYTHON[1] + 1)
    targets = [target_of(facts, Python("/", (3, minor), "cpython", True), machine) for minor in minors]
    wanted = {
        "roots": list(OWN_PACKAGES),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(own_files().items())},
        "packages": {f"3.{each.python[1]}": pinned_for(requirements, each) for each in targets},
    }
    name = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]
    return json.dumps({**wanted, "name": name}).encode()


def pinned_for(requirements: str, target: Target) -> Mapping[str, str]:
    """The version of each package that such a machine needs."""
    from packaging.requirements import Requirement

    pinned = (Requirement(line.partition("--hash=")[0].strip()) for line in lines_for(requirements, target))
    return {each.name: next(iter(each.specifier)).version for each in pinned}


def is_as_pinned(requirements: str, target: Target) -> bool:
    """Whether this installation has the very packages that machines get."""
    for name, wanted in pinned_for(requirements, target).items():
        try:
            if version(name) != wanted:
                return False
        except PackageNotFoundError:
            return False
    return True
