"""The picture worker's unit, its example of settings and the page that installs them say the same."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from lib.settings import table

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/systemd/user"
PAGE = (ROOT / "docs/how-to/picture-worker.md").read_text(encoding="utf-8")
EXAMPLE = (FOLDER / "imagen-worker.env.example").read_text(encoding="utf-8")


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(FOLDER / "imagen-worker.service")
    return parser


def test_the_unit_runs_the_worker_with_its_settings_and_lets_it_finish() -> None:
    service = unit()["Service"]

    assert service["ExecStart"].endswith("/run image-synth worker")
    assert service["EnvironmentFile"].endswith("/.config/job-runner/imagen-worker.env")
    assert (service["KillSignal"], service["KillMode"]) == ("SIGTERM", "mixed")
    assert service["RestartPreventExitStatus"] == "78"
    assert unit()["Install"]["WantedBy"] == "default.target"  # of a user's manager
    assert "User" not in service


def test_every_name_in_the_example_is_a_setting() -> None:
    names = re.findall(r"(?m)^#?([A-Z][A-Z_]+)=", EXAMPLE)

    assert "IMAGEN_WORKER_DATABASE_URL" in names
    assert set(names) <= {info.name for info in table()}


def test_the_page_installs_what_is_there_for_its_user_alone() -> None:
    for name in ("imagen-worker.service", "imagen-worker.env.example"):
        assert f"deploy/systemd/user/{name}" in PAGE
        assert (FOLDER / name).is_file()
    assert "install -m 600" in PAGE
    assert "chmod 600" in EXAMPLE
    for command in ("enable --now", "status", "restart"):
        assert f"systemctl --user {command} imagen-worker" in PAGE
    assert "journalctl --user -u imagen-worker" in PAGE
