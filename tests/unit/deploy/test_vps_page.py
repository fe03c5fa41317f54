"""The page on a VPS says what the units do; what it installs, is installed here into a folder (W18).

systemd itself is not started by tests: the page says what was tried by hand.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.deploy.tools import DEPLOY, ROOT

PAGE = (ROOT / "docs/how-to/vps-with-systemd.md").read_text(encoding="utf-8")
UNITS = DEPLOY / "systemd"
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()
]


def sh(line: str, *, root: Path) -> None:
    """Run a line of the page with its folders below `root`."""
    subprocess.run(["sh", "-euc", line.replace("/etc/", f"{root}/etc/")], cwd=root, check=True, timeout=60)


def test_its_settings_are_where_the_units_look_for_them(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    start = COMMANDS.index("install -d -m 755 /etc/job-runner")
    for line in COMMANDS[start : start + 4]:
        sh(line, root=tmp_path)

    unit = (UNITS / "job-watcher.service").read_text(encoding="utf-8")
    (credential,) = (tmp_path / "etc/credstore").iterdir()
    assert f"LoadCredential=redis_url:{credential.name}\n" in unit
    assert credential.stat().st_mode & 0o077 == 0
    assert "EnvironmentFile=-/etc/job-runner/environment\n" in unit
    assert re.fullmatch(r"[A-Z_]+=\d+\n", (tmp_path / "etc/job-runner/environment").read_text())


def test_its_table_has_the_credentials_of_the_unit() -> None:
    units = ("job-watcher.service", "job-pipeline-worker.service", "job-console.service")
    unit = "".join((UNITS / name).read_text(encoding="utf-8") for name in units)
    told = set(re.findall(r"`job-runner\.(\w+)`", PAGE))
    assert told == set(re.findall(r"^LoadCredential=(\w+):", unit, re.M))
    assert {name.upper() for name in told} <= set(re.findall(r"`([A-Z_]+)`", PAGE))


def test_its_make_line_installs_into_a_folder(tmp_path: Path) -> None:
    (line,) = {line for line in COMMANDS if line.startswith("make ")}
    done = subprocess.run(
        ["sh", "-euc", f'{line} RUN=env DESTDIR="$WHERE"'],
        cwd=ROOT,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "WHERE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    installed = {path.name for path in (tmp_path / "usr/local/lib/systemd/system").iterdir()}
    named = {word for line in COMMANDS for word in re.findall(r"job-watcher[\w-]*\.(?:service|timer)", line)}
    assert named <= installed
    # What the installer says comes next is what the page says.
    for told in re.findall(r"^  (systemd-sysusers|systemctl .*)$", done.stdout, re.M):
        assert told in COMMANDS


def test_an_update_stops_before_the_sources_change() -> None:
    stop = COMMANDS.index("systemctl stop job-watcher.service")
    assert (
        stop < COMMANDS.index("git merge --ff-only") < COMMANDS.index("systemctl start job-watcher.service")
    )


@pytest.mark.parametrize("line", [line for line in COMMANDS if "job-runner enqueue" in line])
def test_its_files_are_in_the_clone(line: str) -> None:
    assert (ROOT / line.split()[-1].removeprefix("/opt/job-runner/")).is_file()
