"""I8: a move shows any part of a picture, to a fraction of a pixel, as sharp as a slow resampling would."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from synth.video.moves import MOVES, named_move
from synth.video.moving_picture import MovingPicture
from synth.video.pictures import planes_of

WIDE, HIGH = 400, 240


def grey(values: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8)).convert("RGB")


def luma(
    picture: MovingPicture, box: tuple[float, float, float, float], size: tuple[int, int]
) -> NDArray[np.float64]:
    return np.asarray(picture.framed(box, *size).luma, np.float64)


def page_of_letters() -> Image.Image:
    picture = Image.new("RGB", (WIDE, HIGH), (20, 30, 60))
    pen = ImageDraw.Draw(picture)
    for row in range(6):
        pen.text((20, 20 + row * 34), f"Row {row}: the sea leaves", "white", font_size=24)
    return picture


def test_the_whole_at_its_own_size_is_the_picture_itself() -> None:
    picture = page_of_letters()
    shown = MovingPicture(picture).framed((0.0, 0.0, float(WIDE), float(HIGH)), WIDE, HIGH)
    for ours, theirs in zip((shown.luma, shown.blue, shown.red), _planes(picture), strict=True):
        assert np.array_equal(np.asarray(ours), theirs)


@pytest.mark.parametrize("part", [0.0, 0.125, 0.3, 0.5, 0.9])
def test_a_part_of_a_pixel_to_the_side_is_that_part_of_the_way(part: float) -> None:
    waves = 128 + 100 * np.sin(np.arange(WIDE) / 9.7 + np.arange(HIGH)[:, np.newaxis] / 23)
    picture = MovingPicture(grey(waves))
    still = luma(picture, (10.0, 10.0, 310.0, 210.0), (300, 200))

    moved = luma(picture, (10.0 + part, 10.0, 310.0 + part, 210.0), (300, 200))

    slope = np.gradient(still, axis=1) + np.gradient(moved, axis=1)
    assert 2 * ((moved - still) * slope).sum() / (slope**2).sum() == pytest.approx(part, abs=0.05)


def test_it_is_as_sharp_as_a_cubic_resampling() -> None:
    source = page_of_letters()
    box = (7.3, 4.6, 385.9, 231.8)
    cubic = source.convert("L").resize((360, 216), Image.Resampling.BICUBIC, box)
    dull = source.convert("L").resize((360, 216), Image.Resampling.BILINEAR, box)
    wanted = np.asarray(cubic, np.float64) * 219 / 255 + 16

    shown = luma(MovingPicture(source), box, (360, 216))

    assert _error(shown, wanted) < 0.6 * _error(np.asarray(dull, np.float64) * 219 / 255 + 16, wanted)


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("progress", [0.0, 0.37, 1.0])
def test_no_move_shows_what_is_beyond_the_picture(name: str, progress: float) -> None:
    move = named_move(name, 0)
    assert move is not None
    white = MovingPicture(Image.new("RGB", (WIDE, HIGH), "white"))

    shown = white.framed(move.box(progress, WIDE, HIGH), 320, 192)

    assert np.asarray(shown.luma).min() == 235
    assert {*np.unique(np.asarray(shown.blue)), *np.unique(np.asarray(shown.red))} <= {127, 128}


def test_colours_stand_where_the_letters_do() -> None:
    halves = Image.new("RGB", (WIDE, HIGH), "red")
    halves.paste("blue", (WIDE // 2, 0, WIDE, HIGH))

    shown = MovingPicture(halves).framed((40.5, 20.0, 360.5, 212.0), 320, 192)

    edge_of_light = _edge(np.asarray(shown.luma, np.float64)[96])
    edge_of_colour = _edge(np.asarray(shown.red, np.float64)[48]) * 2 + 0.5
    assert edge_of_light == pytest.approx(159.0, abs=1.0)
    assert edge_of_colour == pytest.approx(edge_of_light, abs=1.0)


def _planes(picture: Image.Image) -> list[NDArray[np.uint8]]:
    found = planes_of(picture)
    return [np.asarray(each) for each in (found.luma, found.blue, found.red)]


def _error(shown: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean((shown - wanted) ** 2)))


def _edge(line: NDArray[np.float64]) -> float:
    """Where a line of two levels passes the middle of both, in its pixels."""
    middle = (line[0] + line[-1]) / 2
    at = int(np.flatnonzero((line[:-1] > middle) != (line[1:] > middle))[0])
    return at + float((middle - line[at]) / (line[at + 1] - line[at]))
