"""The run of a film for `job-pipeline make`: a new one, or the one that is there, brought up to its file."""

from __future__ import annotations

import hashlib
import re
import shlex
import unicodedata
from pathlib import Path
from typing import Final

from job_pipeline.new_runs import start_run
from job_pipeline.wiring import PipelineRoom, operator_of
from lib.cli import output
from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.pipeline.runs import NewRun, advance, resume
from lib.pipeline.states import RunState
from lib.pipeline.views import get_job_status

_MOST_BYTES: Final = 1 << 20
_ENDED: Final = frozenset({RunState.COMPLETED, RunState.FAILED})


def start_film(room: PipelineRoom, dag: str, script: Path, run_id: str | None, config: str | None) -> str:
    """The id of the run that makes this file's film; it is started, or goes on.

    Raises:
        BadInput: the file cannot be read.
        RunConflict: the run of that id is about something else.
        And as `start_run`.
    """
    data = _read(script)
    run = run_id or run_name(script)
    new = NewRun(id=run, inputs={"uri": str(script.resolve())}, slug=run)
    began = start_run(room, dag, new, config)
    if not began.started.created:
        _go_on(room, run, hashlib.sha256(data).hexdigest())
    return run


def again(dag: str, script: Path, run: str, config: str | None) -> str:
    """The command that goes on with this film."""
    words = ["job-pipeline", "make", str(script), "--run-id", run]
    words += [] if dag == "video" else ["--dag", dag]
    return shlex.join(words if config is None else [*words, "--config", config])


def run_name(script: Path) -> str:
    """The run's id where none is given: the file's name, in the letters that ids have."""
    plain = unicodedata.normalize("NFKD", script.stem).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60]
    return name or f"film-{hashlib.sha256(script.stem.encode()).hexdigest()[:8]}"


def _go_on(room: PipelineRoom, run: str, sha256: str) -> None:
    """Let a run that is there go on; from its beginning where its file is another one now."""
    view = get_job_status(room.ledger, run)
    first = next(stage.name for stage in view.graph.stages if not stage.requires)
    known = ((view.results.get(first) or {}).get("material") or {}).get("sha256")
    if first in view.results and known != sha256:
        advance(room.ledger, run, operator=operator_of(None), stage=first)
        output.note(f"the script of {run} has changed: what follows from that is made anew")
    elif view.line.run.state is RunState.FAILED:
        resume(room.ledger, run, operator=operator_of(None))
        output.note(f"{run} failed before, and is tried again")
    room.tell()


def _read(script: Path) -> bytes:
    try:
        data = read_plain(script, _MOST_BYTES, follow=True)
    except NotPlain:
        raise BadInput(f"{script} is no file; name a script") from None
    except OSError as error:
        raise BadInput(f"the script {script} cannot be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"the script {script} is no text in UTF-8; save it as such") from None
    if not text.strip():
        raise BadInput(f"the script {script} is empty; write what is to be said")
    return data
