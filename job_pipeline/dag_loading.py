"""From `module:object` to the pipelines it names: the code that a worker carries out."""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration, JobRunnerError
from lib.pipeline import BadPipeline, Dag

_NAME: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_LONGEST: Final = 300


def load_dags(names: Sequence[str], *, folder: Path | None = None) -> list[Dag]:
    """The pipelines behind `module:object`, each once and each with a graph that holds.

    `folder` (None: the working folder) comes first on the path of imports, as with `python -m`. A name that
    is given twice counts once.

    Raises:
        BadConfiguration: nothing is named, or something that is not `module:object`, or that is not there.
        BadPipeline: the module does not import (the sentence has its line), or the pipeline contradicts
            itself, or two of them have one name.
    """
    if not names:
        raise BadConfiguration("no pipeline is named; use --dag module:object or set JOB_PIPELINE_DAG")
    _see(folder or Path.cwd())
    found: dict[str, tuple[str, Dag]] = {}
    for name in dict.fromkeys(names):
        dag = _load(name)
        dag.graph()
        before = found.get(dag.name)
        if before is not None and before[1] is not dag:
            raise BadPipeline(f"{before[0]} and {name} are both named {dag.name!r}; rename one of them")
        found.setdefault(dag.name, (name, dag))
    return [dag for _, dag in found.values()]


def _see(folder: Path) -> None:
    place = str(folder)
    if place not in sys.path:
        sys.path.insert(0, place)
        importlib.invalidate_caches()


def _load(name: str) -> Dag:
    if not _NAME.fullmatch(name):
        raise BadConfiguration(
            f"{name[:100]!r} names no pipeline; write the module and the object in it, like beats:dag"
        )
    module, _, path = name.partition(":")
    there: object = _import(module, name)
    for part in path.split("."):
        if not hasattr(there, part):
            known = ", ".join(_dags_in(there)) or "none"
            raise BadConfiguration(f"{module} has no {path}, which {name} names; its pipelines: {known}")
        there = getattr(there, part)
    if not isinstance(there, Dag):
        raise BadConfiguration(f"{name} is of type {type(there).__name__}; it must be a Dag")
    return there


def _dags_in(module: object) -> Iterator[str]:
    return (name for name, value in vars(module).items() if isinstance(value, Dag))


def _import(module: str, name: str) -> object:
    try:
        return importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit among them: a module that ends the program is broken, too
        if isinstance(error, ModuleNotFoundError) and _is_itself(error, module):
            raise BadConfiguration(
                f"there is no module {error.name!r}, which {name} names; start in the folder that has it, "
                "or install it"
            ) from None
        raise BadPipeline(f"the module {module} of {name} does not import: {_reason(error)}") from None


def _is_itself(error: ModuleNotFoundError, module: str) -> bool:
    """Whether what is missing is the module that was asked for, and not something that it imports."""
    wanted = error.name or ""
    return (module == wanted or module.startswith(f"{wanted}.")) and not _where(error)


def _reason(error: BaseException) -> str:
    told = error.message if isinstance(error, JobRunnerError) else f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        told = f"SyntaxError: {error.msg}"
    told = " ".join(told.split())[:_LONGEST]
    where = _where(error)
    return f"{told} ({where})" if where else told


def _where(error: BaseException) -> str:
    """The line of the user's code that is to blame: `beats.py, line 12: dag = Dag(1)`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not _is_machinery(frame.filename)]
    if not ours:
        return ""
    line = f": {ours[-1].line.strip()[:100]}" if ours[-1].line else ""
    return f"{_short(ours[-1].filename)}, line {ours[-1].lineno}{line}"


def _is_machinery(filename: str) -> bool:
    places = (str(Path(importlib.__file__).parent), __file__, str(Path(__file__).parents[1] / "lib"))
    return filename.startswith(("<frozen", *places))


def _short(filename: str) -> str:
    """A file's path from here, or from the folder of imports that has it; else its name."""
    for place in (os.getcwd(), *sys.path):
        if place and filename.startswith(place.rstrip("/") + "/"):
            return filename[len(place.rstrip("/")) + 1 :]
    return Path(filename).name
