"""The compose file at the top: its servers stand where `.env.example` says, and for this computer alone."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import yaml

from lib.redislink.embedded import server_binary
from lib.settings import load_settings
from tests.unit.deploy.tools import output_of, tool

ROOT = Path(__file__).parents[3]
FILE = ROOT / "compose.yaml"


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return found


def uncommented(folder: Path, *names: str) -> None:
    """A `.env` made of the example's lines for these settings."""
    example = (ROOT / ".env.example").read_text().splitlines()
    lines = [
        line.removeprefix("#") for line in example if line.startswith(tuple(f"#{name}=" for name in names))
    ]
    (folder / ".env").write_text("\n".join(lines))


def test_the_servers_stand_at_the_addresses_of_the_example(tmp_path: Path) -> None:
    uncommented(tmp_path, "REDIS_URL", "DATABASE_URL")
    told = load_settings({}, {"HOME": str(tmp_path)}, tmp_path)
    queue, database = urlsplit(told.redis_url or ""), urlsplit(told.database_url)
    inside = services()["postgres"]["environment"]

    assert services()["valkey"]["ports"] == [f"{queue.hostname}:{queue.port}:6379"]
    assert services()["postgres"]["ports"] == [f"{database.hostname}:{database.port or 5432}:5432"]
    assert (database.username, database.path) == (inside["POSTGRES_USER"], f"/{inside['POSTGRES_DB']}")
    assert (database.password, queue.password) == (None, None)
    assert inside["POSTGRES_HOST_AUTH_METHOD"] == "trust"  # without one, the image wants a password


def test_the_words_at_its_top_are_the_same_addresses() -> None:
    words = FILE.read_text()
    for name in ("REDIS_URL", "DATABASE_URL"):
        (line,) = (
            line for line in (ROOT / ".env.example").read_text().splitlines() if line.startswith(f"#{name}=")
        )
        assert f"echo '{line.removeprefix('#').split('  #')[0]}' >> .env" in words


def test_nobody_elsewhere_reaches_them_and_both_keep_what_they_were_told() -> None:
    for name, service in services().items():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        assert service["volumes"], name
        assert "healthcheck" in service, name


def test_compose_takes_the_file() -> None:
    program = tool("docker-compose")

    seen = json.loads(output_of(program, "-f", FILE, "config", "--format", "json"))

    ports = [port for service in seen["services"].values() for port in service["ports"]]
    assert {(port["host_ip"], port["published"]) for port in ports} == {
        ("127.0.0.1", "5432"),
        ("127.0.0.1", "6379"),
    }


def test_the_queue_loses_nothing_and_takes_who_has_no_password(tmp_path: Path) -> None:
    """Its own command, with a real server on a socket."""
    program, *words = services()["valkey"]["command"]
    assert program == "valkey-server"
    words += ["--dir", str(tmp_path), "--port", "0", "--unixsocket", "s"]
    process = subprocess.Popen([str(server_binary()), *words], stdout=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + 30
        while not (tmp_path / "s").exists():
            assert time.monotonic() < give_up
            time.sleep(0.01)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)  # a socket's path must be short
            with redis.Redis(unix_socket_path="s", decode_responses=True) as client:
                kept = client.config_get(
                    "appendonly", "appendfsync", "maxmemory-policy", "save", "protected-mode"
                )
    finally:
        process.kill()
        process.wait()

    assert kept == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
        "protected-mode": "no",
    }
