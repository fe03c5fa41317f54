"""What an episode is told of its beats, and which files it may not write over (Q47)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput, UsageError
from lib.jobs.chapter_titles import chapter_titles, check_target
from lib.jobs.episode import EpisodeBeat, beats_of, topics_of
from lib.jobs.playlist import Titles, playlist
from lib.jobspec import JobSpec, normalize_job_spec
from tests.doubles import records


def spec(name: str, **fields: Any) -> JobSpec:
    return normalize_job_spec({"output_name": name, "text": "Hello.", "speaker": "Ryan", **fields})


TIDES = [spec("course/tides/b1", callback_data={"title": "High"}), spec("course/tides/b2")]
TRAINS = [spec("trains/b1")]


def test_all_topics_are_joined_unless_one_is_named() -> None:
    everything = [*TIDES, *TRAINS]

    assert topics_of(everything) == ("course/tides", "trains")
    assert beats_of(everything, None) == ("", everything)
    assert beats_of(TIDES, None) == ("course/tides", TIDES)
    assert beats_of(everything, "trains/") == ("trains", TRAINS)
    assert beats_of(everything, "course") == ("course", TIDES)
    with pytest.raises(BadInput, match="no beats of the topic 'tra'; it has: course/tides, trains"):
        beats_of(everything, "tra")


def test_chapters_have_names_or_what_callback_data_says() -> None:
    assert chapter_titles(TIDES, None) == ["b1", "b2"]
    assert chapter_titles([*TIDES, *TRAINS], None) == ["course/tides/b1", "course/tides/b2", "trains/b1"]
    assert chapter_titles(TIDES, "title") == ["High", "b2"]
    with pytest.raises(BadInput, match="No beat has the key 'titel' in its callback_data"):
        chapter_titles(TIDES, "titel")
    with pytest.raises(BadInput, match=r"b9 has no text under callback_data\.title, so it cannot be"):
        chapter_titles([spec("b9", callback_data={"title": 7})], "title")


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("High\nwater", r'b9 cannot have the chapter title "High\\nwater": it holds a line break'),
        ("\u202eHigh", "b9 cannot have the chapter title"),
        ("é" * 128, "b9 has a chapter title of 256 bytes; players read at most 255. Shorten it."),
    ],
)
def test_a_title_that_no_player_shows_is_told_of_its_job(title: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        chapter_titles([spec("b9", callback_data={"title": title})], "title")


def test_a_title_of_the_whole_that_no_player_shows_is_usage() -> None:
    Titles("می\u200cرود", "👩\u200d🚀", "").check()
    with pytest.raises(UsageError, match="--album holds a line break or an invisible character"):
        Titles("High water", "Ti\ndes", "").check()


@pytest.mark.parametrize(
    "target",
    [
        "course/tides/b1.wav",
        "course/tides/B1.m4b",
        "course/tides/b1.take-02.wav",
        "course/tides/b1/show.wav",
        "course/tides/b2.mp3",  # beside it go b2.srt and others
    ],
)
def test_the_files_of_a_job_are_not_written_over(tmp_path: Path, target: str) -> None:
    with pytest.raises(BadInput, match=r"is among the files of course:tides:b\d, whose audio"):
        check_target(tmp_path / target, [], TIDES, tmp_path)
    check_target(tmp_path / "elsewhere" / target, [], TIDES, tmp_path)
    check_target(tmp_path / target, [], TIDES, None)


def test_what_is_read_is_not_written_over_by_any_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for read in ("show.m4b", "show.srt", "show.chapters.json", "link/show.vtt"):
        with pytest.raises(BadInput, match="written over, and it is read here; choose another --out"):
            check_target(tmp_path / "show.m4b", [tmp_path / read], TIDES, None)
    check_target(tmp_path / "show.m4b", [tmp_path / "show.yaml"], TIDES, None)


def test_a_beat_is_told_with_all_that_its_record_says() -> None:
    record = records.spoken(replace(records.take(), true_peak_dbtp=-1.6))
    beat = EpisodeBeat(spec("tides/b1", gap_after=2.0), record, Path("/audio/b1.wav"))

    told = playlist([beat], [Path("/audio/b1.wav")], ["High"], Titles("Tides", "", ""), 0.7)

    audio = record.chosen.audio
    assert told["beats"] == [
        {
            "title": "High",
            "file": "/audio/b1.wav",
            "bytes": audio.bytes,
            "sha256": audio.sha256,
            "gap_after": 2.0,
            "true_peak_dbtp": -1.6,
            "captions": [],
        }
    ]
    assert told["artist"] == (record.voice or record.speaker)
    assert told["comment"] == f"Synthetic speech, made with the engine {record.engine}."
