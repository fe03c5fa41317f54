"""The pipeline `factory`: fifty beats by the queue, and what becomes of trouble (P10, P11, P23)."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_pipeline.dags.factory import dag, uploading
from lib.errors import BadInput
from lib.jobspec import normalize_job_spec
from lib.pipeline.operator_rules import load_rules
from lib.pipeline.runs import advance
from tests.unit.stages.conftest import Opened

pytestmark = pytest.mark.usefixtures("parts_are_missing")


def test_fifty_beats_go_to_the_queue_and_come_back_as_one_file(open_studio: Opened) -> None:
    studio = open_studio(uploading)
    studio.start("r1", beats=[f"Beat {number}." for number in range(50)], title="Fifty")

    assert studio.work(allow_placeholders=True) == ["audio", "audio", "visuals", "render", "upload"]

    assert studio.queue is not None
    assert len(studio.queue.specs) == 50
    specs = [normalize_job_spec({**s, "request_id": name}) for name, s in studio.queue.specs.items()]
    assert specs[49].output_name == "runs/r1/audio/beat-050"
    assert (specs[49].voice, specs[49].batch) == ("newsroom", "r1")
    made = studio.artifacts()
    assert made["voiceover.mp3"].measures["beats"] == 50
    assert made["video.mp4"].placeholder
    assert (studio.place() / "captions.srt").read_text().count("-->") == 50
    assert studio.state() == "completed"
    stored = studio.folder / "storage/outputs/runs/r1"
    assert (stored / "voiceover.mp3").read_bytes() == (studio.place() / "voiceover.mp3").read_bytes()
    assert (stored / "visuals/scene_049.png").is_file()


def test_the_story_is_the_same_whoever_sees_what_follows(open_studio: Opened) -> None:
    """P5: workers that make ready what follows, and workers that leave it to the orchestrator."""
    studio = open_studio(dag)
    for run, settles in (("r1", True), ("r2", False)):
        studio.start(run, script="The sea is wide.")
        assert studio.work(allow_placeholders=True, settles=settles) == [
            "audio",
            "audio",
            "visuals",
            "render",
        ]

    assert studio.state("r2") == "completed"
    assert studio.story("r1") == studio.story("r2")


def test_the_operators_narration_holds_for_every_beat_that_says_nothing_else(
    open_studio: Opened, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("narration: {speaker: Ryan, speed: 1.2, pronounce: {Wu: Woo}}")
    rules = load_rules(tmp_path / "mine.yaml", stages=["audio"])
    studio = open_studio(dag)
    assert studio.queue is not None
    studio.queue.holds = True
    studio.start(rules=rules, script="Dr. Wu sings.\n\nAnd the sea.")
    studio.start("r2", rules=rules, beats=[{"text": "Wu.", "voice": "newsroom", "speed": 0.9}])
    studio.work()

    specs = {name: spec for name, spec in studio.queue.specs.items() if name.startswith(("r1", "r2"))}
    one, two, other = (specs[name] for name in sorted(specs))
    assert (one["speaker"], one["speed"], one["pronounce"]) == ("Ryan", 1.2, {"Wu": "Woo"})
    assert ("pronounce" in two, two["text"]) == (False, "And the sea.")
    assert (other["voice"], other["speed"], "speaker" in other) == ("newsroom", 0.9, False)


def test_a_note_about_the_pace_changes_it(open_studio: Opened) -> None:
    studio = open_studio(dag)
    studio.start(script="The sea is wide.")
    studio.work()
    advance(studio.ledger, "r1", operator="ann", stage="audio", instruction="slower, please")
    studio.work()

    assert studio.queue is not None
    first, second = studio.queue.specs.values()
    assert ("speed" in first, second["speed"], second["seed"]) == (False, 0.9, 1)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("", "the script is empty: there is nothing to say in it; write a sentence"),
        ("\u200b*", "the script is empty: there is nothing to say in it; write a sentence"),
    ],
)
def test_an_empty_script_ends_the_run_with_one_line(open_studio: Opened, script: str, told: str) -> None:
    studio = open_studio(dag)
    studio.start(script=script)

    assert studio.work() == ["audio"]
    assert (studio.task("audio").error, studio.state()) == (told, "failed")


def test_a_beat_that_fails_is_named(open_studio: Opened) -> None:
    studio = open_studio(dag, silent="mute")
    studio.start(beats=["Aloud.", "This is mute."])
    studio.work()

    task = studio.task("audio")
    assert "r1.audio.1.0001" in (task.error or "")
    assert "the engine gave up" in (task.error or "")


def test_audio_that_is_gone_from_the_store_is_said(open_studio: Opened) -> None:
    studio = open_studio(dag)
    studio.start(script="The sea.")
    assert studio.queue is not None
    queue, studio.queue = studio.queue, None
    studio.work()
    queue.lose = True
    studio.queue = queue
    studio.work()

    task = studio.task("audio")
    assert task.error is not None
    assert "could not be joined" in task.error or "not in the store" in task.error
    assert not (studio.place() / "voiceover.mp3").exists()
    assert [path.name for path in studio.place().iterdir()] == []


def test_a_topic_alone_is_nothing_to_speak(open_studio: Opened) -> None:
    studio = open_studio(dag)
    with pytest.raises(BadInput, match="factory needs one of the inputs script, uri, beats"):
        studio.start(topic="tides")
    studio.start(topic="tides", beats=[])
    studio.work()

    assert studio.task("audio").error is not None
