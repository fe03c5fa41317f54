"""P32: a file is handed in, its lines are heard in their order, and the episode is taken away."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from lib.captions import Cue
from lib.jobqueue import Changed
from lib.jobs.chapter_titles import spoken_titles
from lib.jobs.episode import EpisodeBeat
from lib.jobspec import parse_job_file
from tests.doubles import records
from tests.doubles.console import ConsoleDesk, job_file
from tests.unit.console.test_routes import API, YAML, ask

LINES, EPISODE = "/scripts/{script}", "/scripts/{script}/episode"


def hand_in(client: httpx.Client, text: str, query: str = "", status: int = 200) -> Any:
    path = f"/scripts?operator=ann{query}"
    return ask(client, "POST", path, template="/scripts", status=status, content=text, headers=YAML)


def look_over(client: httpx.Client, text: str) -> Any:
    return ask(client, "POST", "/scripts/plan", content=text, headers=YAML)


def test_problems_stand_at_their_lines_and_nothing_is_done(desk: ConsoleDesk, client: httpx.Client) -> None:
    told = look_over(client, "jobs:\n  - {output_name: a, speaker: Ryan, text: ''}\n  - {output_nam: b}\n")
    assert {problem["line"] for problem in told["plan"]["problems"]} >= {2, 3}
    assert (told["would"], told["to_speak"]["jobs"]) == (None, 0)
    assert look_over(client, "jobs: [")["plan"]["problems"]
    assert desk.queue.snapshot().outstanding == 0


def test_a_file_says_before_it_is_handed_in_what_it_makes_stale(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    hand_in(client, job_file("a", "b", "c"))
    for name in "abc":
        desk.speak(name)
    told = look_over(client, job_file("a", "b", "c", "d").replace("Job b.", "Take b."))
    assert told["would"]["counts"] == {"created": 1, "duplicate": 2, "replaced": 1}
    assert [(job["request_id"], job["line"], job["state"]) for job in told["stale"]] == [
        ("topic:b", 4, "done")
    ]
    assert "text" in told["stale"][0]["what"][0]
    assert told["to_speak"]["jobs"] == 2
    assert told["to_speak"]["audio_seconds"] > 0
    assert told["to_speak"]["cost_usd"] is None
    assert desk.queue.snapshot().outstanding == 0


def test_what_it_costs_is_said_where_a_market_is_known(desk: ConsoleDesk) -> None:
    from dataclasses import replace as changed

    from lib.jobs.plan_cost import Cost

    cost = Cost(300, 600, (100, 200), (200, 400), "vast", "RTX 4090", 1.0)
    with desk.client(price=lambda plan: changed(plan, cost=cost)) as client:
        desk.enqueue("a")
        assert look_over(client, job_file("a", "b"))["to_speak"]["cost_usd"] == "0.000200"


def test_a_script_is_kept_once_with_its_lines_in_their_order(desk: ConsoleDesk, client: httpx.Client) -> None:
    text = job_file("z", "a")
    first, again = hand_in(client, text, "&name=tides.yaml"), hand_in(client, text, "&name=tides.yaml")
    assert first["script"]["id"] == again["script"]["id"]
    assert again["enqueued"]["counts"] == {"duplicate": 2}
    assert [each["name"] for each in ask(client, "GET", "/scripts")["scripts"]] == ["tides.yaml"]
    audio = desk.speak("z")
    told = ask(client, "GET", f"/scripts/{first['script']['id']}", template=LINES)
    assert [(line["request_id"], line["state"]) for line in told["lines"]] == [
        ("topic:z", "done"),
        ("topic:a", "waiting"),
    ]
    assert client.get(f"{API}/queue/jobs/topic:z/takes/1").content == audio


def test_a_file_that_conflicts_is_not_kept(client: httpx.Client) -> None:
    hand_in(client, job_file("a"))
    changed = job_file("a", text="Otherwise.")
    assert hand_in(client, changed, status=409)["error"]["type"] == "Conflict"
    assert len(ask(client, "GET", "/scripts")["scripts"]) == 1
    assert hand_in(client, changed, "&changed=replace")["enqueued"]["counts"] == {"replaced": 1}


def test_an_edited_script_takes_the_place_of_the_one_before(client: httpx.Client) -> None:
    old = hand_in(client, job_file("a"))["script"]["id"]
    new = hand_in(client, job_file("a", "b"), f"&edited={old}")["script"]["id"]
    assert [each["id"] for each in ask(client, "GET", "/scripts")["scripts"]] == [new]
    assert ask(client, "GET", f"/scripts/{old}", template=LINES)["script"]["newer"] == new


def test_a_line_changed_since_counts_with_what_it_is_by_now(desk: ConsoleDesk, client: httpx.Client) -> None:
    script = hand_in(client, job_file("a"))["script"]["id"]
    desk.speak("a")
    changed = parse_job_file(job_file("a", text="Otherwise.").encode(), name="t", base_dir=None)
    desk.queue.enqueue(changed.specs, changed=Changed.REPLACE)
    (line,) = ask(client, "GET", f"/scripts/{script}", template=LINES)["lines"]
    assert (line["state"], line["changed"], line["sha256"]) == ("waiting", True, None)
    ask(client, "POST", f"/scripts/{script}/episode", template=EPISODE, status=409, json={})


def test_nobody_knows_other_scripts(client: httpx.Client) -> None:
    for path in ("", "/episode"):
        ask(client, "GET", f"/scripts/{'0' * 16}{path}", template=f"{LINES}{path}", status=404)
    ask(client, "GET", "/scripts/..%2f..%2fconsole", template=LINES, status=404)


def test_all_lines_are_taken_away_in_one_archive(desk: ConsoleDesk, client: httpx.Client) -> None:
    script = hand_in(client, job_file("z", "a"), "&name=Der+H%C3%BCgel.yaml")["script"]["id"]
    path, template = f"/scripts/{script}/audio.zip", "/scripts/{script}/audio.zip"
    spoken = desk.speak("z")
    told = ask(client, "GET", path, template=template, status=409)
    assert told["error"]["message"] == "topic:a is waiting and has no audio."
    other = desk.speak("a", b"RIFF another")
    answer = client.get(f"{API}{path}")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found == {"001-topic-z.wav": spoken, "002-topic-a.wav": other}
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="Der-Hugel.zip"'
    assert 'download="Der-Hugel.zip"' in client.get(f"/scripts/{script}").text


def episode(client: httpx.Client, script: str) -> Any:
    return ask(client, "GET", f"/scripts/{script}/episode", template=EPISODE)


def test_an_episode_is_made_kept_and_known_to_be_old(
    desk: ConsoleDesk, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def joined(playlist: Path, options: list[str]) -> tuple[int, dict[str, Any]]:
        told = json.loads(playlist.read_text())
        asked.append(([beat["title"] for beat in told["beats"]], told["title"], options[2]))
        target = Path(options[1])
        target.write_bytes(b"the whole")
        target.with_suffix(".srt").write_bytes(b"1")
        beside = {"chapters_file": None, "srt": str(target.with_suffix(".srt")), "vtt": None}
        return 0, {"file": str(target), "audio_seconds": 3.0, "loudness_lufs": -19.0, **beside}

    monkeypatch.setattr("job_console.episodes.join", joined)
    script = hand_in(client, job_file("z", "a"), "&name=High+water.yaml")["script"]["id"]
    assert episode(client, script)["state"] == "none"
    desk.speak("z")
    desk.speak("a", b"RIFF another")
    ask(client, "POST", f"/scripts/{script}/episode", template=EPISODE, json={"format": "mp3"})
    for thread in [each for each in threading.enumerate() if each.name == "episode"]:
        thread.join(20)
    told = episode(client, script)
    assert asked == [(["Job z", "Job a"], "High water", "--loudness=-19")]
    assert (told["state"], told["current"]) == ("made", True)
    assert told["files"] == ["High-water.mp3", "High-water.srt"]
    answer = client.get(f"{API}/scripts/{script}/episode/High-water.mp3")
    assert (answer.content, answer.headers["content-type"]) == (b"the whole", "audio/mpeg")
    for name in ("made.json", "..%2fabout.json"):
        assert client.get(f"{API}/scripts/{script}/episode/{name}").status_code == 404
    order = {"format": "m4b", "title": "Tuesday: S1.2"}
    ask(client, "POST", f"/scripts/{script}/episode", template=EPISODE, json=order)
    for thread in [each for each in threading.enumerate() if each.name == "episode"]:
        thread.join(20)
    both = ["Tuesday-S1-2.m4b", "Tuesday-S1-2.srt", "High-water.mp3", "High-water.srt"]
    assert episode(client, script)["files"] == both
    assert client.get(f"{API}/scripts/{script}/episode/High-water.mp3").content == b"the whole"
    changed = parse_job_file(job_file("a", text="Otherwise.").encode(), name="t", base_dir=None)
    desk.queue.enqueue(changed.specs, changed=Changed.REPLACE)
    assert episode(client, script)["current"] is False


def test_a_script_that_cannot_be_kept_says_that_its_jobs_are_on_the_queue(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    (desk.folder / "console").mkdir(exist_ok=True)
    (desk.folder / "console" / "scripts").write_text("no folder")
    told = hand_in(client, job_file("a"), status=503)
    assert "its 1 job is on the queue" in told["error"]["message"]
    assert desk.queue.job("topic:a") is not None
    (desk.folder / "console" / "scripts").unlink()
    assert hand_in(client, job_file("a"))["enqueued"]["counts"] == {"duplicate": 1}


def test_what_a_killed_console_left_of_an_episode_goes_with_the_next_one(
    desk: ConsoleDesk, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def joined(playlist: Path, options: list[str]) -> tuple[int, dict[str, Any]]:
        Path(options[1]).write_bytes(b"the whole")
        return 0, {"file": options[1], "audio_seconds": 3.0, "loudness_lufs": -19.0}

    monkeypatch.setattr("job_console.episodes.join", joined)
    script = hand_in(client, job_file("a"))["script"]["id"]
    desk.speak("a")
    folder = desk.parts.scripts.folder_of(script)
    (folder / ".making-left").mkdir()
    (folder / ".making-left" / "large.wav").write_bytes(b"RIFF")
    for _ in range(2):  # the second takes the place of the first
        ask(client, "POST", f"/scripts/{script}/episode", template=EPISODE, json={"format": "mp3"})
        for thread in [each for each in threading.enumerate() if each.name == "episode"]:
            thread.join(20)
        assert episode(client, script)["state"] == "made"
    monkeypatch.setattr("job_console.episodes.join", lambda *_: (1, {"error": {"message": "no room"}}))
    ask(client, "POST", f"/scripts/{script}/episode", template=EPISODE, json={"format": "mp3"})
    for thread in [each for each in threading.enumerate() if each.name == "episode"]:
        thread.join(20)
    told = episode(client, script)  # the one before can be taken away still
    assert (told["state"], told["sentence"], told["files"]) == ("failed", "no room", ["script.mp3"])
    shown = client.get(f"/scripts/{script}").text
    assert "no room" in shown
    assert f"/scripts/{script}/episode/script.mp3" in shown
    assert sorted(each.name for each in folder.iterdir()) == ["about.json", "episode", "ids.json", "script"]


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("The tide turns. Then it goes.", "The tide turns"),
        ("Ha! The tide", "Ha! The tide"),
        (
            "Twice a day the whole of the sea comes back to the harbour.",
            "Twice a day the whole of the sea comes back to…",
        ),
        ("x" * 60, "x" * 48 + "…"),
    ],
)
def test_a_chapter_is_called_by_its_first_words(words: str, title: str) -> None:
    (spec,) = parse_job_file(job_file("a").encode(), name="t", base_dir=None).specs
    record = records.spoken(records.take(1, records.file_ref("topic/a.wav", b"1")), characters=len(words))
    beat = EpisodeBeat(spec, record, None, (Cue(0.0, 1.0, words, "piece"),))
    assert spoken_titles([beat]) == [title]
    named = replace(beat, spec=replace(spec, callback_data={"title": "One"}), cues=())
    assert spoken_titles([named, replace(beat, cues=())]) == ["One", "Job a"]
