"""Runs on a machine, by its own Python and nothing of ours: installs an uploaded bundle.

Its only argument is the folder of all bundles, below which lie `NAME/wheels/`. What it is to do comes on
stdin as JSON; what came of it is one line of JSON on stdout. A mark is written last: a folder without it is
made anew.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from typing import Any

MARK = "installed"


def main() -> None:
    """Do what stdin says, alone in the folder."""
    folder, wanted = sys.argv[1], json.load(sys.stdin)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.path.join(folder, ".lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            answer = work(folder, wanted)
        except OSError as error:
            code = "no_space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "failed"
            answer = {"state": code, "said": f"{error.filename or folder}: {error.strerror or error}"}
    sys.stdout.write(json.dumps(answer) + "\n")


def work(folder: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """`look`: is it installed, and which wheels are missing? `install`: make it so."""
    here = os.path.join(folder, wanted["name"])
    wheels = os.path.join(here, "wheels")
    program = os.path.join(here, "venv", "bin", "voice-synth")
    if is_marked(here) and os.path.exists(program):
        os.utime(here)
        sweep(folder, wanted["name"])
        return {"state": "installed", "program": program}
    os.makedirs(wheels, mode=0o700, exist_ok=True)
    wrong = [
        name for name, digest in wanted["wheels"].items() if sha256(os.path.join(wheels, name)) != digest
    ]
    if wrong:
        return {"state": "missing", "wheels": wrong}
    if wanted["do"] == "look":
        return {"state": "uploaded"}
    return install(here, wheels, sorted(wanted["wheels"]), program)


def install(here: str, wheels: str, names: list[str], program: str) -> dict[str, Any]:
    """Make the environment, fill it from the wheels alone, try it, mark it."""
    venv = os.path.join(here, "venv")
    shutil.rmtree(venv, ignore_errors=True)
    failed = ran([sys.executable, "-m", "venv", venv], "the environment")
    pip = [os.path.join(venv, "bin", "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    pip += [
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-index",
        "--no-deps",
        "--find-links",
        wheels,
    ]
    failed = failed or ran(pip + [os.path.join(wheels, name) for name in names], "the packages")
    failed = failed or ran([program, "--version"], "voice-synth")
    if failed:
        shutil.rmtree(venv, ignore_errors=True)
        return failed
    shutil.rmtree(wheels, ignore_errors=True)
    draft = os.path.join(here, MARK + ".part")
    with open(draft, "w") as mark:
        mark.write(f"{time.time():.0f}\n")
        mark.flush()
        os.fsync(mark.fileno())
    os.rename(draft, os.path.join(here, MARK))
    return {"state": "installed", "program": program}


def ran(command: list[str], what: str) -> dict[str, Any] | None:
    """None when it worked; else what it said."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environ,
        check=False,
    )
    if done.returncode == 0:
        return None
    said = done.stdout.decode("utf-8", "replace")
    code = "no_space" if os.strerror(errno.ENOSPC) in said else "failed"
    return {"state": code, "said": f"{what}: {' '.join(said.split())[-300:]}"}


def is_marked(here: str) -> bool:
    """Whether it was installed to its end."""
    return os.path.exists(os.path.join(here, MARK))


def sweep(folder: str, keep: str) -> None:
    """Remove bundles that no watcher asked for in a month: those of earlier versions, and half-made ones."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name not in (keep, ".lock") and time.time() - os.lstat(path).st_mtime > 30 * 86400:
            shutil.rmtree(path, ignore_errors=True)


def sha256(path: str) -> str | None:
    """Of a file; None where there is none."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


if __name__ == "__main__":
    main()
