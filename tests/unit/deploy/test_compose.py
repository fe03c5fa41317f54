"""The compose file: what compose says of it, and its queue's command run with the real server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry

from lib.redislink.embedded import server_binary
from lib.settings import load_settings
from tests.unit.deploy.tools import DEPLOY, output_of, tool

FILE = DEPLOY / "compose.yaml"


def composed() -> dict[str, Any]:
    """The file."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def secrets() -> dict[str, str]:
    """New secrets, as people make them."""
    lines = output_of("sh", DEPLOY / "new-secrets").splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def seconds(text: str) -> int:
    """Of a duration like 11m or 30s."""
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def test_compose_takes_the_file(tmp_path: Path) -> None:
    """By its own schema, with the secrets beside it."""
    program = tool("docker-compose")
    folder = tmp_path / "deploy"
    folder.mkdir()
    (folder / "compose.yaml").write_bytes(FILE.read_bytes())
    (folder / "cluster.env").write_text("".join(f"{name}={value}\n" for name, value in secrets().items()))

    seen = json.loads(output_of(program, "-f", folder / "compose.yaml", "config", "--format", "json"))

    assert seen["services"]["watcher"]["environment"]["REDIS_URL"].endswith("@valkey:6379/0")
    assert seen["services"]["watcher"]["stop_grace_period"] == "11m0s"


def test_a_deploy_lets_the_watcher_drain() -> None:
    """W17."""
    watcher = composed()["services"]["watcher"]
    assert seconds(watcher["stop_grace_period"]) >= int(watcher["environment"]["WATCHER_DRAIN_SECONDS"]) + 40


def test_the_watcher_starts_when_queue_and_bucket_are_there() -> None:
    services = composed()["services"]
    assert services["watcher"]["depends_on"] == {
        "valkey": {"condition": "service_healthy"},
        "bucket": {"condition": "service_completed_successfully"},
    }
    assert all("healthcheck" in services[name] for name in ("valkey", "seaweedfs"))


def test_what_must_outlive_a_container_lies_in_a_volume() -> None:
    services = composed()["services"]
    kept = {name: services[name]["volumes"] for name in services if "volumes" in services[name]}
    assert kept == {"valkey": ["queue:/data"], "seaweedfs": ["audio:/data"], "watcher": ["work:/work"]}
    assert set(composed()["volumes"]) == {"queue", "audio", "work"}


def test_nothing_is_reached_from_outside_and_no_secret_stands_in_the_file() -> None:
    """W18: an environment file, never a command line."""
    for name, service in composed()["services"].items():
        assert "ports" not in service, name
        words = " ".join(service.get("command", []) + service.get("entrypoint", []))
        assert "--requirepass" not in words
        assert not re.search(
            r"(?<!\$)\$\{?\w*(SECRET|PASSWORD)", words
        )  # with $$ the container's shell reads it


def test_new_secrets_are_new_and_settings_that_we_read() -> None:
    first, second = secrets(), secrets()

    assert first["VALKEY_PASSWORD"] != second["VALKEY_PASSWORD"]
    assert len(first["AWS_SECRET_ACCESS_KEY"]) == 48
    assert f":{first['VALKEY_PASSWORD']}@" in first["REDIS_URL"]
    ours = {name: value for name, value in first.items() if name != "VALKEY_PASSWORD"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ours.items():
            patch.setenv(name, value)
        found = load_settings({})
    assert found.storage_url == "s3://narration/jobs?endpoint=http://seaweedfs:8333"
    assert not found.warnings


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The queue's container: its own command, with the real server, on a socket in folders of ours."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "valkey-server").symlink_to(server_binary())
    (tmp_path / "data").mkdir()
    (tmp_path / "run").mkdir()
    shell, *options, script = composed()["services"]["valkey"]["command"]
    script = script.replace("$$", "$").replace("/run/valkey", str(tmp_path / "run"))
    script = script.replace(
        "--dir /data", f"--dir {shlex.quote(str(tmp_path / 'data'))} --port 0 --unixsocket s"
    )
    environ = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "VALKEY_PASSWORD": "sesame"}
    process = subprocess.Popen([shell, *options, script], env=environ, stdout=subprocess.DEVNULL)
    yield process, tmp_path / "data" / "s"
    process.kill()
    process.wait()


def client_of(socket: Path, password: str | None = None) -> redis.Redis:
    """A client that does not try again by itself; by a relative path, since a socket's must be short."""
    once = Retry(NoBackoff(), 0)
    path = os.path.relpath(socket)
    return redis.Redis(unix_socket_path=path, password=password, decode_responses=True, retry=once)


def test_the_queue_keeps_what_it_accepted_throws_nothing_away_and_wants_its_password(
    valkey: tuple[subprocess.Popen[bytes], Path],
) -> None:
    process, socket = valkey
    with client_of(socket, "sesame") as client:
        give_up = time.monotonic() + 10
        while True:
            with contextlib.suppress(redis.ConnectionError):
                client.ping()
                break
            assert time.monotonic() < give_up
            time.sleep(0.01)
        kept = client.config_get("appendonly", "appendfsync", "maxmemory-policy")
    with client_of(socket) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()

    assert kept == {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
    words = Path(f"/proc/{process.pid}/cmdline")
    if words.exists():
        assert b"sesame" not in words.read_bytes()
