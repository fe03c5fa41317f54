"""Cards: what a prompt becomes, and that it can be read."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from lib.errors import BadInput, JobRunnerError
from lib.picture_backends.names import PictureSettings
from lib.png import check_png
from synth.pictures.backend import PictureOrder
from synth.pictures.card import CardBackend
from synth.pictures.card_grounds import paint_ground
from synth.pictures.card_text import CardText, read_prompt
from synth.pictures.card_themes import THEMES
from synth.pictures.open_backend import open_backend
from synth.typeset.contrast import LEAST_CONTRAST, Colour, colour, contrast
from synth.typeset.fonts import MissingLetters
from synth.typeset.safe_area import safe_area
from tests.unit.synth.typeset.fribidi import needs_fribidi

CARDS = CardBackend("card", {"system_fonts": False})
TITLE = "The Keeper of the Last Light | A quiet history of the sea, told by those who kept it lit"


def draw(prompt: str, width: int = 320, height: int = 184, seed: int = 7, theme: str = "") -> Image.Image:
    made = CARDS.draw(PictureOrder(prompt, width, height, seed, theme))
    assert check_png(made.png)[:2] == (width, height)
    return Image.open(io.BytesIO(made.png))


def ink(picture: Image.Image, theme: str, seed: int = 7) -> tuple[int, int, int, int] | None:
    """Where a card differs from its ground."""
    ground = paint_ground(THEMES[theme], picture.width, picture.height, seed)
    return ImageChops.difference(picture, ground).getbbox()


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Title", CardText("", "", "Title", "", "")),
        ("Title | and more | end", CardText("", "", "Title", "and more", "end")),
        ("a \\| b | c", CardText("", "", "a | b", "c", "")),
        ("Scene 3: Storm | Wide shot.", CardText("Scene 3", "3", "Storm", "Wide shot.", "", True)),
        ("scene 12b\nA storm", CardText("scene 12b", "12b", "A storm", "", "", True)),
        ("#4 - Storm", CardText("#4", "4", "Storm", "", "", True)),
        ("シーン3：嵐", CardText("", "", "シーン3：嵐", "", "")),
        ("シーン3: 嵐", CardText("シーン 3", "3", "嵐", "", "", True)),
        ("Scene 3", CardText("", "", "Scene 3", "", "")),
        ("[The lamp] A light | Far off.", CardText("The lamp", "", "A light", "Far off.", "", True)),
        ("[a \\| b]", CardText("a | b", "", "", "", "", True)),
        ("[] A light", CardText("", "", "A light", "", "", True)),
        ("[sic]s", CardText("", "", "[sic]s", "", "")),
        ("2001: A Space Odyssey", CardText("", "", "2001: A Space Odyssey", "", "")),
        ("Head\nbody one\nbody two", CardText("", "", "Head", "body one\nbody two", "")),
        ("x" * 65, CardText("", "", "", "x" * 65, "")),
        ("| |", CardText("", "", "", "", "")),
    ],
)
def test_a_prompt_is_read_into_its_parts(prompt: str, text: CardText) -> None:
    assert read_prompt(prompt) == text


@given(st.text(max_size=120))
def test_no_letter_of_a_prompt_is_lost(prompt: str) -> None:
    text = read_prompt(prompt)
    parts = "".join((text.label, text.title, text.body, text.footer))
    for char in set(prompt):
        if char.isalnum() and char.isascii():
            assert parts.count(char) == prompt.count(char)


def test_the_same_order_gives_the_same_bytes_and_another_seed_another_ground() -> None:
    order = PictureOrder(TITLE, 320, 184, 7, "dusk")
    first = CARDS.draw(order)
    assert first.png == CardBackend("other", {}).draw(order).png
    assert (first.backend, first.seed, first.cost_usd) == ("card", 7, 0.0)
    assert first.png != CARDS.draw(PictureOrder(TITLE, 320, 184, 8, "dusk")).png


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(320, 184), (184, 320), (200, 200)])
def test_letters_stand_in_the_safe_area(theme: str, size: tuple[int, int]) -> None:
    for prompt in (f"{TITLE} | Episode 1", "Scene 3: The storm | Wide shot, dusk. " + "Rain. " * 40):
        box = ink(draw(prompt, *size, theme=theme), theme)
        area = safe_area(*size)
        assert box is not None
        assert area.left <= box[0] < box[2] <= area.right
        assert area.top <= box[1] < box[3] <= area.bottom
        assert box[3] - box[1] > area.height * 0.2


@pytest.mark.parametrize("theme", THEMES)
def test_letters_can_be_read_wherever_they_stand(theme: str) -> None:
    """On the worst pixel of the safe area, whatever the seed."""
    look = THEMES[theme]
    for seed in range(4):
        for size in ((480, 272), (272, 480)):
            area = safe_area(*size)
            ground = paint_ground(look, *size, seed).crop((area.left, area.top, area.right, area.bottom))
            for name in (look.text, look.muted):
                worst = min(contrast(colour(name), pixel) for pixel in _extremes(ground))
                assert worst >= LEAST_CONTRAST, (seed, size, name, worst)


def _extremes(picture: Image.Image) -> list[Colour]:
    """Its darkest and its lightest pixel, weighed as luminance is."""
    pixels = np.asarray(picture, np.float64).reshape(-1, 3)
    weight = ((pixels / 255) ** 2.2) @ np.array([0.2126, 0.7152, 0.0722])
    rows = (pixels[weight.argmin()], pixels[weight.argmax()])
    return [(int(red), int(green), int(blue)) for red, green, blue in rows]


@needs_fribidi
def test_a_text_from_the_right_stands_at_the_right() -> None:
    right, left = (
        ink(draw("שלום", theme="contrast"), "contrast"),
        ink(draw("peace", theme="contrast"), "contrast"),
    )
    assert right is not None
    assert left is not None
    area = safe_area(320, 184)
    assert abs(right[2] - area.right) <= 2 < right[0] - area.left
    assert abs(left[0] - area.left) <= 2 < area.right - left[2]


def test_a_scene_has_its_number_and_a_title_has_not() -> None:
    scene, bare = (draw(prompt, theme="slate") for prompt in ("Scene 3: Storm", "Storm"))
    area = safe_area(320, 184)
    corner = (area.right - 60, area.bottom - 60, area.right, area.bottom)
    assert scene.crop(corner).tobytes() != bare.crop(corner).tobytes()


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 512), (512, 64)])
def test_the_smallest_pictures_are_drawn(width: int, height: int) -> None:
    assert ink(draw("Light | of the sea", width, height, theme="ink"), "ink") is not None


def test_a_page_of_text_ends_in_an_ellipsis_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        draw("word " * 700)
    assert [record.getMessage() for record in caplog.records] == [
        "A text of 3499 characters does not fit a card of 320 by 184 pixels; it ends in an ellipsis."
    ]


def test_symbols_without_a_font_are_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        with_symbol = draw("Light \U0001faa9")
    assert "No font here has the symbols \U0001faa9" in caplog.text
    assert with_symbol.tobytes() == draw("Light").tobytes()


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (PictureOrder("", 320, 184), "the prompt is empty"),
        (PictureOrder("a\0b", 320, 184), "NUL"),
        (PictureOrder("x" * 100_000, 320, 184), "100000 characters"),
        (PictureOrder("a", 63, 184), "width"),
        (PictureOrder("a", 320, 4104), "height"),
        (PictureOrder("a", 320, 184, -1), "seed"),
        (PictureOrder("|\u200b|", 320, 184), "no letter that can be seen"),
        (PictureOrder("a", 320, 184, 0, "nope"), "There is no theme 'nope'; there are: ink, dusk"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(order: PictureOrder, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        CARDS.draw(order)
    assert "\n" not in caught.value.message


def test_letters_that_no_font_has_are_named() -> None:
    with pytest.raises(MissingLetters, match="U\\+13000"):
        draw("bird 𓀀")


def test_a_theme_and_fonts_come_from_the_configuration(tmp_path: Path) -> None:
    own = tmp_path / "backends.toml"
    own.write_text('[bold]\nclass = "card"\ntheme = "signal"\n', encoding="utf-8")
    bold = open_backend("bold", PictureSettings(backends_file=own))
    order = PictureOrder("Light", 320, 184, 3)
    assert bold.draw(order).png == CARDS.draw(PictureOrder("Light", 320, 184, 3, "signal")).png
    own.write_text('[bold]\nclass = "card"\ntheme = "nope"\n', encoding="utf-8")
    with pytest.raises(BadInput, match="no theme 'nope'"):
        open_backend("bold", PictureSettings(backends_file=own))
    with_fonts = open_backend("card", PictureSettings(card_fonts=tmp_path / "none"))
    with pytest.raises(JobRunnerError, match="CARD_FONTS names"):
        with_fonts.draw(order)


@settings(max_examples=30)
@given(
    st.text(min_size=1, max_size=90),
    st.sampled_from([(64, 64), (160, 96), (96, 160), (256, 144)]),
    st.sampled_from(["contrast", "paper", "slate"]),
)
def test_any_prompt_becomes_a_card_inside_the_safe_area_or_is_refused(
    prompt: str, size: tuple[int, int], theme: str
) -> None:
    refused, picture = "", None
    try:
        picture = draw(prompt, *size, theme=theme)
    except BadInput as error:
        refused = error.message
    if picture is None:
        assert refused.isprintable()
        return
    box = ink(picture, theme)
    area = safe_area(*size)
    if box is not None:  # a box is None where there is room for no part, which is said
        assert area.left <= box[0] < box[2] <= area.right
        assert area.top <= box[1] < box[3] <= area.bottom
