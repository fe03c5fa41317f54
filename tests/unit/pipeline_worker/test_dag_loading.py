"""Pipelines are found by `module:object`; whatever is wrong with that is one line that says where."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_pipeline.dag_loading import load_dags
from lib.errors import BadConfiguration, ExitStatus
from lib.pipeline import BadPipeline

_numbers = itertools.count(1)
ONE_TASK = '@dag.task()\ndef audio(inputs):\n    return "spoken"\n'


@pytest.fixture(autouse=True)
def own_path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


def module(folder: Path, code: str) -> str:
    """Write a module of a name that nobody has imported yet."""
    name = f"beats_{next(_numbers)}"
    (folder / f"{name}.py").write_text(f"from job_pipeline import Dag\n{code}")
    return name


def test_pipelines_of_the_working_folder_are_found_each_once(tmp_path: Path) -> None:
    name = module(tmp_path, f'dag = Dag("beats")\n{ONE_TASK}other = dag\n')

    dags = load_dags([f"{name}:dag", f"{name}:other", f"{name}:dag"], folder=tmp_path)

    assert [dag.name for dag in dags] == ["beats"]


def refusal(names: list[str], folder: Path) -> BadConfiguration:
    with pytest.raises(BadConfiguration) as caught:
        load_dags(names, folder=folder)
    assert caught.value.exit_status is ExitStatus.BAD_CONFIGURATION
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import nothing_of_that_name\n", ["ModuleNotFoundError", "nothing_of_that_name", "line 2"]),
        ("def broken(:\n", ["SyntaxError", "line 2"]),
        ("x = 1\nraise ValueError('too\\nmany lines')\n", ["ValueError: too many lines", "line 3: raise"]),
        ("import sys\nsys.exit(3)\n", ["SystemExit: 3", "line 3"]),
        ('dag = Dag("no name")\n', ["'no name'", "line 2: dag = Dag"]),
    ],
)
def test_a_module_that_does_not_import_is_told_with_the_line(
    tmp_path: Path, code: str, words: list[str]
) -> None:
    name = module(tmp_path, code)

    error = refusal([f"{name}:dag"], tmp_path)

    assert isinstance(error, BadPipeline)
    assert [word for word in [f"{name}.py", *words] if word not in error.message] == []
    assert str(tmp_path) not in error.message


def test_what_is_named_must_be_there_and_be_a_pipeline(tmp_path: Path) -> None:
    name = module(tmp_path, f'dag = Dag("beats")\n{ONE_TASK}number = 7\n')

    assert "its pipelines: dag" in refusal([f"{name}:beats"], tmp_path).message
    assert "type int" in refusal([f"{name}:number"], tmp_path).message
    assert "no module 'beats_none'" in refusal(["beats_none:dag"], tmp_path).message
    assert "like beats:dag" in refusal(["beats.py"], tmp_path).message
    assert "--dag" in refusal([], tmp_path).message


def test_two_pipelines_of_one_name_and_a_graph_that_does_not_hold_are_refused(tmp_path: Path) -> None:
    one = module(tmp_path, f'dag = Dag("beats")\n{ONE_TASK}')
    two = module(tmp_path, f'dag = Dag("beats")\n{ONE_TASK}')
    empty = module(tmp_path, 'dag = Dag("empty")\n')

    assert f"{one}:dag and {two}:dag" in refusal([f"{one}:dag", f"{two}:dag"], tmp_path).message
    assert "has no task" in refusal([f"{empty}:dag"], tmp_path).message
