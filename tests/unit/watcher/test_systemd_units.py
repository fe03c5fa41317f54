"""The units are clean and closed, says systemd; they are installed for the clone they come from (W18)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from job_pipeline.main import COMMANDS as PIPELINE_COMMANDS
from job_watcher.liveness import HANGS_AFTER_S
from lib.settings import table

ROOT = Path(__file__).parents[3]
SYSTEMD = ROOT / "deploy/systemd"
COMMANDS = {entry.name for entry in PIPELINE_COMMANDS}
PIPELINES = tuple(f"job-pipeline-{name}.service" for name in ("worker", "orchestrator", "recovery"))
SERVICES = ("job-watcher.service", "job-watcher-sweep.service", *PIPELINES, "job-console.service")
UNITS = (*SERVICES, "job-watcher-sweep.timer")
ANALYZE = shutil.which("systemd-analyze")


def lines(name: str) -> list[str]:
    """The lines of a unit that say something."""
    text = (SYSTEMD / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and line[0] not in "#["]


def values(name: str, key: str) -> list[str]:
    return [line.removeprefix(f"{key}=") for line in lines(name) if line.startswith(f"{key}=")]


def install(root: Path, *, umask: int = 0o077, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the installer of a clone as its own user, whose umask keeps everything closed."""
    env = {name: value for name, value in os.environ.items() if name not in ("DESTDIR", "PREFIX")}
    return subprocess.run(
        [root / "deploy/systemd/install"],
        env={**env, **environ},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with what the units name."""
    root = tmp_path / "clone"
    shutil.copytree(SYSTEMD, root / "deploy/systemd")
    (root / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    (root / "run").chmod(0o755)
    return root


@pytest.fixture
def installed(clone: Path, tmp_path: Path) -> Path:
    """The folder of the installed units."""
    done = install(clone, DESTDIR=str(tmp_path / "root"))
    assert done.returncode == 0, done.stderr
    return tmp_path / "root/usr/local/lib/systemd/system"


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    if ANALYZE is None:
        pytest.skip("systemd-analyze is not installed (package systemd)")
    return subprocess.run([ANALYZE, *words], capture_output=True, text=True, check=False, timeout=60)


def test_what_is_installed_is_clean(installed: Path) -> None:
    done = analyze("verify", "--man=no", *(str(installed / name) for name in UNITS))
    said = [line for line in done.stderr.splitlines() if "job-watcher" in line or "job-pipeline" in line]
    assert (done.returncode, said) == (0, [])


@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_is_under_three(name: str) -> None:
    done = analyze("security", "--offline=true", str(SYSTEMD / name))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) < 3.0


def test_its_times_fit_the_watcher() -> None:
    (drain,) = (info.default_text for info in table() if info.name == "WATCHER_DRAIN_SECONDS")

    def the(key: str) -> str:
        (value,) = values("job-watcher.service", key)
        return value

    assert float(the("WatchdogSec")) == HANGS_AFTER_S
    assert int(the("TimeoutStopSec")) >= int(drain) + 60
    assert (the("Type"), the("NotifyAccess")) == ("notify", "main")
    assert (the("KillMode"), the("KillSignal")) == ("mixed", "SIGTERM")
    assert (the("Restart"), the("RestartPreventExitStatus")) == ("on-failure", "78")
    assert the("StartLimitIntervalSec") == "0", "a server that is away for a minute must not end it for good"
    assert the("OOMPolicy") == "continue", "one worker's end by the kernel must not end the others"


@pytest.mark.parametrize("name", SERVICES)
def test_credentials_are_settings_by_their_names_and_none_must_be_there(name: str) -> None:
    pairs = [value.split(":") for value in values(name, "LoadCredential")]
    known = {info.attribute for info in table() if info.kind.may_be_a_file}
    assert {setting for setting, _ in pairs} <= known
    # An absolute path that is missing would keep the service from starting.
    assert all(source == f"job-runner.{setting}" for setting, source in pairs)


def test_every_secret_of_a_watcher_may_be_a_credential() -> None:
    others = ("LLM_", "SUPABASE_", "REPLICATE_", "JOB_CONSOLE_", "IMAGEN_")  # of other programs
    secret = {i.attribute for i in table() if i.kind.secret and not i.name.startswith(others)}
    given = {value.partition(":")[0] for value in values("job-watcher.service", "LoadCredential")}
    assert {*secret, "redis_url", "storage_url"} <= given


def test_every_secret_of_a_pipeline_may_be_a_credential_and_no_other_is_handed_out() -> None:
    worker, *others = ({v.partition(":")[0] for v in values(n, "LoadCredential")} for n in PIPELINES)
    assert all(other == {"database_url", "redis_url"} for other in others)
    aws = {"aws_secret_access_key", "aws_session_token"}
    tells = {"webhook_url", "webhook_secret", "job_console_token"}  # of gates, with links
    assert worker == {*others[0], *aws, *tells, "storage_url", "llm_api_key"}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_is_started_again_for_as_long_as_it_takes_unless_a_setting_is_wrong(name: str) -> None:
    def the(key: str) -> str:
        (value,) = values(name, key)
        return value

    assert (the("Restart"), the("RestartPreventExitStatus"), the("StartLimitIntervalSec")) == (
        "on-failure",
        "78",
        "0",
    )
    assert (the("KillMode"), the("KillSignal")) == ("mixed", "SIGTERM")
    program, *words = the("ExecStart").split()[1:]
    assert (program, words[0] in COMMANDS) == ("job-pipeline", True)


def test_all_services_are_closed_in_the_same_way() -> None:
    def closed(name: str) -> list[str]:
        found = lines(name)
        last = next(at for at, line in enumerate(found) if line.startswith("UMask="))
        return found[found.index("NoNewPrivileges=yes") : last + 1]

    first, *others = (closed(name) for name in SERVICES)
    assert all(other == first for other in others)


def test_the_installed_units_run_the_clone_and_are_for_all_to_read(installed: Path, clone: Path) -> None:
    for name in UNITS:
        text = (installed / name).read_text(encoding="utf-8")
        assert "/opt/job-runner" not in text
        assert (installed / name).stat().st_mode & 0o777 == 0o644
    assert f"ExecStart={clone}/run job-watcher run\n" in (installed / UNITS[0]).read_text(encoding="utf-8")
    assert sorted(path.name for path in installed.iterdir()) == sorted(UNITS)
    assert (installed.parents[1] / "sysusers.d/job-watcher.conf").is_file()


def test_it_starts_nothing_and_says_what_comes_next(clone: Path, tmp_path: Path) -> None:
    done = install(clone, DESTDIR=str(tmp_path / "root"), PREFIX="/usr")
    assert (tmp_path / "root/usr/lib/systemd/system" / UNITS[0]).is_file()
    assert "Nothing was started." in done.stdout
    assert "systemctl enable --now job-watcher.service" in done.stdout
    scripts = (SYSTEMD / "install").read_text(encoding="utf-8").partition("cat <<END")[0]
    assert "systemctl" not in scripts


def test_a_wrong_prefix_is_one_sentence(clone: Path, tmp_path: Path) -> None:
    done = install(clone, DESTDIR=str(tmp_path / "root"), PREFIX="usr")
    assert (done.returncode, len(done.stderr.splitlines())) == (78, 1)
    assert "PREFIX is usr" in done.stderr


def test_a_clone_that_the_services_cannot_see_is_refused_or_told(clone: Path, tmp_path: Path) -> None:
    if clone.parts[1] not in ("home", "root", "tmp"):
        pytest.skip("the temporary folder lies where services see it")
    # A prefix of its own keeps even an installer that forgot the check away from this system.
    real = install(clone, PREFIX=str(tmp_path / "prefix"))
    packaged = install(clone, DESTDIR=str(tmp_path / "root"))

    assert (real.returncode, len(real.stderr.splitlines())) == (78, 1)
    assert "the services do not see it" in real.stderr
    assert not (tmp_path / "prefix").exists()
    assert packaged.returncode == 0
    assert "the services do not see it" in packaged.stderr


def test_a_path_that_a_unit_cannot_name_is_refused(clone: Path, tmp_path: Path) -> None:
    odd = clone.rename(tmp_path / "my clone %h")
    done = install(odd, DESTDIR=str(tmp_path / "root"))
    assert (done.returncode, len(done.stderr.splitlines())) == (78, 1)
    assert not (tmp_path / "root").exists()


def test_make_hands_the_places_on(tmp_path: Path) -> None:
    where = tmp_path / "a root"
    done = subprocess.run(
        ["make", "RUN=env", "install-systemd", f"DESTDIR={where}", "PREFIX=/usr"],
        cwd=ROOT,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (where / "usr/lib/systemd/system/job-watcher.service").is_file()
