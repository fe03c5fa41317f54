"""A small project with our `run` script, whose environments are real ones with a pip that only takes notes.

One environment is made with `-m venv`, and the others are copies of it: making each anew took most of the
time of these tests.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
#: The small project's sets: what each pins.
SETS: Final = {
    "base": ["base==1", "voice==1"],
    "build": ["build==1"],
    "console": ["base==1", "voice==1", "sql==1", "ssh==1", "web==1"],
    "dev": [
        "base==1",
        "voice==1",
        "sql==1",
        "ssh==1",
        "sdk==1",
        "robot==1",
        "aac==1",
        "picture==1",
        "store==1",
        "web==1",
        "build==1",
        "dev==1",
    ],
    "espeak": ["voice==1", "robot==1"],
    "imagen": ["base==1", "voice==1", "sql==1", "picture==1", "store==1"],
    "images": ["base==1", "voice==1", "picture==1"],
    "join": ["base==1", "voice==1", "aac==1"],
    "pipeline": ["base==1", "voice==1", "sql==1"],
    "qwen": ["voice==1", "model==1"],
    "synth": ["voice==1"],
    "video": ["base==1", "voice==1", "aac==1", "picture==1"],
    "vast": ["base==1", "voice==1", "sql==1", "ssh==1", "sdk==1"],
    "watcher": ["base==1", "voice==1", "sql==1", "ssh==1"],
}

PIP = """
import os, sys
print("a warning of pip's", file=sys.stderr)
with open(os.environ["PIP_LOG"], "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if os.path.exists(os.environ["PIP_LOG"] + ".block"):
    print("blocked", flush=True, file=open(os.environ["PIP_LOG"] + ".block", "w"))
    import signal
    signal.pause()
if os.path.exists(os.environ["PIP_LOG"] + ".fail"):
    print("no network here", file=sys.stderr)
    sys.exit(1)
"""

# A Python whose environments have the pip above.
PYTHON = f"""#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    exec cp -R "$ENVIRONMENT" "$3"
fi
exec {sys.executable} "$@"
"""


class Project:
    """A small project with our `run` script in it."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.root = folder / "a project"
        self.cwd = folder
        self.log = folder / "pip.log"
        self.tools = folder / "bin"
        (self.root / "requirements").mkdir(parents=True)
        self.tools.mkdir()
        shutil.copy(ROOT / "run", self.root)
        (self.root / "pyproject.toml").write_text("[project]\n")
        for name, pins in SETS.items():
            self.pin(name, *pins)
        self.environ = {
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PIP_LOG": str(self.log),
            "ENVIRONMENT": str(environment),
        }
        self.add_python(PYTHON)
        for program in (
            "job-runner",
            "job-watcher",
            "job-pipeline",
            "job-console",
            "voice-synth",
            "image-synth",
            "video-synth",
        ):  # never those of whoever runs the tests
            (self.tools / program).symlink_to("/bin/true")

    def pin(self, name: str, *pins: str) -> None:
        (self.root / f"requirements/{name}.txt").write_text("".join(f"{pin}\n" for pin in pins))

    def add_python(self, script: str) -> None:
        (self.tools / "python3").write_text(script)
        (self.tools / "python3").chmod(0o755)

    def start(self, *command: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "run"), *command],
            env={**self.environ, **environ},
            cwd=self.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, **environ: str) -> tuple[int, str, str]:
        process = self.start(*command, **environ)
        try:
            out, err = process.communicate(timeout=60)
        finally:  # nothing that it started may outlive the test
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, out, err

    def kill_in_the_middle(self, command: str = "true") -> None:
        """Start an installation and SIGKILL it while pip is at work."""
        block = Path(f"{self.log}.block")
        os.mkfifo(block)
        process = self.start(command)
        with block.open() as gate:  # opens when pip gets there
            assert gate.readline() == "blocked\n"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        block.unlink()

    def installs(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def files_installed(self) -> list[str]:
        """The requirements files that pip was given, in order, without the build tools'."""
        files = [line.rpartition("requirements/")[2] for line in self.installs() if "-r " in line]
        return [file for file in files if file != "build.txt"]

    def environment_folder(self) -> Path:
        (packages,) = (self.root / ".venv").glob("lib/python3.*/site-packages")
        return packages


def make_environment(made: Path) -> Path:
    """An environment with the pip above; it names no place of its own but in the scripts to activate it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    (packages,) = made.glob("lib/python3.*/site-packages")
    (packages / "pip").mkdir()
    (packages / "pip" / "__main__.py").write_text(PIP)
    return made
