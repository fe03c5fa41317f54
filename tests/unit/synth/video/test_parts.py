"""Moves, files of captions, and the cutting of a film into pieces, without a film (I8)."""

from __future__ import annotations

import hashlib
import random
import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from lib.errors import BadInput
from synth.typeset.caption_painter import USUAL_STYLE, CaptionPainter
from synth.video.burned_cues import burnable
from synth.video.cue_files import SpokenWord, VideoCue, read_cue_file, read_cues
from synth.video.drafted_timeline import DraftOrder, draft_timeline
from synth.video.film import FilmLook, frames_of
from synth.video.moves import MOVES, Framing, KenBurns, named_move
from synth.video.pieces import FilmPiece, PlannedPiece, Shot, cut_pieces, total_frames
from synth.video.timeline import Scene, Timeline


@pytest.mark.parametrize("name", MOVES)
def test_a_move_stays_within_the_picture_and_moves_evenly(name: str) -> None:
    move = named_move(name, 0)
    assert move is not None

    boxes = [move.box(at / 300, 1920, 1080) for at in range(301)]

    assert all(0 <= left < right <= 1920 and 0 <= top < bottom <= 1080 for left, top, right, bottom in boxes)
    assert all(abs((box[2] - box[0]) * 9 - (box[3] - box[1]) * 16) < 1e-6 for box in boxes)
    assert (
        max(max(box[0] / 1920, 1 - box[2] / 1920, box[1] / 1080, 1 - box[3] / 1080) for box in boxes) < 0.05
    )
    steps = [abs(after[0] - before[0]) for before, after in pairwise(boxes)]
    assert max(steps) < 1.0  # of a pixel in a frame: nothing jumps
    assert max(steps) <= 1.6 * min(steps) + 1e-9


def planned(
    starts: Sequence[float], seconds: float, fps: int, fade: float = 0.4, font: str = ""
) -> list[PlannedPiece]:
    move = named_move("in", 0)
    assert move is not None
    scenes = tuple(
        Scene(Path(f"{at}"), start, move, fade if at else 0.0, "cover") for at, start in enumerate(starts)
    )
    cues = tuple(VideoCue(start, start + 0.1, f"Scene {at}.") for at, start in enumerate(starts))
    timeline = Timeline(
        1920, 1080, fps, Path("voice"), scenes, cues, "burned", USUAL_STYLE, None, -14.0, None, ""
    )
    pictures = {Path(f"{at}"): f"{at}" for at in range(len(starts))}
    return cut_pieces(timeline, seconds, pictures, cues, {}, {cue.text: [font] for cue in cues})


def test_pieces_have_as_many_frames_as_the_narration_lasts() -> None:
    rng = random.Random(7)
    for _ in range(300):
        lengths = [rng.uniform(0.02, 25) for _ in range(rng.randint(1, 12))]
        starts = [round(sum(lengths[:at]), 3) for at in range(len(lengths))]
        seconds, fps = round(sum(lengths), 6), rng.choice([10, 24, 25, 30, 60])

        pieces = planned(starts, seconds, fps, rng.choice([0, 0.4, 2]))

        assert sum(each.piece.used for each in pieces) == total_frames(seconds, fps)
        for each in pieces:
            assert each.piece.frames - each.piece.used in ((0, 1) if each.spare else (0,))
            assert each.piece.used > 0


def test_a_longer_line_leaves_the_other_scenes_as_they_are() -> None:
    before = planned([0, 4.02, 9.5, 13], 20, 30)
    after = planned([0, 4.02, 9.873, 13.373], 20.373, 30)

    changed = {each.key for each in after} - {each.key for each in before}
    assert {(each.piece.scene, bool(each.piece.fade)) for each in after if each.key in changed} == {
        *((1, False), (1, True), (2, True))
    }


def test_another_picture_is_another_piece() -> None:
    keys = [each.key for each in planned([0, 4.02], 9, 30)]

    assert len(set(keys)) == len(keys)


def test_word_times_are_read_from_webvtt(tmp_path: Path) -> None:
    path = tmp_path / "c.vtt"
    path.write_text(
        "WEBVTT\n\nNOTE nothing\n\nfirst\n00:01.000 --> 00:03.000 align:start\n"
        "<c.yellow>High</c> <00:00:01.500>tide <00:00:02.000>&amp; low\n"
    )

    (cue,) = read_cues(path)

    assert (cue.start, cue.end, cue.text) == (1.0, 3.0, "High tide & low")
    assert cue.words == (
        SpokenWord(1.0, 1.5, "High"),
        SpokenWord(1.5, 2.0, "tide"),
        SpokenWord(2.0, 3.0, "& low"),
    )


def test_lines_of_a_subrip_cue_become_one(tmp_path: Path) -> None:
    path = tmp_path / "c.srt"
    path.write_bytes(
        "\ufeff1\r\n00:00:00,000 --> 00:00:01,000\r\n<i>High</i>\r\ntide\r\n\r\n2\r\n"
        "00:00:01,000 --> 00:00:02,500\r\n潮が\r\n満ちる\r\n".encode()
    )

    assert [(cue.end, cue.text) for cue in read_cues(path)] == [(1.0, "High tide"), (2.5, "潮が満ちる")]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("c.srt", b"", "there are none in it"),
        ("c.txt", b"hello", "its name ends in none"),
        ("c.srt", b"1\n00:00:02,000 --> 00:00:01,000\nx\n", "number 1 ends before it starts"),
        ("c.srt", b"1\n00:00:xx --> 00:00:01,000\nx\n", "no time can be read in the line"),
        ("c.srt", b"1\n00:00:00,000 --> 00:00:01,000\n\xff\n", "are not in UTF-8"),
        ("c.json", b"{}", "are not of format 1"),
    ],
)
def test_captions_that_cannot_be_used_are_one_sentence(
    tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(BadInput, match=sentence) as refused:
        read_cues(tmp_path / name)

    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "found", "mended"),
    [
        ("0 2 High\n\n1 3 tide", [(0.0, 1.0, "High"), (1.0, 3.0, "tide")], 1),
        ("2 3 tide\n\n0 1 High", [(0.0, 1.0, "High"), (2.0, 3.0, "tide")], 1),
        ("0 2 High\n\n0 3 tide", [(0.0, 3.0, "High tide")], 1),
        ("0 2 High\n\n0 2 High", [(0.0, 2.0, "High")], 1),
        ("0 2 High\n\n2 3 tide", [(0.0, 2.0, "High"), (2.0, 3.0, "tide")], 0),
        ("0 9 Shop\n\n1 2 High\n\n3 4 tide", [(0.0, 1.0, "Shop"), (1.0, 2.0, "High"), (3.0, 4.0, "tide")], 1),
        ("0 2 High\n2 3 tide\n3 4 42", [(0.0, 2.0, "High"), (2.0, 3.0, "tide"), (3.0, 4.0, "42")], 0),
    ],
    ids=["over", "order", "at once", "twice", "touching", "under two", "no blank line"],
)
def test_captions_of_others_become_one_after_the_other(
    tmp_path: Path, text: str, found: list[tuple[float, float, str]], mended: int
) -> None:
    blocks = [line.split(" ", 2) if line else None for line in text.split("\n")]
    lines = [
        f"{number}\n00:00:0{block[0]},000 --> 00:00:0{block[1]},000\n{block[2]}" if block else ""
        for number, block in enumerate(blocks, start=1)
    ]
    (tmp_path / "c.srt").write_text("\n".join(lines))

    read = read_cue_file(tmp_path / "c.srt")

    assert [(cue.start, cue.end, cue.text) for cue in read.cues] == found
    assert read.mended == mended


def test_a_word_that_goes_on_under_the_next_caption_ends_there(tmp_path: Path) -> None:
    (tmp_path / "c.vtt").write_text(
        "WEBVTT\n\n00:00.000 --> 00:03.000\nHigh <00:01.000>tide <00:02.500>now\n\n"
        "00:02.000 --> 00:04.000\nand low\n"
    )

    first, _ = read_cues(tmp_path / "c.vtt")

    assert first.words == (SpokenWord(0.0, 1.0, "High"), SpokenWord(1.0, 2.0, "tide"))


def test_no_part_of_a_long_caption_is_lost_where_its_words_are_said_at_once() -> None:
    text = " ".join(f"word{number}" for number in range(60))
    at_once = tuple(SpokenWord(1.0, 1.0, word) for word in text.split())

    found = burnable([VideoCue(1.0, 9.0, text, at_once)], CaptionPainter(192, 108))

    assert len(found) > 1
    assert " ".join(cue.text for cue in found) == text
    assert all(before.end == after.start for before, after in pairwise(found))


def test_another_font_is_another_piece_where_there_are_captions() -> None:
    one, two = planned([0], 20, 30, font="one"), planned([0], 20, 30, font="two")

    changed = [before.key != after.key for before, after in zip(one, two, strict=True)]

    assert changed == [True, False, False]  # the caption is gone after a tenth of a second


def drafted(
    folder: Path, beats: str | None, pictures: Sequence[str], *, seconds: float = 8.2, captions: bool = True
) -> list[tuple[str, float, str]]:
    (folder / "cards").mkdir()
    with wave.open(str(folder / "v.wav"), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(8000)
        audio.writeframes(bytes(2 * int(8000 * seconds)))
    for name in pictures:
        (folder / "cards" / name).write_bytes(b"")
    (folder / "c.srt").write_text(
        "1\n00:00:00,200 --> 00:00:02,000\nThe sea leaves.\n\n2\n00:00:02,400 --> 00:00:04,000\nIt comes\n\n"
        "3\n00:00:04,000 --> 00:00:06,000\nback.\n\n4\n00:00:06,500 --> 00:00:08,000\nIt is the moon.\n"
    )
    if beats is not None:
        (folder / "beats.json").write_text(beats)
    order = DraftOrder(
        folder / "v.wav",
        folder / "cards",
        folder / "c.srt" if captions else None,
        None if beats is None else folder / "beats.json",
        *("16:9", "burned", None, folder),
    )
    return [
        (scene["picture"], scene["start"], scene.get("chapter", ""))
        for scene in draft_timeline(order)["scenes"]
    ]


def test_pictures_are_shared_out_where_sentences_begin(tmp_path: Path) -> None:
    found = drafted(tmp_path, None, ["p10.png", "p2.png", "p1.jpg", "notes.txt"])

    assert found == [("cards/p1.jpg", 0.0, ""), ("cards/p2.png", 2.4, ""), ("cards/p10.png", 6.5, "")]


def test_without_captions_pictures_are_shown_equally_long(tmp_path: Path) -> None:
    found = drafted(tmp_path, None, ["a.png", "b.png"], captions=False)

    assert [start for _, start, _ in found] == [0.0, pytest.approx(4.1, abs=0.01)]


def test_more_pictures_than_captions_are_shown_equally_long(tmp_path: Path) -> None:
    found = drafted(tmp_path, None, [f"{at}.png" for at in range(9)], seconds=9.0)

    assert [start for _, start, _ in found] == pytest.approx(range(9), abs=0.01)


def test_captions_of_another_narration_are_no_timeline(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Caption 2 ends at 4.00 s, and the narration at 3.90 s"):
        drafted(tmp_path, None, ["a.png"], seconds=3.9)


def test_beats_without_times_are_found_in_the_captions(tmp_path: Path) -> None:
    beats = (
        '{"topic": "sea", "beats": [{"id": "tide", "text": "The sea leaves. It comes back."},'
        ' {"id": "moon", "text": "It is the moon."}]}'
    )

    found = drafted(tmp_path, beats, ["moon.png", "tide.png"])

    assert found == [("cards/tide.png", 0.0, "tide"), ("cards/moon.png", 6.5, "moon")]


def test_chapters_of_an_episode_are_its_scenes(tmp_path: Path) -> None:
    beats = '{"chapters": [{"startTime": 0, "title": "Sea"}, {"startTime": 6.2, "title": "Moon"}]}'

    found = drafted(tmp_path, beats, ["a.png", "b.png"])

    assert found == [("cards/a.png", 0.0, "Sea"), ("cards/b.png", 6.2, "Moon")]


@pytest.mark.parametrize(
    ("beats", "pictures", "sentence"),
    [
        (
            '{"chapters": [{"startTime": 0, "title": "Sea"}]}',
            ["a.png", "b.png"],
            "has 1 beats, and .* has 2 pictures",
        ),
        ("{}", ["a.png"], "has no beats and no chapters"),
        ("no", ["a.png"], "are no JSON"),
        (None, [], "There is no picture in"),
    ],
)
def test_what_does_not_fit_together_is_one_sentence(
    tmp_path: Path, beats: str | None, pictures: list[str], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        drafted(tmp_path, beats, pictures)


def test_a_move_that_comes_near_in_a_large_film_is_drawn_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "p.png")
    sha256 = hashlib.sha256((tmp_path / "p.png").read_bytes()).hexdigest()
    asked = list[tuple[int, int]]()

    def laid_out(path: Path, data: bytes, width: int, height: int, fit: str) -> Image.Image:
        asked.append((width, height))
        return Image.new("RGB", (64, 64))

    monkeypatch.setattr("synth.video.film.laid_out", laid_out)
    for zoom in (1.5, 4.0):
        shot = Shot(tmp_path / "p.png", sha256, "cover", KenBurns(Framing(), Framing(zoom)), 1.0)
        look = FilmLook(4096, 4096, 30, USUAL_STYLE, None)
        next(frames_of(FilmPiece(0, 0, 1, 1, shot), look))

    assert asked == [(6144, 6144), (8000, 8000)]
