"""The page on several computers, followed word by word: two of them, a queue and a bucket."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.jobqueue import connect
from tests import warm
from tests.integration.cluster.keda import ROOT
from tests.integration.servers import Server
from tests.s3_servers import ACCESS, S3Server
from tests.warm.process import WarmProcess

PAGE = (ROOT / "docs" / "how-to" / "cluster.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Two computers and a bucket")[2].partition("\n## ")[0]

JOBS = """
- {output_name: tides/one, speaker: Ryan, text: The sea comes back twice a day.}
- {output_name: tides/two, speaker: Ryan, text: It is the moon that pulls.}
"""


class Computer:
    """A folder with a job file in it, and a `.env` as the page has it."""

    def __init__(self, folder: Path, values: dict[str, str]) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "jobs.example.yaml").write_text(JOBS)  # under the page's name, and shorter
        (shown,) = re.findall(r"```sh\n(REDIS_URL=.*?)```", SECTION, re.DOTALL)
        named = re.findall(r"^(\w+)=", shown, re.MULTILINE)
        assert set(named) == set(values), "the page names what is needed"
        (folder / ".env").write_text("".join(f"{name}={values[name]}\n" for name in named))
        self.environ = {
            **warm.usual(),
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
        }

    def words(self, command: str) -> list[str]:
        """`./run PROGRAM …` as the tests start it: warm, from these sources."""
        run, *words = shlex.split(command, comments=True)
        assert run == "./run"
        return words

    def run(self, command: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        argv = [*self.words(command), *more]
        return warm.run(argv, warm.CALLS[argv[0]], cwd=self.folder, environ=self.environ, timeout_s=100)

    @contextlib.contextmanager
    def started(self, command: str) -> Iterator[None]:
        """Run it until the end of the block, then as `systemctl stop` would."""
        with (self.folder / "log").open("wb") as log:
            argv = [*self.words(command), "--slots", "4"]
            process = WarmProcess(
                argv,
                warm.CALLS[argv[0]],
                cwd=self.folder,
                environ={**self.environ, "LOCAL_WORKERS": "1"},
                out=log.fileno(),
            )
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def command(beginning: str) -> str:
    """The one command of the section that begins so."""
    shown = re.findall(r"`(\./run [^`]+)`|^(\./run .*)$", SECTION, re.MULTILINE)
    found: str
    (found,) = (line for pair in shown for line in pair if line.startswith(f"./run {beginning}"))
    return found


@pytest.fixture
def computers(own_server: Server, seaweed: S3Server, tmp_path: Path) -> list[Computer]:
    values = {
        "REDIS_URL": own_server.url,
        "STORAGE_URL": seaweed.url(f"page/{secrets.token_hex(8)}"),
        "AWS_ACCESS_KEY_ID": ACCESS.key_id or "",
        "AWS_SECRET_ACCESS_KEY": ACCESS.secret or "",
    }
    return [Computer(tmp_path / name, values) for name in ("ann", "bob")]


def test_two_computers_and_a_bucket(computers: list[Computer], own_server: Server) -> None:
    first, second = computers
    with contextlib.ExitStack() as stack:
        for each in computers:
            told = each.run(command("job-runner doctor"))
            assert told.returncode == 0, told.stdout + told.stderr
        for each in computers:
            stack.enter_context(each.started(command("job-watcher run")))
        until_two_watch(first, own_server)

        done = first.run(command("job-runner enqueue"))

        assert done.returncode == 0, done.stdout + done.stderr
        reported = json.loads(second.run("./run job-runner report jobs.example.yaml", "--json").stdout)
        assert {row["state"] for row in reported["jobs"]} == {"done"}
        assert str(first.folder) not in json.dumps(reported), "the audio is in the bucket"


def until_two_watch(computer: Computer, server: Server) -> None:
    """As `status` shows them, once the queue knows them."""
    give_up = time.monotonic() + 60
    with contextlib.closing(connect(server.url)) as queue:
        while len(queue.watchers()) < 2:
            assert time.monotonic() < give_up, queue.snapshot()
            queue.follow_events(queue.last_event_id(), block_s=0.05)
    seen = json.loads(computer.run(command("job-runner status"), "--json").stdout)
    assert len(seen["watchers"]) == 2
