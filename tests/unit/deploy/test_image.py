"""The image: who runs in it, what gets into it, and how its watcher is asked whether it lives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.unit.deploy.tools import DEPLOY, ROOT, output_of, tool

ENDS = ("gpu", "watcher")  # the stages that run; the others only build


def stages(file: str = "Dockerfile") -> dict[str, list[str]]:
    """The instructions of each stage by its name, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: dict[str, list[str]] = {}
    name = "before"
    for line in filter(None, re.sub(r"\\\n\s*", "", text).splitlines()):
        if line.startswith("FROM"):
            name = line.split(" AS ")[1]
        found.setdefault(name, []).append(line)
    return found


def the(stage: str, instruction: str, file: str = "Dockerfile") -> str:
    """The one instruction of that kind."""
    (found,) = (line for line in stages(file)[stage] if line.startswith(instruction + " "))
    return found.removeprefix(instruction + " ")


@pytest.mark.parametrize("stage", ENDS)
def test_the_program_is_process_1_runs_as_nobody_of_importance_and_is_told_to_end(stage: str) -> None:
    """W17: an ENTRYPOINT as a list is no shell, and ./run becomes the program, so SIGTERM reaches it."""
    assert the(stage, "USER") == "10001:10001"
    assert the(stage, "ENTRYPOINT") == '["/app/run"]'
    assert (ROOT / "run").read_text(encoding="utf-8").rstrip().endswith('exec "$@"')
    assert the(stage, "CMD") == '["job-watcher", "run", "--json"]'
    assert the(stage, "WORKDIR") == "/app"
    assert the(stage, "HEALTHCHECK").endswith('CMD ["/app/deploy/probe", "livez"]')
    assert not [line for line in stages()[stage] if line.startswith("STOPSIGNAL")]


def test_what_is_built_when_nothing_is_named_is_for_the_cpu() -> None:
    assert list(stages())[-1] == "watcher"


@pytest.mark.parametrize("stage", ["environment", "gpu-environment"])
def test_packages_are_installed_by_their_hashes(stage: str) -> None:
    """By ./run and nothing else: it takes requirements/watcher.txt with --require-hashes."""
    (install,) = (line for line in stages()[stage] if line.startswith("RUN"))
    assert "RUN_REQUIREMENTS=watcher ./run true" in install
    assert "pip install" not in "".join(line for lines in stages().values() for line in lines)


def allowed() -> list[str]:
    """What .dockerignore lets in, after it shut everything out."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    words = [line for line in lines if line and not line.startswith("#")]
    assert words[0] == "*", "what is new stays out until it is named"
    return [word.removeprefix("!/") for word in words if word.startswith("!")]


def test_all_that_the_programs_need_gets_into_the_image_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {*packages, *project["project"]["license-files"], project["project"]["readme"]}
    needed |= {"pyproject.toml", "requirements", "run", "deploy/probe"}
    examples = {"jobs.example.yaml", "narration", "tides.example.json"}

    assert set(allowed()) == needed | examples
    assert all((ROOT / name).exists() for name in allowed())


def test_hadolint_finds_nothing() -> None:
    assert output_of(tool("hadolint"), DEPLOY / "Dockerfile") == ""


@pytest.fixture
def watcher() -> Iterator[HTTPServer]:
    """Answers /livez well and /readyz badly, as a watcher whose Redis is away."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"ok": true}' if self.path == "/livez" else b'{"ok": false, "redis": "away"}'
            self.send_response(200 if self.path == "/livez" else 503)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def probe(page: str, listen: str) -> subprocess.CompletedProcess[str]:
    """The image's health check, by this Python."""
    command = [sys.executable, "-S", str(DEPLOY / "probe"), page]
    return subprocess.run(
        command, env={**os.environ, "WATCHER_LISTEN": listen}, capture_output=True, text=True, check=False
    )


def test_the_probe_says_what_the_watcher_says(watcher: HTTPServer) -> None:
    listen = f"0.0.0.0:{watcher.server_port}"

    alive, ready = probe("livez", listen), probe("readyz", listen)

    assert (alive.returncode, alive.stdout) == (0, 'livez: {"ok": true}\n')
    assert (ready.returncode, ready.stdout) == (1, 'readyz: {"ok": false, "redis": "away"}\n')
    assert probe("livez", f"127.0.0.1:{watcher.server_port}-65535").returncode == 0


def test_the_probe_fails_where_nobody_answers() -> None:
    done = probe("livez", "127.0.0.1:1")

    assert done.returncode == 1
    assert done.stdout.startswith("livez: nothing answers at WATCHER_LISTEN: ")
