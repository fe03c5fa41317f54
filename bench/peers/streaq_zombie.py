"""A worker of the peer streaq is stopped for longer than its lease: whose result is stored in the end?

    python -m bench.peers.streaq_zombie [--python PYTHON] [--json]

Makes a virtual environment in a temporary folder, installs the pinned peer there (or uses PYTHON, which
has it), and starts a server of its own. Worker A takes a job of five seconds of work and is stopped; worker B
takes the job over; A goes on. B ends first, then A. `overwritten` is true when the stored result is A's, the
stale one. The same story for our queue is tests/integration/jobqueue/test_zombie.py.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.integration.servers import Server, free_port

PEER: Final = "streaq==7.2.0"
IDLE_TIMEOUT_S: Final = 2.0
STOPPED_S: Final = 5.0
_WITHIN_S: Final = 60.0

# One program in three parts: "work NAME" is a worker, "enqueue" gives the job, "result" reads what is stored.
PROGRAM: Final = """
import asyncio, sys
from streaq import Worker

url, idle, log, part = sys.argv[1:5]
name = sys.argv[5] if len(sys.argv) > 5 else ""
worker = Worker(redis_url=url, idle_timeout=float(idle), concurrency=1)

def tell(what):
    with open(log, "a") as file:
        file.write(f"{what} {name}\\n")

@worker.task(timeout=60)
async def speak() -> str:
    tell("begins")
    for _ in range(50):
        await asyncio.sleep(0.1)
    tell("ends")
    return name

async def enqueue():
    async with worker:
        print((await speak.enqueue()).id)

async def result():
    async with worker:
        found = await worker.result_by_id(name, timeout=20)
        print(found.result)

if part == "work":
    worker.run_sync()
else:
    asyncio.run(enqueue() if part == "enqueue" else result())
"""


def environment(folder: Path) -> str:
    """A Python that has the peer."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
    return python


def wait_for(log: Path, line: str) -> None:
    """Until the workers' log has that line."""
    give_up = time.monotonic() + _WITHIN_S
    while not log.exists() or line not in log.read_text().splitlines():
        if time.monotonic() > give_up:
            raise SystemExit(f"no worker wrote {line!r} in time; the log has {log.read_text()!r}")
        time.sleep(0.02)


def story(python: str, url: str, folder: Path) -> dict[str, object]:
    """Play it once."""
    log, program = folder / "log", folder / "program.py"
    program.write_text(PROGRAM)
    base = [python, str(program), url, str(IDLE_TIMEOUT_S), str(log)]
    asked = subprocess.run([*base, "enqueue"], check=True, capture_output=True, text=True)
    job_id = asked.stdout.split()[-1]
    workers = []
    quiet = subprocess.DEVNULL
    try:
        stale = subprocess.Popen([*base, "work", "A"], stdout=quiet, stderr=quiet)
        workers.append(stale)
        wait_for(log, "begins A")
        stale.send_signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        workers.append(subprocess.Popen([*base, "work", "B"], stdout=quiet, stderr=quiet))
        wait_for(log, "begins B")
        time.sleep(max(0.0, STOPPED_S - (time.monotonic() - stopped_at)))
        stale.send_signal(signal.SIGCONT)
        wait_for(log, "ends B")
        wait_for(log, "ends A")
        time.sleep(1.0)  # the peer writes its result after the task has ended
        read = subprocess.run([*base, "result", job_id], check=True, capture_output=True, text=True)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    stored = read.stdout.split()[-1]
    return {
        "peer": PEER,
        "order": log.read_text().split("\n")[:-1],
        "stored": stored,
        "overwritten": stored == "A",
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="a Python that has the peer installed")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jr-peer-") as name:
        folder = Path(name)
        server = Server(port=free_port())
        server.start()
        try:
            url = f"redis://127.0.0.1:{server.port}"
            found = story(given.python or environment(folder), url, folder)
        finally:
            server.remove()
    print(json.dumps(found) if given.json else "\n".join(f"{key:12} {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
