"""`page`, `play` and `voices audition`, and the pages that `up` and `run` leave (Q46)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.e2e.desk import Desk
from tests.e2e.home import Home, check_shape
from tests.integration.servers import Server


@pytest.fixture(scope="module")
def spoken(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Two beats that are done, of three in the file."""
    desk = Desk(tmp_path_factory.mktemp("spoken"), server.url, "listen")
    desk.run("enqueue", desk.file_of("a", "b", name="part.yaml"))
    desk.work()
    desk.file_of("a", "b", "later", name="all.yaml")
    yield desk
    desk.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    user = Home(tmp_path)
    yield user
    user.close()


def page_in(folder: Path) -> str:
    return (folder / "listen.html").read_text(encoding="utf-8")


def audio_of(page: str) -> list[str]:
    data = page.partition('id="data">')[2].partition("</script>")[0]
    return [unquote(take["src"]) for beat in json.loads(data) for take in beat["takes"]]


def test_a_page_lies_beside_its_audio_and_shows_what_is_not_done(spoken: Desk) -> None:
    """Q46."""
    (made,) = spoken.shaped("page", "all.yaml")["pages"]

    assert (made["topic"], made["beats"], made["playable"], made["problem"]) == ("topic", 3, 2, None)
    folder = Path(made["file"]).parent
    page = page_in(folder)
    assert audio_of(page) == ["./a.wav", "./b.wav"]
    assert all((folder / name).is_file() for name in audio_of(page))
    assert "Job later. The sea comes back." in page
    assert "not enqueued" in page


def test_a_topic_is_shown_without_its_file_in_the_words_of_its_captions(spoken: Desk) -> None:
    shown = spoken.run("page", "topic/")

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.split()[1:] == ["2", "beats"]
    assert "Job b. The sea comes back." in page_in(Path(shown.stdout.split()[0]).parent)
    assert spoken.run("page", "topik").returncode == 65
    assert spoken.run("page", "none.yaml").returncode == 65
    assert spoken.run("page", "topic", "--topic", "topic").returncode == 2


def test_audio_that_was_edited_or_lost_is_not_passed_off_as_what_was_spoken(spoken: Desk) -> None:
    place = Path(spoken.json("result", "topic:a")["files"][0])
    before = place.read_bytes()
    place.write_bytes(before[:-2])

    spoken.run("page", "part.yaml")
    page = page_in(place.parent)
    place.write_bytes(before)

    assert "was edited; what was spoken is played here" in page
    played = (place.parent / audio_of(page)[0]).resolve()
    assert played.read_bytes() == before
    assert "blobs" in played.parts


def test_pages_and_audio_are_copied_where_one_asks_for_them(spoken: Desk) -> None:
    (made,) = spoken.shaped("page", "part.yaml", "--out", "client")["pages"]

    folder = spoken.folder / "client/topic"
    assert spoken.folder / made["file"] == folder / "listen.html"
    assert {path.name for path in folder.iterdir()} == {"a.wav", "b.wav", "listen.html"}
    assert audio_of(page_in(folder)) == ["./a.wav", "./b.wav"]


def test_a_page_that_cannot_be_written_is_one_line(spoken: Desk) -> None:
    mine = spoken.folder / "own/topic/listen.html"
    mine.parent.mkdir(parents=True)
    mine.write_text("My own notes.")

    shown = spoken.run("page", "part.yaml", "--out", "own")

    assert shown.returncode == 78
    assert shown.stderr.splitlines()[-1] == (
        f"error: {mine} is no page of ours, so it was not written over; move it away."
    )
    assert mine.read_text() == "My own notes."


def test_run_leaves_pages_and_goes_on_without_them(home: Home) -> None:
    home.jobs(1)
    record = json.loads(home.run("run", "jobs.yaml", "--json").stdout)

    check_shape("run", record)
    page = home.folder / "outputs/jobs/topic/listen.html"
    assert record["pages"] == ["outputs/jobs/topic/listen.html"]
    assert audio_of(page.read_text()) == ["./beat-001.wav"]
    page.write_text("My own notes.")
    again = home.run("run", "jobs.yaml")
    assert again.returncode == 0
    assert f"warning: no page to listen to was made: {page} is no page of ours" in again.stderr
    assert "Listen:" not in again.stdout
    page.unlink()
    shown = home.run("page", "jobs.yaml", "--from", "outputs/jobs")
    assert shown.stdout.split() == ["outputs/jobs/topic/listen.html", "1", "beat"]


# --- play -----------------------------------------------------------------------------------------


def player(folder: Path, name: str, status: int = 0) -> str:
    """A PATH with one player, which writes down what it was asked to play."""
    programs = folder / f"programs-{name}-{status}"
    programs.mkdir()
    program = programs / name
    program.write_text(f'#!/bin/sh\necho "$@" > "{folder}/played"\nexit {status}\n')
    program.chmod(0o755)
    return f"{programs}"


def test_play_takes_the_first_player_there_is_else_says_where_the_audio_is(spoken: Desk) -> None:
    """Q46."""
    file = spoken.json("result", "topic:a")["files"][0]
    nowhere = spoken.folder / "nowhere"
    nowhere.mkdir()

    told = spoken.run("play", "topic:a", PATH=str(nowhere))
    assert (told.returncode, told.stdout.strip()) == (0, file)
    assert "No player was found here" in told.stderr
    both = os.pathsep.join([player(spoken.folder, "aplay"), player(spoken.folder, "mpv")])
    heard = spoken.run("play", "topic:a", "--json", PATH=both)
    value = json.loads(heard.stdout)
    check_shape("play", value)
    assert value == {"request_id": "topic:a", "take": 1, "file": file, "player": "mpv"}
    assert (spoken.folder / "played").read_text().split() == ["--no-video", "--really-quiet", file]


def test_a_player_that_fails_and_what_cannot_be_played_are_one_line(spoken: Desk) -> None:
    broken = spoken.run("play", "topic:a", PATH=f"{player(spoken.folder, 'ffplay', 3)}{os.pathsep}/bin")
    assert broken.returncode == 1
    assert "ffplay could not play" in broken.stderr
    assert "exit status 3" in broken.stderr
    assert spoken.run("play", "topic:a", "--take", "2").returncode == 65
    assert spoken.run("play", "topic:nobody").returncode == 65
    spoken.enqueue("waits")
    waits = spoken.run("play", "topic:waits")
    assert (waits.returncode, "topic:waits is waiting" in waits.stderr) == (75, True)


# --- audition -------------------------------------------------------------------------------------


def test_an_audition_has_each_sound_once_on_a_page(home: Home) -> None:
    words = ("voices", "audition", "ryan", "newsroom", "--text", "Good evening.", "--json")
    done = home.run(*words, program="voice-synth")
    value = json.loads(done.stdout)

    check_shape("voice-synth-voices-audition", value)
    assert [(row["name"], row["preset"]) for row in value["voices"]] == [("ryan", "low"), ("newsroom", "mid")]
    page = page_in(home.folder / "audition")
    assert audio_of(page) == ["./ryan.wav", "./newsroom.wav"]
    assert "one voice of one model" in page
    assert "voices heard: 2/2" in done.stderr
    nobody = home.run("voices", "audition", "nobody", program="voice-synth")
    assert (nobody.returncode, "There is no voice 'nobody'" in nobody.stderr) == (65, True)
