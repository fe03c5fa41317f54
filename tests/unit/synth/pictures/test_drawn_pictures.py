"""A list of pictures is drawn once: it goes on where it stopped, and follows its pictures (I7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput, TryAgain
from lib.files import take_folder_lock
from synth.pictures.backend import BackendUnavailable, Picture, PictureOrder
from synth.pictures.drawn_pictures import Drawer, ListedPicture, draw_pictures
from synth.pictures.mock import MockBackend
from synth.pictures.order_file import OrderedPicture, read_orders
from synth.pictures.recorded import RecordedDrawing
from synth.pictures.usage import UsageLog, sums


class Counting(MockBackend):
    """Notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__("mock", {})
        self.asked: list[str] = []

    def draw(self, order: PictureOrder) -> Picture:
        self.asked.append(order.prompt)
        return super().draw(order)


def recorded(data: Path) -> RecordedDrawing:
    return RecordedDrawing(UsageLog(data / "data"), pytest.fail)


def listed(*prompts: str, card: str = "") -> list[OrderedPicture]:
    return [
        OrderedPicture(f"scene_{number:03d}.png", PictureOrder(prompt, 64, 64), card)
        for number, prompt in enumerate(prompts)
    ]


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., tuple[list[str], list[ListedPicture]]]:
    def drawn(
        orders: list[OrderedPicture], kind: str = "mock", progress: Any = lambda done, total: None
    ) -> tuple[list[str], list[ListedPicture]]:
        backend = Counting()
        found = draw_pictures(
            orders, tmp_path, Drawer(backend, {"class": kind}, recorded(tmp_path)), progress
        )
        return backend.asked, found

    return drawn


Draw = Callable[..., tuple[list[str], list[ListedPicture]]]


def test_what_was_drawn_for_the_same_order_is_kept(draw: Draw, tmp_path: Path) -> None:
    assert draw(listed("a", "b", "c"))[0] == ["a", "b", "c"]
    before = (tmp_path / "scene_000.png").read_bytes()
    asked, found = draw(listed("a", "B", "c"))

    assert asked == ["B"]
    assert [each.drawn for each in found] == [False, True, False]
    assert (tmp_path / "scene_000.png").read_bytes() == before
    assert draw(listed("a", "B", "c"), "other")[0] == ["a", "B", "c"]


def test_what_was_drawn_before_one_that_failed_is_recorded_with_its_cost(tmp_path: Path) -> None:
    """I1: those before it stay and are never told of as drawn again."""

    class Dear(Counting):
        def draw(self, order: PictureOrder) -> Picture:
            if order.prompt == "no":
                raise BackendUnavailable("It sent nothing.", 0.25)
            return replace(super().draw(order), cost_usd=0.5)

    with pytest.raises(BackendUnavailable):
        draw_pictures(
            listed("a", "b", "no"),
            tmp_path,
            Drawer(Dear(), {"class": "mock"}, recorded(tmp_path)),
            lambda done, total: None,
        )

    (found,) = sums(UsageLog(tmp_path / "data").uses())
    assert (found.pictures, found.failed, str(found.cost_usd)) == (2, 1, "1.25")


def test_a_picture_that_moves_is_not_drawn_again(draw: Draw, tmp_path: Path) -> None:
    draw(listed("a", "b"))
    moved = (tmp_path / "scene_001.png").read_bytes()
    assert draw(listed("new", "a", "b"))[0] == ["new"]
    assert (tmp_path / "scene_002.png").read_bytes() == moved


def test_a_list_that_was_stopped_goes_on(draw: Draw) -> None:
    def stops(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(listed("a", "b", "c"), progress=stops)
    assert draw(listed("a", "b", "c"))[0] == ["c"]


@pytest.mark.parametrize("damage", ["scene_000.png", "kept"])
def test_a_picture_that_was_damaged_is_made_whole(draw: Draw, tmp_path: Path, damage: str) -> None:
    draw(listed("a"))
    whole = (tmp_path / "scene_000.png").read_bytes()
    kept = next((tmp_path / ".drawn").glob("*.png"))
    victim = tmp_path / damage if damage != "kept" else kept
    victim.unlink()
    victim.write_bytes(whole[:-9])
    draw(listed("a"))
    assert (tmp_path / "scene_000.png").read_bytes() == kept.read_bytes() == whole


def test_only_a_card_says_the_words_of_a_card(draw: Draw) -> None:
    assert draw(listed("a", card="Scene 1"), "card")[0] == ["Scene 1"]
    assert draw(listed("a", card="Scene 1"), "diffusers")[0] == ["a"]


def test_two_do_not_draw_into_one_folder(draw: Draw, tmp_path: Path) -> None:
    (tmp_path / ".drawn").mkdir()
    lock = take_folder_lock(tmp_path / ".drawn")
    assert lock is not None
    with pytest.raises(TryAgain, match="Another image-synth draws into"):
        draw(listed("a"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "format is not 1"),
        ({"pictures": []}, "pictures must be a list of 1 to 10000"),
        ({"more": 1}, "more is no key of it"),
        (
            {"pictures": [{"file": "../a.png", "prompt": "a", "width": 64, "height": 64}]},
            "file must be a name",
        ),
        ({"pictures": [{"file": "a.png", "prompt": "", "width": 64, "height": 64}]}, "the prompt is empty"),
        (
            {"pictures": [{"file": "a.png", "prompt": "a", "width": 65, "height": 64}]},
            "the width of a picture",
        ),
        (
            {"pictures": [{"file": "a.png", "prompt": "a", "width": 64, "height": 64}] * 2},
            "stands before already",
        ),
    ],
)
def test_a_wrong_list_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    good = {"format": 1, "pictures": [{"file": "a.png", "prompt": "a", "width": 64, "height": 64}]}
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(good))
    assert [picture.file for picture in read_orders(file)] == ["a.png"]
    file.write_text(json.dumps({**good, **change}))
    with pytest.raises(BadInput, match=told):
        read_orders(file)
