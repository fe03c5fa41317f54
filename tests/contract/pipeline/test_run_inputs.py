"""P2: what a pipeline says of its inputs is part of its snapshot, and no run begins with others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from job_pipeline.dags import factory, video
from lib.errors import BadInput
from lib.pipeline import BadPipeline, Dag, RunInput
from lib.pipeline.graph import Graph
from lib.pipeline.views import list_runs
from tests.contract.pipeline.floor import Floor, diamond


def _show(**options: Any) -> Dag:
    dag = Dag(
        "show", inputs=[RunInput("topic", "What it is about.", **options), RunInput("title", "Its name.")]
    )
    dag.task(name="write")(lambda inputs: inputs)
    return dag


def test_a_snapshot_keeps_what_is_said_and_is_as_before_where_nothing_is() -> None:
    graph = _show(kind="line", need="required").graph()
    assert Graph.from_json(graph.to_json()) == graph
    assert [each.name for each in graph.inputs] == ["topic", "title"]
    assert graph.digest != _show().graph().digest
    silent = diamond().graph()
    assert set(json.loads(silent.to_json())) == {"dag", "stages", "code_digest"}
    assert Graph.from_json(silent.to_json()).inputs == ()


@pytest.mark.parametrize(
    ("need", "given", "told"),
    [
        ("optional", {"tpoic": "tides"}, "has no input 'tpoic'; there are topic, title"),
        ("required", {"title": "Tides"}, "needs the input 'topic'; there are topic, title"),
        ("required", {"topic": None}, "needs the input 'topic'"),
        ("one_of", {"title": "Tides"}, "needs one of the inputs topic; there are"),
    ],
)
def test_a_run_with_other_inputs_is_refused_before_it_begins(
    floor: Floor, need: str, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        floor.start(_show(need=need), **given)
    assert list_runs(floor.ledger, count=1) == []
    floor.start(_show(need=need), topic="tides")
    floor.start(diamond(), "r2", anything="goes where nothing is said")


def test_an_input_has_a_name_of_its_own_a_kind_and_a_need() -> None:
    for wrong in (
        [RunInput("a b", "")],
        [RunInput("a", ""), RunInput("a", "")],
        [RunInput("a", "", "word")],
        [RunInput("a", "", need="perhaps")],
    ):
        with pytest.raises(BadPipeline):
            Dag("show", inputs=wrong)


def test_the_pipelines_that_come_with_it_say_theirs() -> None:
    for dag in (video.dag, factory.dag, factory.uploading):
        said = {each.name: each for each in dag.graph().inputs}
        assert {"script", "uri", "beats", "title"} <= set(said)
        assert said["script"].need == "one_of"
        assert all(each.says for each in said.values())
