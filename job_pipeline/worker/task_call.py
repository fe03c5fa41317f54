"""Carries out one task in this process: calls its function and makes an outcome of whatever it does."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lib.errors import BadConfiguration, BadInput, JobRunnerError
from lib.pipeline.context import TaskContext
from lib.pipeline.definition import Dag, Task
from lib.pipeline.model import Artifact
from lib.pipeline.work import LONGEST_RESULT, ClaimedTask, Done, Failed, Parked, checked_json

#: Jobs that one task may have at the queue, and what their specifications may take together, in bytes.
MOST_JOBS: Final = 10_000
LONGEST_SPECS: Final = 16 << 20
_LONGEST_ERROR: Final = 2000
_LONGEST_TYPE: Final = 200


class NotJson(ValueError):
    """A task returned something that the ledger cannot hold; the sentence says what."""


def carry_out(
    dags: Mapping[str, Dag], task: ClaimedTask, folder: Path, *, allow_placeholders: bool = False
) -> Done | Failed | Parked:
    """Call a task's function, or what collects its jobs, and say how that ended. Raises nothing.

    A task that asks for something impossible (`BadInput`, `BadConfiguration`: a missing extra, say) is
    failed for good: a retry finds the same. Any other failure may be tried again. What it wrote before it
    failed is told with the failure: a report of what was found wanting, say.
    """
    context = _context(task, folder, allow_placeholders)
    try:
        return _call(dags, task, context)
    except NotJson as error:
        return Failed(error=_bounded(str(error)))
    except BaseException as error:  # also sys.exit(): a task decides about itself, never about its worker
        for_good = isinstance(error, (BadInput, BadConfiguration))
        made: tuple[Artifact, ...] = ()
        with contextlib.suppress(NotJson):
            made = _made(context)
        return Failed(error=_bounded(reason_of(error)), for_good=for_good, artifacts=made)


def _context(task: ClaimedTask, folder: Path, allow_placeholders: bool) -> TaskContext:
    return TaskContext(
        run=task.run,
        task=task.name,
        attempt=task.attempt,
        run_inputs=task.run_inputs,
        config=task.config,
        folder=folder,
        instruction=task.instruction,
        slug=task.slug,
        jobs=task.jobs,
        allow_placeholders=allow_placeholders,
    )


def _call(dags: Mapping[str, Dag], task: ClaimedTask, context: TaskContext) -> Done | Failed | Parked:
    code = _code_of(dags, task)
    if code.stage.executor != task.executor:  # a list of jobs would pass for a result
        raise BadConfiguration(
            f"the code of {task.name} has executor={code.stage.executor!r} now, and the run {task.run} was "
            f"started with executor={task.executor!r}, which it keeps; give the task another name, or start "
            "a new run"
        )
    if code.takes_context or code.collect is not None:  # nobody else knows of it
        context.folder.mkdir(parents=True, exist_ok=True)
    if task.executor == "queue":
        return _with_queue(code, task, context)
    inputs = dict(task.inputs)
    result = code.function(inputs, context) if code.takes_context else code.function(inputs)
    return _done(task, result, context)


def _code_of(dags: Mapping[str, Dag], task: ClaimedTask) -> Task:
    dag = dags.get(task.dag)
    code = dag.tasks.get(task.name) if dag is not None else None
    if code is None:  # only after the code was changed under a worker that is at work
        raise LookupError(f"the code here has no task {task.name!r} of {task.dag}")
    return code


def _with_queue(code: Task, task: ClaimedTask, context: TaskContext) -> Done | Parked:
    """Order jobs; or, when there are none or they are done, make the result of what they made."""
    inputs = dict(task.inputs)
    if not task.jobs:
        returned = code.function(inputs, context) if code.takes_context else code.function(inputs)
        specs = specs_of(task, returned)
        if specs:
            return Parked(specs=specs)
    if code.collect is None:
        return _done(task, [job.result for job in task.jobs], context)
    return _done(task, code.collect(inputs, context), context)


def specs_of(task: ClaimedTask, returned: object) -> dict[str, dict[str, Any]]:
    """The specifications that a task returned, each under the request id that run, task and attempt give it.

    Raises:
        NotJson: it is no list of JSON objects, or too long, or one has a request id of its own.
    """
    if not isinstance(returned, (list, tuple)):
        raise NotJson(
            f"the task {task.name} has executor='queue' and returned {_kind(returned)}; "
            "it must return a list of job specifications"
        )
    if len(returned) > MOST_JOBS:
        raise NotJson(f"the task {task.name} returned {len(returned)} jobs; {MOST_JOBS} are the most")
    from lib.jobspec.names import (
        check_request_id,
    )  # late: it costs most tasks' processes a third of their start

    specs = {}
    length = 0
    for index, spec in enumerate(returned):
        if not isinstance(spec, Mapping):
            raise NotJson(f"job {index} that the task {task.name} returned is {_kind(spec)}, no JSON object")
        if "request_id" in spec:
            raise NotJson(f"job {index} that the task {task.name} returned has a request_id; leave it out")
        length += len(_json(dict(spec), f"job {index} that the task {task.name} returned"))
        specs[check_request_id(f"{task.run}.{task.name}.{task.attempt}.{index:04}")] = dict(spec)
    if length > LONGEST_SPECS:
        raise NotJson(
            f"the jobs that the task {task.name} returned are longer than {LONGEST_SPECS >> 20} MiB"
        )
    return specs


def _done(task: ClaimedTask, result: object, context: TaskContext) -> Done:
    length = len(_json(result, f"the task {task.name} returned something that"))
    if length > LONGEST_RESULT:
        raise NotJson(
            f"the task {task.name} returned {length} bytes of JSON; {LONGEST_RESULT >> 20} MiB is the most: "
            "write a file with context.write() and return its path"
        )
    return Done(result=result, artifacts=_made(context))


def _made(context: TaskContext) -> tuple[Artifact, ...]:
    """The files that a task recorded, with what it says of them."""
    made = tuple(context.artifacts)
    if not made:
        return ()
    _json([asdict(artifact) for artifact in made], f"what the task {context.task} says of its files")
    for artifact in made:
        if not artifact.type.isprintable() or len(artifact.type) > _LONGEST_TYPE:
            raise NotJson(f"{artifact.type[:50]!r} cannot be the type of the file {artifact.path}")
    return made


def _json(value: object, what: str) -> bytes:
    try:
        return checked_json(value).encode()
    except UnicodeEncodeError:
        raise NotJson(f"{what} is no JSON: there is half of a character") from None
    except (TypeError, ValueError) as error:
        raise NotJson(f"{what} is no JSON: {error}") from None


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def reason_of(error: BaseException) -> str:
    """What happened and, unless the error is a sentence of ours, the line where it did."""
    if isinstance(error, JobRunnerError):
        return error.message
    if isinstance(error, SystemExit):
        told = f"it called sys.exit({error.code!r})"
    else:
        told = f"{type(error).__name__}: {_said(error)}".removesuffix(": ")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    if not frames:
        return told
    last = frames[-1]
    line = f": {last.line.strip()[:200]}" if last.line else ""
    return f"{told[: _LONGEST_ERROR - 400]} ({os.path.basename(last.filename)}, line {last.lineno}{line})"


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an error that cannot even tell itself must not end the process
        return ""


def _bounded(text: str) -> str:
    """One line that every database holds: no control character, no half of one."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return "".join(c if c.isprintable() else "?" for c in line)[:_LONGEST_ERROR]
