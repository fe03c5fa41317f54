"""Pipelines as people write them: plain functions, joined by the names of what they require."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from lib.errors import BadConfiguration
from lib.pipeline.code_digest import digest_of_code
from lib.pipeline.graph import Graph, GraphStage
from lib.pipeline.run_inputs import INPUT_KINDS, INPUT_NEEDS, RunInput

#: A task takes its inputs and, if it has a second parameter, a `TaskContext`; it returns JSON.
TaskFunction = Callable[..., Any]
F = TypeVar("F", bound=TaskFunction)

EXECUTORS: Final = ("worker", "queue")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_LONGEST_S: Final = 7 * 86400


class BadPipeline(BadConfiguration):
    """The code of a pipeline contradicts itself: a cycle, an unknown requirement, a name used twice."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task as its code defines it. `timeout_s` and `retries` are None where the settings decide."""

    stage: GraphStage
    function: TaskFunction = field(repr=False)
    takes_context: bool
    collect: TaskFunction | None = field(default=None, repr=False)
    #: Of the function and `collect`, taken at once: the file may be another one when the graph is asked for.
    code_digest: str = field(default="", repr=False)


class Dag:
    """A pipeline: tasks by name. Made at the top of a module; importing the module registers its tasks."""

    def __init__(self, name: str, *, inputs: Sequence[RunInput] = ()) -> None:
        """Begin a pipeline. With `inputs`, its runs are given these and nothing else.

        Raises:
            BadPipeline: a name is not a letter and then letters, digits, '_' and '-', 63 at most; an input is
                there twice, or of an unknown kind or need.
        """
        self.name = _checked_name("pipeline", name)
        self.inputs = _checked_inputs(name, inputs)
        self.tasks: dict[str, Task] = {}

    def task(
        self,
        *,
        name: str | None = None,
        requires: Sequence[str] = (),
        timeout: float | None = None,
        retries: int | None = None,
        gate: bool = False,
        executor: str = "worker",
        lane: str | None = None,
        collect: TaskFunction | None = None,
        takes: Sequence[str] | None = None,
    ) -> Callable[[F], F]:
        """Register a function as a task; returns the function unchanged.

        `requires` names tasks, defined before or after this one. `timeout` is seconds of one attempt and
        `retries` how often it is tried again after its first failure; None: the settings decide. With `gate`
        a person decides about the result before anything that requires it begins. `executor="queue"` means
        that the function returns a list of job specifications and the task is done when these jobs are; then
        `collect`, a function of (inputs, context), makes its result of `context.jobs`. Of the tasks with the
        same `lane` one runs at a time, on all hosts together. `takes` names those of `requires` whose results
        the function is given, all if left out: for the others it only waits, and what changes in them is no
        reason to run it again.

        Raises:
            BadPipeline: a name twice, `takes` something that is not required, an unknown executor, a number
                out of its bounds.
        """

        def register(function: F) -> F:
            stage = GraphStage(
                name=_checked_name("task", name or getattr(function, "__name__", "")),
                requires=_requirements(name or function.__name__, requires),
                timeout_s=_bounded(self.name, "timeout", timeout, above=0, most=_LONGEST_S),
                retries=_bounded(self.name, "retries", retries, above=-1, most=1000),
                gate=bool(gate),
                executor=executor,
                lane=None if lane is None else _checked_name("lane", lane),
                takes=_taken(name or function.__name__, requires, takes),
            )
            self._add(stage, function, collect)
            return function

        return register

    def _add(self, stage: GraphStage, function: TaskFunction, collect: TaskFunction | None) -> None:
        if stage.name in self.tasks:
            raise BadPipeline(f"the pipeline {self.name} has two tasks of the name {stage.name!r}")
        if stage.executor not in EXECUTORS:
            raise BadPipeline(
                f"the task {stage.name!r} of {self.name} asks for the executor {stage.executor!r}; "
                f"there are {' and '.join(EXECUTORS)}"
            )
        takes_context = _takes_context(self.name, stage.name, function)
        if collect is not None and (
            stage.executor != "queue" or not _takes_context(self.name, stage.name, collect)
        ):
            raise BadPipeline(
                f"collect of the task {stage.name!r} of {self.name} belongs to executor='queue' "
                "and is a function of (inputs, context)"
            )
        code = digest_of_code(*[each for each in (function, collect) if each is not None])
        self.tasks[stage.name] = Task(stage, function, takes_context, collect, code)

    def graph(self) -> Graph:
        """The whole as data, checked: what a snapshot stores.

        Raises:
            BadPipeline: there is no task, a requirement that no task has, or a cycle.
        """
        if not self.tasks:
            raise BadPipeline(f"the pipeline {self.name} has no task; add one with @dag.task()")
        for task in self.tasks.values():
            for wanted in task.stage.requires:
                if wanted not in self.tasks:
                    raise BadPipeline(
                        f"the task {task.stage.name!r} of {self.name} requires {wanted!r}, which is no task "
                        f"of it; there are {', '.join(self.tasks)}"
                    )
        stages = [task.stage for task in self.tasks.values()]
        ordered = _in_order(self.name, stages)
        return Graph(self.name, tuple(ordered), self._code_digest(), self.inputs)

    def _code_digest(self) -> str:
        """sha256 of what the tasks' functions say, whatever else their file has and where it lies."""
        codes = [f"{name} {self.tasks[name].code_digest}\n" for name in sorted(self.tasks)]
        return hashlib.sha256("".join(codes).encode()).hexdigest()


def _checked_name(what: str, name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadPipeline(
            f"{name!r} cannot be the name of a {what}; "
            "use a letter, then letters, digits, '_' and '-', at most 63"
        )
    return name


def _checked_inputs(dag: str, inputs: Sequence[RunInput]) -> tuple[RunInput, ...]:
    names = [_checked_name("input", each.name) for each in inputs]
    if len(set(names)) < len(names):
        raise BadPipeline(f"the pipeline {dag} has two inputs of one name")
    for each in inputs:
        if each.kind not in INPUT_KINDS or each.need not in INPUT_NEEDS:
            raise BadPipeline(
                f"the input {each.name!r} of {dag} is {each.kind} and {each.need}; "
                f"kinds are {', '.join(INPUT_KINDS)}, needs {', '.join(INPUT_NEEDS)}"
            )
    return tuple(inputs)


def _requirements(task: str, requires: Iterable[str]) -> tuple[str, ...]:
    if isinstance(requires, str):
        raise BadPipeline(f"the task {task!r} requires {requires!r}; write a list of names")
    names = tuple(_checked_name("task", name) for name in requires)
    if len(set(names)) < len(names):
        raise BadPipeline(f"the task {task!r} requires the same task twice")
    return names


def _taken(task: str, requires: Sequence[str], takes: Sequence[str] | None) -> tuple[str, ...] | None:
    if takes is None:
        return None
    names = _requirements(task, takes)
    strange = [name for name in names if name not in requires]
    if strange:
        raise BadPipeline(f"the task {task!r} takes the result of {strange[0]!r}, which it does not require")
    return names


N = TypeVar("N", int, float)


def _bounded(dag: str, what: str, value: N | None, *, above: float, most: float) -> N | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not above < value <= most:
        raise BadPipeline(f"the {what} {value!r} of a task of {dag} is not above {above} and at most {most}")
    return value


def _takes_context(dag: str, task: str, function: TaskFunction) -> bool:
    try:
        count = len(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        raise BadPipeline(f"the task {task!r} of {dag} is not a function") from None
    if inspect.iscoroutinefunction(function) or count not in (1, 2):
        raise BadPipeline(
            f"the task {task!r} of {dag} must be an ordinary function of (inputs) or (inputs, context)"
        )
    return count == 2


def _in_order(dag: str, stages: Sequence[GraphStage]) -> list[GraphStage]:
    """Requirements first, and otherwise as written."""
    done: dict[str, GraphStage] = {}
    waiting: Mapping[str, GraphStage] = {stage.name: stage for stage in stages}
    while waiting:
        free = [stage for stage in waiting.values() if all(name in done for name in stage.requires)]
        if not free:
            raise BadPipeline(f"tasks of {dag} wait for each other: {', '.join(sorted(waiting))}")
        done.update({stage.name: stage for stage in free})
        waiting = {name: stage for name, stage in waiting.items() if name not in done}
    return list(done.values())
