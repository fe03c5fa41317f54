"""The process beside each one that carries out tasks: it ends that, and all that came from it.

It is the parent of the runner and adopts whatever the runner's tasks leave behind. It ends all of them when
its worker says so, when its worker is gone (however that happened: the kernel closes the line between them),
and when the runner itself is gone, whose end it then tells.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Final

#: How the runner ended goes to the worker like this: as `waitpid` has it.
STATUS: Final = struct.Struct(">i")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_PROC: Final = Path("/proc")
_PARENT: Final = 1  # place behind the name in /proc/<pid>/stat


def main(words: list[str]) -> None:
    """Become the guard, with the runner as a child: `TALK WATCH DAG...`, descriptors and pipelines."""
    talk, watch, *dags = words
    _control(_PR_SET_CHILD_SUBREAPER, 1)
    guard_pid = os.getpid()
    runner = os.fork()  # nothing is imported yet that has threads
    if runner == 0:
        os.close(int(watch))
        os.setpgid(0, 0)
        die_with(guard_pid)
        from job_pipeline.worker.runner import run_tasks

        run_tasks(_line(talk), dags)
        os._exit(0)  # not held up by a thread that a task left behind
    os.close(int(talk))
    for number in (signal.SIGTERM, signal.SIGINT):  # sent to a whole service, they are the worker's to heed
        signal.signal(number, signal.SIG_IGN)
    _keep_watch(_line(watch), runner)


def _line(descriptor: str) -> socket.socket:
    line = socket.socket(fileno=int(descriptor))
    line.set_inheritable(False)
    return line


def die_with(parent: int) -> None:
    """Have the kernel end this process when `parent`, its parent, ends."""
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def _control(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _keep_watch(watch: socket.socket, runner: int) -> None:
    ended, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    status = _reap(runner)  # it may have ended before we asked to be told
    while status is None:
        ready, _, _ = select.select([watch.fileno(), ended], [], [])
        if watch.fileno() in ready:
            break  # the worker asks for the end, or is gone
        os.read(ended, 4096)
        status = _reap(runner)
    found = end_all(runner)
    with contextlib.suppress(OSError):
        watch.sendall(STATUS.pack(found if status is None else status))


def _reap(runner: int) -> int | None:
    """Collect what has ended; the runner's status if it is among that."""
    status = None
    while True:
        try:
            pid, how = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if pid == 0:
            return status
        if pid == runner:
            status = how


def end_all(runner: int) -> int:
    """Kill the runner's group and everything that descends from this process; the runner's status, or 0."""
    status = 0
    while True:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(runner, signal.SIGKILL)
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            pid, how = os.waitpid(-1, 0)  # whose parent is killed becomes our child, and is killed next
        except ChildProcessError:
            return status
        if pid == runner:
            status = how


def descendants(root: int) -> list[int]:
    """The processes that come from `root`, near ones first; none where the system has no /proc."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                row = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                children.setdefault(int(row[_PARENT]), []).append(int(entry.name))
    found = list(children.get(root, ()))
    for pid in found:
        found.extend(children.get(pid, ()))
    return found
