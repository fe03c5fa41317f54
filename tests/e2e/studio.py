"""All programs of a producer on one computer."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import httpx

from tests.doubles.console import BEARER, TOKEN
from tests.e2e.home import Home
from tests.ports import kept_port

API = "/api/v1"
FILM = {"script": "# The lamp\n\n## A light that blinks\n\nAt the end of our pier stands a lamp. It blinks."}


class Studio:
    """All programs of a producer on one computer, and the pages of the console in a browser."""

    def __init__(self, folder: Path) -> None:
        self._kept = contextlib.ExitStack()
        place = f"127.0.0.1:{self._kept.enter_context(kept_port())}"
        self.url = f"http://{place}"
        self.home = Home(folder, JOB_CONSOLE_TOKEN=TOKEN, JOB_CONSOLE_URL=self.url)
        self.home.start("up")
        self.home.until(lambda seen: seen.lock_owner is not None)
        for words in (("worker", "--dag", "video"), ("orchestrator-loop",)):
            self.home.start(*words, program="job-pipeline")
        console = self.home.start("serve", "--json", "--listen", place, program="job-console")
        assert console.stdout is not None
        assert json.loads(console.stdout.readline())["url"].startswith(self.url)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What REST answers to somebody with the token."""
        answer = httpx.request(method, f"{self.url}{API}{path}", json=body, headers=BEARER, timeout=60)
        assert answer.is_success, answer.text
        return answer.json()

    def film(self, run: str) -> None:
        """Start a run of `video`; its script is the first thing to be decided about."""
        inputs = json.dumps(FILM)
        done = self.home.run(
            *("new-job", "--dag", "video", "--run-id", run, "--inputs", inputs), program="job-pipeline"
        )
        assert done.returncode == 0, done.stderr

    def until_gate(self, run: str) -> None:
        """Wait until the script of a run is to be decided about."""
        following = self.home.start("events", "--follow", "--run", run, "--json", program="job-pipeline")
        assert following.stdout is not None
        for line in following.stdout:
            told = json.loads(line)
            if told["event"] == "gate_pause" and self.ask("GET", f"/gates?run={run}")["gates"]:
                break
        following.kill()
        following.communicate()

    def link(self, run: str, operator: str) -> str:
        """A link that decides about the gate of a run, as somebody is sent it."""
        words = ("gates", "--link", "--run", run, "--operator", operator, "--json")
        told = json.loads(self.home.run(*words, program="job-pipeline").stdout)
        url: str = told["gates"][0]["links"][0]["url"]
        return url

    def decided(self, run: str) -> list[tuple[Any, ...]]:
        """The trail about the gate of its script, without who and when."""
        trail = self.ask("GET", f"/runs/{run}/trail")
        return [
            (told["event"], told["attempt"], told["data"].get("operator"), told["data"].get("notes"))
            for told in trail
            if told["event"].startswith("gate") and told["stage"] == "script"
        ]

    def close(self) -> None:
        """End them all."""
        self.home.close()
        self.home.run("down", "--force")  # its watcher, whose `up` was killed, may not have ended yet
        self._kept.close()
