"""`job-runner join` from jobs to an episode: over the queue, from a run's folder, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from tests.e2e.desk import Desk
from tests.e2e.home import check_shape
from tests.integration.servers import Server
from tests.unit.synth.join.playlists import png


@pytest.fixture(scope="module")
def spoken(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Three beats that are done."""
    desk = Desk(tmp_path_factory.mktemp("spoken"), server.url, "join")
    desk.run("enqueue", with_gap(desk))
    desk.work()
    yield desk
    desk.close()


@pytest.fixture
def studio(spoken: Desk) -> Desk:
    """These, as they are in the file; `b` has a gap of its own after it. No episode is there."""
    with_gap(spoken)
    for path in spoken.folder.glob("show*"):
        path.unlink()
    return spoken


def with_gap(desk: Desk, **more: object) -> Path:
    path = desk.file_of("a", "b", "c", name="episode.yaml")
    value = yaml.safe_load(path.read_text())
    value["jobs"][1] |= {"gap_after": 2.0, **more}
    path.write_text(yaml.safe_dump(value))
    return path


def left(desk: Desk) -> set[str]:
    """Files of an episode, half ones included."""
    return {path.name for pattern in ("show*", ".*.part", ".join-*") for path in desk.folder.glob(pattern)}


def test_done_beats_become_an_episode_in_the_order_of_the_file(studio: Desk) -> None:
    """Q47."""
    (studio.folder / "cover.png").write_bytes(png(32, 32))

    options = ("--out", "show.flac", "--cover", "cover.png", "--gap", "0.5")
    value = studio.shaped("join", "episode.yaml", *options)

    assert [chapter["title"] for chapter in value["chapters"]] == ["a", "b", "c"]
    jobs = studio.json("result", "topic/")["jobs"]
    seconds = [job["result"]["spoken"]["takes"][0]["audio_seconds"] for job in jobs[:3]]
    lengths = [chapter["end"] - chapter["start"] for chapter in value["chapters"]]
    assert lengths == pytest.approx([seconds[0] + 0.5, seconds[1] + 2.0, seconds[2]], abs=0.002)
    samples, rate = soundfile.read(studio.folder / "show.flac")
    assert len(samples) / rate == pytest.approx(value["audio_seconds"], abs=0.001)
    assert value["loudness_lufs"] == pytest.approx(-19.0, abs=0.5)
    gap = samples[round(value["chapters"][1]["start"] * rate) - round(0.5 * rate) :][: round(0.45 * rate)]
    assert np.abs(gap).max() == 0.0
    captions = (studio.folder / "show.srt").read_text().split("\n\n")
    assert [cue.split("\n", 2)[2].replace("\n", " ") for cue in captions] == [
        *("Job a. The sea comes back.", "Job b. The sea comes back."),
        "Job c. The sea comes back. ",
    ]
    chapters = json.loads((studio.folder / "show.chapters.json").read_text())
    assert chapters["version"] == "1.2.0"
    assert chapters["chapters"][1] == {
        "title": "b",
        "startTime": value["chapters"][1]["start"],
        "endTime": value["chapters"][1]["end"],
    }
    assert studio.json("status")["outstanding"] == 0  # nothing is spoken for it


def test_a_gap_asks_for_no_other_audio(studio: Desk) -> None:
    """Q3: it is outside of the fingerprint."""
    with_gap(studio, gap_after=9.0)

    assert studio.shaped("report", "episode.yaml")["totals"]["done"] == 3
    assert studio.shaped("join", "episode.yaml", "--out", "show.wav")["chapters"][2]["start"] > 9.0


def test_what_is_not_done_is_named_and_nothing_is_written(studio: Desk) -> None:
    """Q47."""
    more = studio.file_of("a", "waiting", "new", name="more.yaml")
    studio.enqueue("waiting")

    done = studio.run("join", more, "--out", "show.mp3", "--json")

    assert done.returncode == 75
    check_shape("error", json.loads(done.stdout))
    assert done.stderr.splitlines()[-1].startswith("error: topic:waiting is not done, so nothing was joined")
    assert "1 more is not done, too" in done.stderr
    changed = studio.file_of("a", "b", text="Other words.", name="changed.yaml")
    done = studio.run("join", changed, "--out", "show.mp3")
    assert (done.returncode, "topic:a is not done" in done.stderr) == (1, True)
    assert "known with other content" in done.stderr
    assert left(studio) == set()


def test_the_audio_of_jobs_is_never_written_over_and_edited_audio_never_joined(studio: Desk) -> None:
    """Q47."""
    place = Path(studio.json("result", "topic:b")["files"][0])
    done = studio.run("join", "episode.yaml", "--out", place)
    assert (done.returncode, "choose another --out" in done.stderr) == (65, True)

    place.write_bytes(place.read_bytes()[:-2] + b"ab")
    done = studio.run("join", "episode.yaml", "--out", "show.wav")
    assert done.returncode == 65
    assert f"{place} was edited" in done.stderr
    place.unlink()
    assert studio.run("join", "episode.yaml", "--out", "show.wav").returncode == 0  # out of the store


def test_the_folder_of_a_run_is_joined_without_any_queue(desk: Desk) -> None:
    """Q47."""
    file = with_gap(desk)
    run = ("join", file, "--from", "outputs/episode", "--out", "show.opus")
    assert desk.run(*run).returncode == 65
    assert desk.run("run", file).returncode == 0

    assert [each["title"] for each in desk.shaped(*run)["chapters"]] == ["a", "b", "c"]

    beat = desk.folder / "outputs/episode/topic/b.wav"
    beat.write_bytes(beat.read_bytes() + b"\0")
    done = desk.run(*run)
    assert done.returncode == 65
    assert f"The audio of b was changed: {beat}" in done.stderr
    beat.unlink()
    assert f"The audio of b is missing: there is no {beat}" in desk.run(*run).stderr
    desk.file_of("a", "b", "c", text="Other words.", name="episode.yaml")
    done = desk.run(*run)
    assert (done.returncode, "topic:a is not done" in done.stderr) == (1, True)
    assert "speak it anew with: job-runner run" in done.stderr


def test_words_that_do_not_fit_are_usage(desk: Desk) -> None:
    desk.file_of("a")
    for words in (("--out", "show.ogg"), ("--out", "show.wav", "--gap", "61")):
        assert desk.run("join", "some.yaml", *words).returncode == 2
