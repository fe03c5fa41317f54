"""Tasks that do odd things to the process that carries them out."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from job_pipeline import Dag

odd = Dag("odd")


@odd.task()
def where(inputs: Mapping[str, Any]) -> list[Any]:
    """Say in which process and folder this runs."""
    return [os.getpid(), os.getcwd()]


@odd.task()
def wander(inputs: Mapping[str, Any]) -> int:
    """Leave the folder."""
    os.chdir("/")
    return os.getpid()


@odd.task()
def talk(inputs: Mapping[str, Any]) -> str:
    """Print in every way, also what looks like an answer."""
    print('{"done": 1}')
    sys.stderr.write("to the other stream\n")
    logging.getLogger("beats").warning("to the log")
    subprocess.run(["echo", "from a program"], check=True)
    os.write(1, b"without an end")
    return "said"


@odd.task()
def patient(inputs: Mapping[str, Any]) -> str:
    """Wait for a file, whatever signals come."""
    place = Path(inputs["place"])
    (place / "began").write_text(f"{os.getpid()} {os.getppid()}")
    while not (place / "go").exists():
        time.sleep(0.01)
    return "waited"


@odd.task()
def flood(inputs: Mapping[str, Any]) -> str:
    """Print more than a log can take."""
    for _ in range(40):
        print("x" * 99_999)
    return "said"


@odd.task()
def large(inputs: Mapping[str, Any]) -> int:
    """Take a large input and give a large result."""
    return len(inputs["text"])


@odd.task()
def exit_at_once(inputs: Mapping[str, Any]) -> None:
    """End the process without a word."""
    os._exit(7)


@odd.task()
def crash(inputs: Mapping[str, Any]) -> None:
    """Touch memory that is not there."""
    import ctypes

    ctypes.string_at(0)


@odd.task()
def fork(inputs: Mapping[str, Any]) -> str:
    """Return twice: in this process and in a copy of it."""
    os.fork()
    return "returned"


@odd.task()
def answer_for_us(inputs: Mapping[str, Any]) -> None:
    """Write nonsense to whatever is open."""
    for descriptor in range(3, 1024):
        try:
            os.write(descriptor, b"\xff" * 64)
        except OSError:
            continue


@odd.task()
def leave_children(inputs: Mapping[str, Any]) -> list[int]:
    """Leave a program in this group and one in a session of its own, both with a child, and wait for ever."""
    commands = ["sleep 600 & echo $! $$; wait", "trap '' TERM; sleep 600 & echo $! $$; wait"]
    found = []
    for command, apart in zip(commands, (False, True), strict=True):
        program = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, start_new_session=apart)
        assert program.stdout is not None
        found += [int(word) for word in program.stdout.readline().split()]
    Path(inputs["note"]).write_text(" ".join(map(str, found)))
    while True:
        pass
