"""The embedded voice and the embedded queue reach no other machine, and write nothing but the data folder.

Native code counts: a library inside the voice may look up hosts from a thread of its own, some ten seconds
after it was loaded (docs/decisions/0002-onnxruntime-below-1.29.md). So a worker is watched while it has
nothing to do, from outside, by the packets it sends.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import pytest

from lib.spool import LocalFiles, SpoolClient, SpoolJob
from tests.e2e.home import PROGRAMS
from tests.e2e.sealed import attempts, why_not

#: The first look-up of onnxruntime 1.31.1 came 10.2 s after it was loaded, which is before its first job.
WATCHED_S = 11

#: A worker on a spool, and `up` with its own: each speaks one job, then both are idle.
BOTH = f"""
HOME=$PWD/worker voice-synth work --spool "$PWD/spool" & worker=$!
HOME=$PWD/up; export HOME
job-runner up & up=$!
job-runner enqueue --wait jobs.yaml || exit 3
sleep {WATCHED_S}
kill $worker $up
wait $worker; worker_ended=$?
wait $up; up_ended=$?
job-runner down
echo "ended: $worker_ended $up_ended"
"""


@cache
def hindrance() -> str | None:
    return why_not()


@pytest.fixture(autouse=True)
def _sealable() -> None:
    if (reason := hindrance()) is not None:
        pytest.skip(reason)


def environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "JOBS_"))}
    kept.pop("REDIS_URL", None)
    return {**kept, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_the_watch_sees_a_look_up_and_a_connection(tmp_path: Path) -> None:
    """Else the test below could pass on a machine where it sees nothing."""
    program = (
        "import socket\n"
        "try: socket.getaddrinfo('watched.example', 443)\n"
        "except OSError: pass\n"
        "print(socket.socket().connect_ex(('203.0.113.7', 443)))\n"
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.8', 9))\n"
    )

    seen, _ = attempts([sys.executable, "-c", program], tmp_path, environ())

    assert {"asks for watched.example", "tcp 203.0.113.7:443", "udp 203.0.113.8:9"} <= set(seen)


def test_an_idle_worker_and_up_reach_nobody_and_write_only_the_data_folder(tmp_path: Path) -> None:
    for home in ("worker", "up"):
        (tmp_path / home).mkdir()
    (tmp_path / "jobs.yaml").write_text("{output_name: topic/one, text: Yes., speaker: Ryan}\n")
    files = LocalFiles(tmp_path / "spool")
    client = SpoolClient(files)
    spec = {"request_id": "one", "output_name": "one", "text": "Yes.", "speaker": "heart"}
    entry = client.submit(SpoolJob("one", 1, "marknone", 1, "v1:any", spec))

    seen, done = attempts(["sh", "-c", BOTH], tmp_path, environ())

    result = client.result(entry)
    files.close()
    assert "ended: 0 0" in done.stdout, done.stdout
    assert result is not None
    assert result.state == "done"
    assert seen == []
    assert files_below(tmp_path / "worker") == set()
    kept = ".local/share/job-runner/"
    assert {name for name in files_below(tmp_path / "up") if not name.startswith(kept)} == set()
