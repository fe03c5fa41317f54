"""The pipeline `video`, through the ledger's own functions: gates, notes, artifacts (P10, P20, P22, P23)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from job_pipeline.dags import video
from job_pipeline.dags.factory import dag as factory
from job_pipeline.dags.factory import uploading
from lib.pipeline import BadPipeline, Dag
from lib.pipeline.edited_texts import edit_text
from lib.pipeline.failures import SeenSomethingElse
from lib.pipeline.gate_inspection import approve_inspected
from lib.pipeline.gates import approve_gate, reject_gate
from lib.pipeline.operator_rules import shipped_rules
from lib.pipeline.runs import advance, retry
from lib.pipeline.trail_files import TrailFiles
from lib.pipeline.views import get_job_status
from tests.unit.stages.conftest import INSTALL, Opened
from tests.unit.stages.studio import Studio

SCRIPT = """# High water

## The sea that leaves

Twice a day the sea leaves the harbour of Port Anna. It comes back 50 minutes later each day.

## Why

The moon pulls at the water. The sun helps twice a month.
"""
pytestmark = pytest.mark.usefixtures("parts_are_missing")
STAGES = (
    "outline",
    "research",
    "script",
    "storyboard",
    "assets",
    "animatics",
    "audio",
    "assemble",
    "acceptance",
)
GATES = ("script", "storyboard", "assets", "audio")


@pytest.fixture
def studio(open_studio: Opened) -> Studio:
    return open_studio(video.dag)


def test_the_shipped_graphs_are_those_that_are_promised() -> None:
    graph = video.dag.graph()
    assert tuple(stage.name for stage in graph.stages) == STAGES
    assert tuple(stage.name for stage in graph.stages if stage.gate) == GATES
    assert {stage.lane for stage in graph.stages} == {"heavy"}
    assert [stage.name for stage in factory.graph().stages] == ["audio", "visuals", "render"]
    assert [stage.name for stage in uploading.graph().stages] == ["audio", "visuals", "render", "upload"]
    assert {name for gate in (graph.stages,) for name in shipped_rules().stage_timeouts} == set(STAGES)


def approve_all(studio: Studio, *, until: str = "audio") -> list[str]:
    """Work and approve each gate in turn, with placeholders; the stages that were done."""
    done = studio.work(allow_placeholders=True)
    for gate in GATES[: GATES.index(until) + 1]:
        if studio.task(gate).state == "needs_approval":
            approve_gate(studio.ledger, "r1", gate, operator="ann")
            done += studio.work(allow_placeholders=True)
    return done


def test_a_video_runs_to_its_acceptance_which_placeholders_fail(studio: Studio) -> None:
    (studio.folder / "high.md").write_text(SCRIPT)
    studio.start(uri=str(studio.folder / "high.md"))

    # `audio` twice: its jobs are ordered, and collected
    assert approve_all(studio) == [*STAGES[:7], "audio", *STAGES[7:]]

    assert (studio.state(), studio.task("acceptance").state) == ("failed", "dead")
    assert studio.task("acceptance").error == (
        "r1 is not accepted: no_placeholders: assets/scene_000.png and 4 more files are placeholders"
    )
    assert studio.queue is not None
    made = studio.artifacts()
    assert set(made) == {
        *("outline.txt", "research.json", "script.txt", "storyboard.json", "asset_plan.json"),
        *(f"assets/scene_{number:03d}.png" for number in range(2)),
        *(f"animatics/scene_{number:03d}.mp4" for number in range(2)),
        *("voiceover.mp3", "captions.srt", "video.mp4", "acceptance_results.json"),
    }
    assert [path for path, file in made.items() if not file.placeholder and file.path.endswith(".mp4")] == []
    assert json.loads((studio.place() / "video.mp4").read_text())["placeholder"] is True
    for name in ("outline.txt", "research.json", "script.txt", "storyboard.json", "asset_plan.json"):
        assert "template" in (studio.place() / name).read_text(), name
    assert made["voiceover.mp3"].measures["words"] == 31
    spoken_s = sum(len(spec["text"]) for spec in studio.queue.specs.values()) / 14 + 0.7
    assert made["voiceover.mp3"].measures["seconds"] == pytest.approx(spoken_s, abs=0.2)
    checks = json.loads((studio.place() / "acceptance_results.json").read_text())["checks"]
    assert [check["name"] for check in checks if not check["ok"]] == ["no_placeholders"]
    assert studio.story()[-2:] == ["stage_failed acceptance", "job_failed"]


def test_without_leave_a_missing_part_is_a_clear_end(studio: Studio) -> None:
    studio.start(script=SCRIPT)
    studio.work()
    for gate in GATES[:2]:
        approve_gate(studio.ledger, "r1", gate, operator="ann")
        studio.work()

    task = studio.task("assets")
    assert (task.state, studio.state()) == ("dead", "failed")
    assert task.error is not None
    assert task.error.startswith("assets of r1: Drawing needs packages that are not installed; install them")
    assert INSTALL in task.error
    assert "--allow-placeholders" in task.error


def test_a_topic_without_a_model_is_a_frame_that_says_so(studio: Studio) -> None:
    studio.start(topic="why lighthouses blink")
    assert studio.work() == ["outline", "research", "script"]

    text = (studio.place() / "script.txt").read_text()
    assert (
        "Source: template. No language model is set (LLM_BASE_URL), so this is no script but a frame" in text
    )
    assert text.count("why lighthouses blink") == 4
    assert text.count("These words are a template: there is no script yet.") == 3
    assert json.loads((studio.place() / "research.json").read_text())["claims"] == []


def test_a_rejection_asks_for_less_and_gets_less(studio: Studio) -> None:
    studio.start(script=SCRIPT)
    studio.work()
    before = (studio.place() / "script.txt").read_text()
    reject_gate(studio.ledger, "r1", "script", operator="ann", notes="too long")
    assert (studio.work(), studio.state()) == ([], "paused")

    advance(studio.ledger, "r1", operator="ann", instruction="make it shorter, please")
    assert studio.work() == ["script"]

    after = (studio.place() / "script.txt").read_text()
    assert "cut to 17 of 31 words" in after
    assert len(after) < len(before)
    assert studio.artifacts()["script.txt"].measures["words"] == 17
    advance(studio.ledger, "r1", operator="ann", stage="script", instruction="at most 12 words")
    studio.work()
    assert studio.artifacts()["script.txt"].measures["words"] == 11
    advance(studio.ledger, "r1", operator="ann", stage="script", instruction="with more feeling")
    studio.work()
    approve_gate(studio.ledger, "r1", "script", operator="ann")
    result = studio.ledger.look(
        lambda transaction: json.loads(transaction.all("results", runs=["r1"], names=["script"])[0]["result"])
    )
    assert result["instruction"]["notes"] == [
        "make it shorter, please",
        "at most 12 words",
        "with more feeling",
    ]


def test_what_is_edited_at_the_gate_is_what_is_shown_and_spoken(studio: Studio) -> None:
    studio.start(script=SCRIPT)
    studio.work()
    file = studio.place() / "script.txt"
    file.write_text(file.read_text().replace("The moon pulls", "The moon, far away, pulls"))
    with pytest.raises(SeenSomethingElse, match=r"script\.txt of script has changed since it was made"):
        approve(studio, "script")
    approve(studio, "script")
    studio.work()
    board = json.loads((studio.place() / "storyboard.json").read_text())
    assert any("The moon, far away, pulls" in scene["narration"] for scene in board["scenes"])

    approved = file.read_text()
    file.write_text(approved.replace("far away", "nobody approved this"))
    TrailFiles(studio.ledger, studio.folder).catch_up()
    for gate in GATES[1:3]:
        approve(studio, gate)
        studio.work(allow_placeholders=True)
    assert studio.queue is not None
    assert studio.queue.specs == {}
    assert (studio.task("audio").state, studio.task("audio").error) == (
        "failed",
        "script.txt of r1 is not what was approved; put it back, or run its stage anew and approve what you "
        "want: job-pipeline advance r1 --stage script",
    )
    file.write_text(approved)
    retry(studio.ledger, "r1", "audio", operator="ann")
    studio.work()
    assert any("far away" in spec["text"] for spec in studio.queue.specs.values())
    assert "far away" in (studio.place() / "captions.srt").read_text()


def test_what_a_storyboard_shows_is_mended_at_its_gate_and_its_scenes_are_not(studio: Studio) -> None:
    studio.start(script=SCRIPT)
    studio.work()
    approve(studio, "script")
    studio.work()
    file = studio.place() / "storyboard.json"
    board = json.loads(file.read_text())
    board["scenes"][0]["picture"] = "A lighthouse at night."
    mend(studio, "storyboard", json.dumps({**board, "scenes": board["scenes"][1:]}))
    approve(studio, "storyboard")
    studio.work(allow_placeholders=True)
    assert "has other scenes" in str(studio.task("assets").error)

    advance(studio.ledger, "r1", operator="ann", stage="storyboard")
    studio.work()
    mend(studio, "storyboard", json.dumps(board))
    approve(studio, "storyboard")
    studio.work(allow_placeholders=True)
    plan = json.loads((studio.place() / "asset_plan.json").read_text())
    assert plan["assets"][0]["shows"] == "A lighthouse at night."


def mend(studio: Studio, gate: str, text: str) -> None:
    seen = get_job_status(studio.ledger, "r1").gates[-1].seen
    edit_text(studio.ledger, "r1", gate, "storyboard.json", text, folder=studio.place(), seen=seen)


def approve(studio: Studio, gate: str) -> None:
    approve_inspected(studio.ledger, "r1", gate, folder=studio.place(), operator="ann")


def test_what_a_stage_only_waits_for_is_no_reason_to_do_it_again(open_studio: Opened) -> None:
    assert video.dag.graph().by_name["audio"].given == ("script",)
    done = list[str]()
    dag = Dag("order")

    def count(inputs: dict[str, Any]) -> int:
        done.append("pictures")
        return len(done)

    def speak(inputs: dict[str, Any]) -> list[str]:
        done.append("audio")
        return sorted(inputs)

    def join(inputs: dict[str, Any]) -> list[str]:
        done.append("film")
        return sorted(inputs)

    dag.task(name="script")(lambda inputs: "words")
    dag.task(name="pictures")(count)
    dag.task(name="audio", requires=["script", "pictures"], takes=["script"])(speak)
    dag.task(name="film", requires=["audio", "pictures"])(join)
    studio = open_studio(dag)
    studio.start()
    studio.work()
    advance(studio.ledger, "r1", operator="ann", stage="pictures")
    studio.work()

    assert done == ["pictures", "audio", "film", "pictures", "film"]
    assert studio.state() == "completed"
    with pytest.raises(BadPipeline, match="takes the result of 'film', which it does not require"):
        dag.task(name="last", requires=["audio"], takes=["film"])(join)


def test_two_scripts_differ_in_every_file(open_studio: Opened, tmp_path: Path) -> None:
    studio = open_studio(video.dag)
    studio.start("r1", script=SCRIPT)
    studio.start("r2", script="Cats sleep for 13 hours. A cat in Old Town sleeps for more.")
    studio.work(allow_placeholders=True)
    for gate in GATES:
        for run in ("r1", "r2"):
            approve_gate(studio.ledger, run, gate, operator="ann")
        studio.work(allow_placeholders=True)

    one, two = studio.artifacts("r1"), studio.artifacts("r2")
    same = [path for path in one if path in two and one[path].sha256 == two[path].sha256]
    assert same == []
    assert len(set(one) & set(two)) >= 9
