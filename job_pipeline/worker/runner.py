"""The process that carries out tasks, one after the other: it imports the pipelines once and stays warm."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from job_pipeline.dag_loading import load_dags
from job_pipeline.worker.messages import Inbox, message_bytes, outcome_message, task_from
from job_pipeline.worker.task_call import carry_out
from lib.errors import JobRunnerError
from lib.pipeline import Dag

_BLOCK: Final = 1 << 18


def run_tasks(talk: socket.socket, names: Sequence[str]) -> None:
    """Say what was imported, then carry out what is asked for, until nobody is at the other end."""
    _settle_in()
    try:
        dags = {dag.name: dag for dag in load_dags(names)}
    except JobRunnerError as error:
        talk.sendall(message_bytes({"broken": error.message}))
        return
    talk.sendall(message_bytes({"ready": {name: dag.graph().digest for name, dag in dags.items()}}))
    inbox, home, me = Inbox(), os.getcwd(), os.getpid()
    while data := talk.recv(_BLOCK):
        for message in inbox.feed(data):
            answer = message_bytes(_answer(dags, message))
            if os.getpid() != me:  # a task forked, and its child came back here
                os._exit(0)
            os.chdir(home)
            _flush()
            talk.sendall(answer)


def _answer(dags: Mapping[str, Dag], message: Mapping[str, Any]) -> dict[str, Any]:
    task = task_from(message)
    allow = bool(message["allow_placeholders"])
    return outcome_message(carry_out(dags, task, Path(message["folder"]), allow_placeholders=allow))


def _settle_in() -> None:
    """What tasks print is read line by line, and a signal to the whole service is not for them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="replace")
    faulthandler.enable()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("job_pipeline").setLevel(logging.INFO)
    # A handler, for an ignored signal would stay ignored in the programs that tasks start; and none in what
    # they fork, or a pool of processes could not end its own.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: None)
    os.register_at_fork(after_in_child=_as_usual)


def _as_usual() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # a task may have closed it
            stream.flush()
