"""A clean film is accepted, and one with a fault is not, for that fault alone (I8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from synth.video.acceptance import AcceptanceResults, AcceptanceTerms, accept, write_results
from synth.video.acceptance_walk import UnreadableVideo
from tests.unit.synth.video.studio import Picture, Repaint, Resound, Sound, Studio, refilmed


def failed(results: AcceptanceResults) -> list[str]:
    return [check.name for check in results.checks if not check.passed]


def looked_at(path: Path, studio: Studio, *, narrated: bool = True) -> AcceptanceResults:
    narration = studio.folder / "voice.wav" if narrated else None
    return accept(path, AcceptanceTerms(narration, studio.out.with_suffix(".srt")))


@pytest.mark.parametrize("narrated", [True, False])
def test_a_clean_film_is_accepted(finished: Studio, narrated: bool) -> None:
    results = looked_at(finished.out, finished, narrated=narrated)

    assert [check.sentence for check in results.checks if not check.passed] == []
    assert [check.name for check in results.checks] == [
        *("streams", "duration", "black_frames", "silence", "clipping", "loudness", "captions")
    ]


def as_it_is(*what: Any) -> Any:
    return what[-1]


def black(number: int, frame: Picture) -> Picture:
    return frame * np.uint8(0) if 30 <= number < 60 else frame  # two of fifteen frames a second


def silent(sound: Sound) -> Sound:
    changed = sound.copy()
    changed[:, 96_000:192_000] = 0
    return changed


def clipped(sound: Sound) -> Sound:
    changed = sound.copy()
    changed[:, 48_000:50_400] = np.clip(changed[:, 48_000:50_400] * 30, -1, 1)
    return changed


def quiet(sound: Sound) -> Sound:
    return sound * np.float32(0.5)


def longer(sound: Sound) -> Sound:
    return np.concatenate([sound, sound[:, :48_000]], axis=1)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ((black, as_it_is), "black_frames"),
        ((as_it_is, silent), "silence"),
        ((as_it_is, clipped), "clipping"),
        ((as_it_is, quiet), "loudness"),
        ((as_it_is, longer), "duration"),
    ],
    ids=["black", "silence", "clip", "quieter", "longer"],
)
@pytest.mark.parametrize("narrated", [True, False])
def test_a_fault_is_found_and_named(
    finished: Studio, tmp_path: Path, changes: tuple[Repaint, Resound], found: str, narrated: bool
) -> None:
    film = refilmed(finished.out, tmp_path / "film.mp4", *changes)

    results = looked_at(film, finished, narrated=narrated)

    assert found in failed(results)
    assert set(failed(results)) <= {found, "loudness", "captions"}
    assert not results.passed


def test_a_film_that_was_only_encoded_again_is_accepted(finished: Studio, tmp_path: Path) -> None:
    film = refilmed(finished.out, tmp_path / "film.mp4")

    assert failed(looked_at(film, finished)) == []


def test_captions_that_were_cut_short_are_found(finished: Studio, tmp_path: Path) -> None:
    captions = tmp_path / "short.srt"
    blocks = finished.out.with_suffix(".srt").read_text().split("\n\n")
    captions.write_text("\n\n".join(blocks[:-1]) + "\n")

    results = accept(finished.out, AcceptanceTerms(None, captions))

    assert failed(results) == ["captions"]
    assert "of speech at" in results.checks[-1].sentence


def test_captions_that_go_on_after_the_sound_are_found(finished: Studio, tmp_path: Path) -> None:
    captions = tmp_path / "long.srt"
    captions.write_text(
        finished.out.with_suffix(".srt").read_text() + "\n4\n00:00:08,000 --> 00:00:09,000\nMore.\n"
    )

    assert failed(accept(finished.out, AcceptanceTerms(None, captions))) == ["captions"]


def test_a_film_without_captions_is_accepted_only_where_it_needs_none(studio: Studio) -> None:
    studio.timeline["captions"] = {}
    studio.make(preview=False)

    assert failed(accept(studio.out, AcceptanceTerms())) == ["captions"]
    assert failed(accept(studio.out, AcceptanceTerms(captioned=False))) == []


def test_soft_captions_are_read_from_its_own_track(studio: Studio) -> None:
    studio.timeline["captions"]["show"] = "soft"
    studio.make(preview=False)
    studio.out.with_suffix(".srt").unlink()

    assert failed(accept(studio.out, AcceptanceTerms())) == []


def test_what_is_no_video_fails_and_says_so(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"no film at all " * 100)

    results = accept(film, AcceptanceTerms())

    assert failed(results) == ["streams"]
    assert results.checks[0].sentence.startswith("It cannot be read as a video")


def test_a_film_that_was_cut_off_fails(finished: Studio, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    data = finished.out.read_bytes()
    film.write_bytes(data[: len(data) * 2 // 3])

    assert failed(looked_at(film, finished))


def test_a_missing_film_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideo, match="is missing: there is no such file"):
        accept(tmp_path / "film.mp4", AcceptanceTerms())


def test_the_results_are_written_whole(finished: Studio, tmp_path: Path) -> None:
    results = looked_at(finished.out, finished)
    write_results(results, tmp_path / "results.json")

    read = json.loads((tmp_path / "results.json").read_text())
    assert (read["passed"], read["sha256"], len(read["checks"])) == (True, results.sha256, 7)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_twenty_clean_films_are_accepted(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    studio = Studio(tmp_path)
    studio.timeline |= {"fps": int(rng.choice([10, 15, 24, 25, 30])), "fade": float(rng.uniform(0, 1))}
    studio.timeline["size"] = [(320, 180), (180, 320), (240, 240)][seed % 3]
    studio.speak(tuple(float(each) for each in rng.uniform(0.7, 3, rng.integers(2, 6))), seed)
    studio.timeline["captions"]["show"] = ("burned", "soft", "both")[seed % 3]
    studio.make()

    for film in (studio.out, studio.out.with_suffix(".preview.mp4")):
        assert failed(looked_at(film, studio)) == []
    assert failed(accept(studio.out, AcceptanceTerms())) == []


@pytest.mark.parametrize("place", [slice(70, 100), slice(6, 36)], ids=["bottom", "top"])
def test_a_lost_picture_under_a_burned_caption_is_black(
    finished: Studio, tmp_path: Path, place: slice
) -> None:
    def lost(number: int, frame: Picture) -> Picture:
        shown = black(number, frame)
        if shown is not frame:
            shown[place, 40:150] = frame[place, 40:150]  # as bright as letters in a box
        return shown

    results = looked_at(refilmed(finished.out, tmp_path / "lost.mp4", lost), finished)

    assert failed(results) == ["black_frames"]


def test_a_picture_with_black_bars_is_none_that_was_lost(finished: Studio, tmp_path: Path) -> None:
    def barred(number: int, frame: Picture) -> Picture:
        shown = frame.copy()
        shown[:37] = shown[-37:] = 0
        return shown

    results = looked_at(refilmed(finished.out, tmp_path / "barred.mp4", barred), finished)

    assert failed(results) == []


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:7,\nfilm.mp4\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile film.mp4\n",
    ],
    ids=["playlist", "list"],
)
def test_a_list_of_other_files_is_no_video(finished: Studio, tmp_path: Path, text: str) -> None:
    (tmp_path / "film.mp4").write_bytes(finished.out.read_bytes())
    (tmp_path / "list.mp4").write_text(text)

    results = looked_at(tmp_path / "list.mp4", finished)

    (check,) = results.checks
    assert not check.passed
    assert check.sentence.startswith("It cannot be read as a video")


def test_sound_that_begins_later_than_the_picture_is_found(finished: Studio, tmp_path: Path) -> None:
    with av.open(str(finished.out)) as source, av.open(str(tmp_path / "late.mp4"), "w") as target:
        streams = {
            each.index: target.add_stream_from_template(each)
            for each in (source.streams.video[0], source.streams.audio[0])
        }
        for packet in source.demux(source.streams.video[0], source.streams.audio[0]):
            if packet.dts is None:
                continue
            if packet.stream.type == "audio" and packet.pts is not None:
                packet.pts += 24_000
                packet.dts += 24_000
            packet.stream = streams[packet.stream.index]
            target.mux(packet)

    results = looked_at(tmp_path / "late.mp4", finished)

    assert "duration" in failed(results)


def test_words_that_are_heard_later_than_they_are_said_are_found(finished: Studio, tmp_path: Path) -> None:
    def late(sound: Sound) -> Sound:
        return np.concatenate([sound[:, -14_400:] * 0, sound[:, :-14_400]], axis=1)

    results = looked_at(refilmed(finished.out, tmp_path / "late.mp4", sound=late), finished)

    (check,) = [check for check in results.checks if check.name == "duration"]
    assert check.sentence == "What is said is heard 0.30 s later than in the narration."
