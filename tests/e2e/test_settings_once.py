"""The file with the settings is opened once by a command, however much it makes of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.e2e.home import Home

#: Runs the command, then says on stderr how often `.env` was opened.
COUNTING = """
import atexit, sys
opened = []
def heard(event, arguments):
    if event == "open" and str(arguments[0]).endswith("/.env"):
        opened.append(arguments[0])
sys.addaudithook(heard)
atexit.register(lambda: print("opened", len(opened), file=sys.stderr))
from job_runner.main import main
sys.exit(main())
"""


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
            done = subprocess.run(
                [sys.executable, "-c", COUNTING, *words],
                cwd=tmp_path,
                env=home.environ,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.stderr.splitlines()[-1:] == ["opened 1"], (words, done.stderr)
    finally:
        home.run("down", "--force")
        home.close()
