"""Real films of the shipped pipelines: what is in them, and what an edit makes anew (P10, P23)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from job_pipeline.dags import factory, video
from lib.pipeline.failures import SeenSomethingElse
from lib.pipeline.gate_inspection import approve_inspected
from lib.pipeline.gates import approve_gate
from lib.pipeline.model import Artifact
from lib.pipeline.operator_rules import OperatorRules, shipped_rules
from lib.pipeline.runs import advance
from tests.unit.stages.conftest import Opened
from tests.unit.stages.studio import Studio

SCRIPT = """# High water

## The sea that leaves

Twice a day the sea leaves the harbour.

It comes back 50 minutes later each day.

## Why

The moon pulls at the water. The sun helps twice a month.

Nobody has to call the sea back.
"""
GATES = ("script", "storyboard", "assets", "audio")
FILM = {"width": 160, "height": 96, "fps": 6, "captions": "burned", "pictures": "mock"}


def small(**film: Any) -> OperatorRules:
    """The shipped rules, for small films of test pictures."""
    return replace(shipped_rules(), film={**FILM, **film})


def finish(studio: Studio, run: str = "r1") -> list[str]:
    """Work and approve until nothing is left; the stages that were done."""
    done = studio.work()
    for gate in GATES:
        if studio.task(gate, run).state == "needs_approval":
            approve_gate(studio.ledger, run, gate, operator="ann")
            done += studio.work()
    return done


def result_of(studio: Studio, stage: str, run: str = "r1") -> dict[str, Any]:
    rows = studio.ledger.look(lambda look: look.all("results", runs=[run], names=[stage]))
    value: dict[str, Any] = json.loads(rows[0]["result"])
    return value


def seconds_of(path: Path) -> tuple[float, float]:
    """How long the pictures and the sound of a film are; 0.0: there is none."""
    with av.open(str(path)) as container:
        found = {
            stream.type: float((stream.duration or 0) * (stream.time_base or 0))
            for stream in container.streams
        }
    return found.get("video", 0.0), found.get("audio", 0.0)


def test_a_script_becomes_a_film_and_an_edit_makes_only_its_pieces_anew(open_studio: Opened) -> None:
    studio = open_studio(video.dag)
    studio.start(rules=small(), script=SCRIPT)
    finish(studio)
    made = studio.artifacts()
    folder = studio.place()

    assert (studio.state(), studio.task("acceptance").error) == ("completed", None)
    assert not [path for path, file in made.items() if file.placeholder]
    numbers = range(4)
    assert {path for path in made if "/" in path} == {
        *(f"assets/scene_{number:03d}.png" for number in numbers),
        *(f"animatics/scene_{number:03d}.mp4" for number in numbers),
    }
    spoken_s = made["voiceover.mp3"].measures["seconds"]
    for name in ("video.mp4", "video.preview.mp4"):
        assert seconds_of(folder / name) == pytest.approx((spoken_s, spoken_s), abs=0.2)
    clip, silent = seconds_of(folder / "animatics/scene_000.mp4")
    assert silent == 0.0
    assert clip == pytest.approx(made["animatics/scene_000.mp4"].measures["seconds"], abs=0.01)
    assert (made["video.mp4"].measures["scenes"], made["poster.jpg"].type) == (4, "image/jpeg")
    chapters = result_of(studio, "assemble")["chapters"]
    assert [chapter["title"] for chapter in chapters] == ["The sea that leaves", "Why"]
    checks = json.loads((folder / "acceptance_results.json").read_text())["checks"]
    assert {"video_streams", "video_loudness", "video_captions", "no_placeholders"} <= {
        c["name"] for c in checks
    }

    edit_a_line(studio, made)


def edit_a_line(studio: Studio, made: Mapping[str, Artifact]) -> None:
    """Edit the second beat of a finished film at the gate of the script, and see what is made anew."""
    folder = studio.place()
    assert studio.queue is not None
    before, pictures = set(studio.queue.specs), {path: made[path].sha256 for path in made}
    file = folder / "script.txt"
    advance(studio.ledger, "r1", operator="ann", stage="script")
    studio.work()
    file.write_text(file.read_text().replace("50 minutes later", "an hour later"))
    with pytest.raises(SeenSomethingElse):  # the first look takes note that the file is another one
        approve_inspected(studio.ledger, "r1", "script", folder=folder, operator="ann")
    approve_inspected(studio.ledger, "r1", "script", folder=folder, operator="ann")
    finish(studio)

    again = studio.artifacts()
    assert studio.state() == "completed"
    assert [studio.queue.specs[name]["text"] for name in set(studio.queue.specs) - before] == [
        "It comes back an hour later each day."
    ]
    changed = {path for path in again if again[path].sha256 != pictures.get(path)}
    assert {"assets/scene_001.png", "captions.srt", "voiceover.mp3", "video.mp4"} <= changed
    assert (
        not {
            f"{kind}/scene_00{n}.{end}"
            for kind, end in (("assets", "png"), ("animatics", "mp4"))
            for n in (0, 2, 3)
        }
        & changed
    )
    assert result_of(studio, "assets")["drawn"] == 1
    assert result_of(studio, "animatics")["made"] == 1
    # The last scene is as long as the sound is, to a fraction of a frame: its end is another one.
    assert result_of(studio, "assemble")["scenes_made"] <= 2


@pytest.mark.soak
def test_two_scripts_differ_in_every_part_of_their_films(open_studio: Opened) -> None:
    studio = open_studio(factory.dag)
    studio.start("r1", rules=small(), script="The sea leaves twice a day. It comes back.")
    studio.start("r2", rules=small(), script="Cats sleep for 13 hours. Some sleep for more.")
    studio.work()

    one, two = studio.artifacts("r1"), studio.artifacts("r2")
    assert (studio.state("r1"), studio.state("r2")) == ("completed", "completed")
    assert [path for path in one if path in two and one[path].sha256 == two[path].sha256] == []
    assert set(one) & set(two) >= {"voiceover.mp3", "captions.srt", "visuals/scene_000.png", "video.mp4"}


def test_a_damaged_film_is_refused_with_what_was_found(open_studio: Opened) -> None:
    studio = open_studio(video.dag)
    studio.start(rules=small(), script="The sea leaves twice a day.")
    finish(studio)
    film = studio.place() / "video.mp4"
    film.write_bytes(film.read_bytes()[:2000])
    advance(studio.ledger, "r1", operator="ann", stage="acceptance")
    studio.work()

    assert (studio.state(), studio.task("acceptance").state) == ("failed", "dead")
    assert "video.mp4 is not what its stage made" in (studio.task("acceptance").error or "")
    results = json.loads((studio.place() / "acceptance_results.json").read_text())
    assert results["accepted"] is False
    assert not {check["name"]: check["ok"] for check in results["checks"]}["video_streams"]


def test_a_note_draws_the_scene_that_it_names_anew(open_studio: Opened) -> None:
    studio = open_studio(video.dag)
    studio.start(rules=small(), script=SCRIPT)
    studio.work()
    for gate in GATES[:2]:
        approve_gate(studio.ledger, "r1", gate, operator="ann")
        studio.work()
    before = studio.artifacts()
    advance(studio.ledger, "r1", operator="ann", stage="assets", instruction="scene 2 is too dark")
    studio.work()

    after = studio.artifacts()
    pictures = [path for path in after if path.endswith(".png")]
    assert [path for path in pictures if after[path].sha256 != before[path].sha256] == [
        "assets/scene_001.png"
    ]


def test_a_backend_that_does_not_exist_ends_the_run_with_the_list(open_studio: Opened) -> None:
    studio = open_studio(factory.dag)
    studio.start(rules=small(pictures="nobody"), script="The sea.")
    studio.work()

    error = studio.task("visuals").error or ""
    assert studio.task("visuals").state == "dead"
    assert "no picture backend 'nobody'; there are: " in error
    assert "card" in error


def test_a_stage_without_its_extra_names_the_command_that_installs_it(
    open_studio: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real `image-synth`, in an environment where Pillow is not to be found."""
    hides = (
        "import sys\n"
        "class Hides:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'PIL':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hides())\n"
    )
    (tmp_path / "hiding").mkdir()
    (tmp_path / "hiding/sitecustomize.py").write_text(hides)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'hiding'}:{Path(__file__).parents[3]}")
    studio = open_studio(factory.dag)
    studio.start(rules=small(pictures="card"), script="The sea.")
    studio.work()

    error = studio.task("visuals").error or ""
    assert (studio.task("visuals").state, studio.state()) == ("dead", "failed")
    assert "job-runner[images]" in error or "RUN_REQUIREMENTS=images" in error
    assert "--allow-placeholders" in error
