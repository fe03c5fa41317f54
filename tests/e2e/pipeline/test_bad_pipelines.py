"""Pipelines that contradict themselves or break end in one line that says where; nothing is stored (P1)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.e2e.pipeline.conftest import PipelineDesk

_TASK = "@dag.task({})\ndef {}(inputs):\n    return 1\n"
BROKEN = {
    "circle": (
        _TASK.format('requires=["b"]', "a") + _TASK.format('requires=["a"]', "b"),
        "tasks of shop wait for each other: a, b",
    ),
    "unknown": (_TASK.format('requires=["b"]', "a"), "requires 'b', which is no task of it; there are a"),
    "twice": (_TASK.format("", "a") * 2, "has two tasks of the name 'a' (broken.py, line 6: @dag.task())"),
    "import": ("import nothing_at_all\n", "broken.py, line 3: import nothing_at_all"),
    "syntax": ("def (\n", "SyntaxError: invalid syntax (broken.py, line 3)"),
    "exit": ("raise SystemExit(0)\n", "does not import: SystemExit: 0"),
}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """The module of one test is not that of the next."""
    yield
    sys.modules.pop("broken", None)


@pytest.mark.parametrize("command", ["init-db", "snapshot", "enqueue"])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_pipeline_that_does_not_hold_is_one_line(pipelines: PipelineDesk, kind: str, command: str) -> None:
    """P1."""
    code, sentence = BROKEN[kind]
    (pipelines.folder / "broken.py").write_text(f'from job_pipeline import Dag\ndag = Dag("shop")\n{code}')

    assert sentence in pipelines.refused(command, "--dag", "broken:dag", status=78)
    assert pipelines.shaped("list-jobs")["runs"] == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gates:\n  nothing: {required: true}\n", "rules.yaml:2: gates.nothing: is no stage; there are "),
        ("pipeline:\n  stage_timeouts: {nothing: 3}\n", "pipeline.stage_timeouts.nothing: is no stage"),
        ("gates:\n  script: {requird: true}\n", 'is no known key; did you mean "required"?'),
        ("gates: [\n", "rules.yaml:2: is no valid YAML"),
    ],
)
def test_what_is_wrong_in_the_operators_file_is_one_line(
    pipelines: PipelineDesk, text: str, sentence: str
) -> None:
    """P12."""
    (pipelines.folder / "rules.yaml").write_text(text)

    assert sentence in pipelines.refused("enqueue", "--dag", "shop:dag", "--config", "rules.yaml", status=78)
    assert pipelines.shaped("list-jobs")["runs"] == []
