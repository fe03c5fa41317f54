"""The unit is clean and closed, says systemd itself (W18)."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from job_watcher.pulse import HANGS_AFTER_S
from lib.settings import table

UNIT = Path(__file__).parents[3] / "deploy/systemd/job-watcher.service"
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is here, since systemd looks for it."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    copy.write_text(text.replace("/usr/local/bin/job-watcher", "/bin/true"), encoding="utf-8")
    return copy


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    if ANALYZE is None:
        pytest.skip("systemd-analyze is not installed (package systemd)")
    return subprocess.run([ANALYZE, *words], capture_output=True, text=True, check=False, timeout=60)


def test_it_is_clean(unit: Path) -> None:
    done = analyze("verify", "--man=no", str(unit))
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, said) == (0, [])


def test_its_exposure_is_under_three(unit: Path) -> None:
    done = analyze("security", "--offline=true", str(unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) < 3.0


def test_its_times_fit_the_watcher() -> None:
    text = UNIT.read_text(encoding="utf-8")
    reader = configparser.RawConfigParser(strict=False)
    reader.optionxform = str  # type: ignore[assignment,method-assign] # names keep their capitals
    reader.read_string(text)
    service = reader["Service"]
    (drain,) = (info.default_text for info in table() if info.name == "WATCHER_DRAIN_SECONDS")

    assert float(service["WatchdogSec"]) == HANGS_AFTER_S
    assert int(service["TimeoutStopSec"]) >= int(drain) + 60
    assert (service["Type"], service["KillMode"]) == ("notify", "mixed")


def test_credentials_are_settings_by_their_names() -> None:
    names = re.findall(r"^LoadCredential=([^:]+):", UNIT.read_text(encoding="utf-8"), re.M)
    known = {info.attribute for info in table() if info.kind.may_be_a_file}
    assert names
    assert set(names) <= known
