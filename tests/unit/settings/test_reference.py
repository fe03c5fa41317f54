"""The reference page and `.env.example` say what the table of settings says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.settings import load_settings, table
from lib.settings.dotenv import parse_dotenv
from tests.unit.settings.reference import env_lines, table_lines

#: As other programs and pages rely on them: a changed one is a change for everybody.
DEFAULTS = {
    "JOBS_PREFIX": "pab:jobs",
    "WATCHER_LEASE_IDLE_MS": "180000",
    "JOBS_RESULT_TTL": "2592000",
    "JOBS_HISTORY_MAX": "100000",
    "JOBS_MAX_DEPTH": "1000000",
    "VOICE_ENGINE": "hibari",
    "VOICE_PAUSES": "0.2,0.45,0.9",
    "VERIFY": "auto",
    "WATCHER_DRAIN_SECONDS": "600",
    "MAX_MACHINES": "4",
    "MAX_DPH": "1.00",
    "SPEND_CAP_HOUR": "2",
    "SPEND_CAP_DAY": "10",
    "SPEND_CAP_MONTH": "100",
    "SPEND_CAP_MACHINE": "5",
    "CREDIT_FLOOR": "1",
    "DB_SCHEMA": "job_pipeline",
    "TASK_TIMEOUT_SECONDS": "120",
    "MAX_ATTEMPTS": "10",
    "LEASE_SECONDS": "90",
    "CLAIM_POLL_INTERVAL": "0.5",
    "DB_POOL_MIN": "1",
    "DB_POOL_MAX": "10",
    "STATEMENT_TIMEOUT_MS": "30000",
    "METRICS_FLUSH_INTERVAL": "15",
    "PROVIDER": "local",
    "LOG_FORMAT": "auto",
    "QWEN_DEVICE": "auto",
    "QWEN_BATCH": "8",
    "JOB_CONSOLE_LINK_SECONDS": "259200",
    "IMAGEN_BUCKET": "imagen-generated",
    "IMAGEN_BACKEND": "card",
    "IMAGEN_MACHINE_BACKENDS": "mock",
    "FLUX_DEVICE": "auto",
    "REPLICATE_URL": "https://api.replicate.com",
}
#: Not set: the embedded server, a hold by cost, no cap of a batch, and what needs an account.
UNSET = (
    *("REDIS_URL", "IDLE_HOLD_SECONDS", "SPEND_CAP_BATCH", "SSH_MACHINES"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"),
    *("WEBHOOK_URL", "WEBHOOK_SECRET"),
    *("LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL", "JOB_PIPELINE_DAG", "VAST_API_KEY", "VAST_URL"),
    *("IMAGEN_WORKER_DATABASE_URL", "SUPABASE_URL", "SUPABASE_SERVICE_KEY", "IMAGEN_OWNER_USER_ID"),
    *(
        "REPLICATE_API_TOKEN",
        "JOB_CONSOLE_TOKEN",
        "JOB_CONSOLE_URL",
        "JOB_CONSOLE_REVIEWERS",
        "SSH_KEY_FILE",
        "SSH_VOICE_SYNTH",
        "WATCHER_LISTEN",
    ),
    *("JOB_CONSOLE_URL", "JOB_CONSOLE_REVIEWERS"),
    *("VAST_IMAGE", "VAST_DISK_GB", "VAST_GPUS", "VAST_REGIONS", "QWEN_MODEL", "FLUX_MODEL"),
    *("CARD_FONTS", "VERIFY_MODEL"),
)
#: Set by this machine, or by the data folder.
DERIVED = {
    *("JOBS_DATA_DIR", "VOICES_DIR", "LOCAL_WORKERS", "SSH_KNOWN_HOSTS", "DATABASE_URL", "STORAGE_URL"),
    *("IMAGEN_BACKENDS_FILE", "HIBARI_BATCH"),
}
ROOT = Path(__file__).parents[3]


def test_the_reference_page_has_the_table_as_it_is() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text().splitlines()
    rows = [line for line in page if line.startswith("| `") and line.count("|") == 5]
    assert rows == table_lines()


def test_the_example_has_one_line_for_each_setting() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line.startswith("#") and "=" in line] == env_lines()


def test_uncommenting_a_line_changes_nothing_where_the_setting_has_a_fixed_default(tmp_path: Path) -> None:
    """Who takes the # away only to look must not get another limit than before."""
    plain = load_settings({}, {"HOME": str(tmp_path)}, tmp_path)
    example = (ROOT / ".env.example").read_text().splitlines()
    lines = [line for line in example if line.removeprefix("#").partition("=")[0] in DEFAULTS]
    (tmp_path / ".env").write_text("\n".join(line.removeprefix("#") for line in lines))

    told = load_settings({}, {"HOME": str(tmp_path)}, tmp_path)

    assert len(lines) == len(DEFAULTS)
    assert told == plain


def test_the_defaults_are_those_that_were_fixed(tmp_path: Path) -> None:
    shown = load_settings({}, {"HOME": str(tmp_path)}, tmp_path).shown()

    assert {name: shown[name] for name in DEFAULTS} == DEFAULTS
    assert all(shown[name] is None for name in UNSET)
    described = {info.name for info in table() if info.name not in (*DEFAULTS, *UNSET)}
    assert described == DERIVED


def test_the_example_says_what_holds_where_it_shows_another_value_than_the_default() -> None:
    """Who reads `LOCAL_WORKERS=4` must not take it for the default of a machine with one core."""
    lines = {line.partition("=")[0].removeprefix("#"): line for line in env_lines()}
    assert {name for name, line in lines.items() if "; default: " in line} == {
        name for name in (*UNSET, *DERIVED) if not lines[name].startswith(f"#{name}=  #")
    }
    assert lines["LOCAL_WORKERS"].endswith("; default: one per core, at most 4")
    assert lines["SPEND_CAP_BATCH"].endswith("; default: not set")
    assert lines["REDIS_URL"].endswith("; default: the embedded server")


def test_the_files_of_ssh_lie_in_the_data_folder_or_where_asyncssh_looks(tmp_path: Path) -> None:
    plain = load_settings({}, {"HOME": str(tmp_path), "JOBS_DATA_DIR": "data"}, tmp_path)
    assert (plain.ssh_known_hosts, plain.ssh_key_file) == (tmp_path / "data/ssh/known_hosts", None)
    asked = {"HOME": str(tmp_path), "SSH_KNOWN_HOSTS": "~/known", "SSH_KEY_FILE": "key"}
    told = load_settings({}, asked, tmp_path)
    assert (told.ssh_known_hosts, told.ssh_key_file) == (tmp_path / "known", tmp_path / "key")


@pytest.mark.parametrize(("cores", "used"), [(1, 1), (3, 3), (64, 4)])
def test_cores_are_used_but_for_those_beyond_the_fourth(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cores: int, used: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)

    usual = load_settings({}, {"HOME": str(tmp_path)}, tmp_path)
    assert (usual.local_workers, usual.hibari_batch) == (used, used)
    asked = {"HOME": str(tmp_path), "LOCAL_WORKERS": "9", "HIBARI_BATCH": "8"}
    told = load_settings({}, asked, tmp_path)
    assert (told.local_workers, told.hibari_batch) == (9, 8)


def test_the_example_sets_nothing_as_it_stands() -> None:
    assert parse_dotenv((ROOT / ".env.example").read_text(), name=".env.example") == {}


@pytest.mark.parametrize("info", table(), ids=lambda info: info.name)
def test_each_line_of_the_example_is_valid_once_uncommented(info: object, tmp_path: Path) -> None:
    line = env_lines()[[item for item in table()].index(info)]  # type: ignore[arg-type]  # ids need object
    (tmp_path / ".env").write_text(line.removeprefix("#"))
    load_settings({}, {"HOME": str(tmp_path)}, tmp_path)


def test_the_example_shows_a_real_server() -> None:
    assert "REDIS_URL=redis://127.0.0.1:6379/0" in (ROOT / ".env.example").read_text()
