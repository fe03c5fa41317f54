"""A timeline means what its page says, and a wrong one is refused by the name of its field (I8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput
from synth.video.moves import Framing, KenBurns, named_move
from synth.video.timeline import Timeline, read_timeline

LEAST: dict[str, Any] = {"format": 1, "narration": "voice.mp3", "scenes": [{"picture": "a.png"}]}


def read(folder: Path, **changes: Any) -> Timeline:
    (folder / "t.json").write_text(json.dumps(LEAST | changes))
    return read_timeline(folder / "t.json")


def test_the_least_is_a_narration_and_a_picture(tmp_path: Path) -> None:
    timeline = read(tmp_path)

    assert (timeline.width, timeline.height, timeline.fps, timeline.loudness) == (1920, 1080, 30, -14.0)
    assert timeline.narration == tmp_path / "voice.mp3"
    assert [scene.picture for scene in timeline.scenes] == [tmp_path / "a.png"]
    assert not timeline.burned


@pytest.mark.parametrize(("shape", "size"), [("9:16", (1080, 1920)), ("1:1", (1080, 1080))])
def test_a_shape_is_a_size(tmp_path: Path, shape: str, size: tuple[int, int]) -> None:
    timeline = read(tmp_path, shape=shape)

    assert (timeline.width, timeline.height) == size


def test_yaml_says_the_same_as_json(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("format: 1\nnarration: voice.mp3\nscenes:\n  - picture: a.png\n")

    as_yaml, as_json = read_timeline(tmp_path / "t.yaml"), read(tmp_path)

    assert (as_yaml.scenes, as_yaml.narration, as_yaml.fps) == (
        as_json.scenes,
        as_json.narration,
        as_json.fps,
    )


def test_moves_have_names_or_two_framings(tmp_path: Path) -> None:
    scenes = [
        {"picture": "a.png", "move": "in"},
        {"picture": "b.png", "start": 1, "from": {"zoom": 2, "x": 0}, "to": {"zoom": 1.5}},
        {"picture": "c.png", "start": 2},
    ]

    moves = [scene.move for scene in read(tmp_path, scenes=scenes).scenes]

    assert moves[0] == named_move("in", 0)
    assert moves[1] == KenBurns(Framing(2, 0, 0.5), Framing(1.5, 0.5, 0.5))
    assert moves[2] == named_move("auto", 2)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"format": 2}, "format is not 1"),
    ({"colour": "red"}, "colour is no key of it"),
    ({"shape": "4:3"}, "shape must be one of 16:9, 9:16, 1:1"),
    ({"size": [101, 100]}, "size must be two even numbers"),
    ({"size": [True, 100]}, "size must be two even numbers"),
    ({"fps": 0}, "fps must be a whole number"),
    ({"fps": 61}, "fps must be at most 60"),
    ({"narration": ""}, "narration must name a file"),
    ({"narration": "a.wav\nerror: none"}, "narration must name a file, without control characters"),
    ({"scenes": []}, "scenes must hold at least one"),
    ({"scenes": [{"picture": "a.png", "start": 1}]}, r"scenes\[0\]\.start must be 0"),
    ({"scenes": [{"picture": "a.png"}, {"picture": "b.png"}]}, r"scenes\[1\]\.start is missing"),
    (
        {"scenes": [{"picture": "a.png"}, {"picture": "b.png", "start": 0}]},
        r"scenes\[1\]\.start must be later",
    ),
    ({"scenes": [{"picture": "a.png", "move": "spin"}]}, r"scenes\[0\]\.move must be one of auto"),
    ({"scenes": [{"picture": "a.png", "move": "in", "to": {}}]}, r"scenes\[0\]\.move stands beside"),
    (
        {"scenes": [{"picture": "a.png", "from": {"zoom": 9}}]},
        r"scenes\[0\]\.from\.zoom must be a number from 1",
    ),
    ({"scenes": [{"picture": "a.png", "fit": "stretch"}]}, r"scenes\[0\]\.fit must be one of"),
    ({"loudness": 3}, "loudness must be a number from -40 to -8"),
    ({"captions": {"show": "loud"}}, r"captions\.show must be one of"),
    ({"captions": {"look": "neon"}}, r"captions\.look must be one of"),
    ({"captions": {"cues": [{"start": 2, "end": 1, "text": "x"}]}}, "ends before it starts"),
    ({"captions": {"cues": [{"start": 0, "end": 1, "text": "a\x1bb"}]}}, "holds control characters"),
    ({"music": {"file": "m.mp3", "duck": -1}}, r"music\.duck must be a number from 0"),
    ({"title": "a\nb"}, "title"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as refused:
        read(tmp_path, **change)

    assert "\n" not in refused.value.message


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1', "null", "[" * 100_000])
def test_what_is_no_timeline_is_one_sentence(tmp_path: Path, text: str) -> None:
    for name in ("t.json", "t.yaml"):
        (tmp_path / name).write_text(text)
        with pytest.raises(BadInput, match="is no timeline"):
            read_timeline(tmp_path / name)
