"""The file with the settings is opened once by a command, however much it makes of them."""

from __future__ import annotations

import atexit
import sys
from pathlib import Path

from job_runner.main import main
from tests import warm
from tests.e2e.home import Home


def counting() -> None:
    """Run the command, then say on stderr how often `.env` was opened."""
    opened = []

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith("/.env"):
            opened.append(arguments[0])

    sys.addaudithook(heard)
    atexit.register(lambda: print("opened", len(opened), file=sys.stderr))
    main()


def test_each_command_opens_the_settings_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / ".env").write_text("JOBS_MAX_DEPTH=1000\n")
    sheet = tmp_path / "sheet.json"
    sheet.write_text('{"topic": "tides", "beats": [{"id": "one", "text": "The sea comes back."}]}')
    jobs = str(home.jobs(2))
    commands = [
        *(["enqueue", jobs], ["enqueue-beatsheet", str(sheet)], ["report", jobs], ["doctor"]),
        *(["explain", "topic-beat-001"], ["result", "topic-beat-001"], ["down"]),
    ]
    try:
        for words in commands:
            done = warm.run(
                ["job-runner", *words],
                f"{__name__}:counting",
                cwd=tmp_path,
                environ=home.environ,
                timeout_s=90,
            )
            assert done.stderr.splitlines()[-1:] == ["opened 1"], (words, done.stderr)
    finally:
        home.run("down", "--force")
        home.close()
