"""Captions drawn into pictures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib.errors import BadInput
from synth.typeset.caption_painter import USUAL_STYLE, CaptionPainter, CaptionStyle
from synth.typeset.contrast import colour, contrast
from synth.typeset.letters import plain, visible
from synth.typeset.safe_area import safe_area
from synth.typeset.text_block import TooMuchText
from tests.unit.synth.typeset.fribidi import needs_fribidi

SHAPES = [(640, 360), (360, 640), (400, 400)]
PAINTERS = {
    (shape, look): CaptionPainter(
        *shape, CaptionStyle(look="box" if look == "box" else "outline", system_fonts=False)
    )
    for shape in SHAPES
    for look in ("outline", "box")
}
WIDE = PAINTERS[(640, 360), "outline"]
TEXT = "The keeper climbed the stairs to light the lamp, one last time."


def of_colour(picture: Image.Image, name: str) -> tuple[int, int, int, int] | None:
    """Where a picture has that colour, opaque."""
    red, green, blue, alpha = picture.split()
    same = None
    for band, value in zip((red, green, blue, alpha), (*colour(name), 255), strict=True):
        hit = band.point([255 if level == value else 0 for level in range(256)])
        same = hit if same is None else Image.composite(hit, Image.new("L", hit.size), same)
    return same.getbbox() if same else None


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("look", ["outline", "box"])
def test_a_caption_stands_low_in_the_middle_of_the_safe_area(shape: tuple[int, int], look: str) -> None:
    painter = PAINTERS[shape, look]
    picture = painter.picture(TEXT)
    left, top = painter.corner(picture.size)
    area = safe_area(*shape)
    assert picture.mode == "RGBA"
    assert area.left <= left
    assert left + picture.width <= area.right
    assert abs(2 * left + picture.width - shape[0]) <= 1
    assert top + picture.height == area.bottom


def test_places_are_the_styles() -> None:
    for place, top in (("top", safe_area(640, 360).top), ("middle", 160)):
        painter = CaptionPainter(640, 360, CaptionStyle(place="top" if place == "top" else "middle"))
        assert painter.corner((100, 40)) == (270, top)


def test_an_outline_ends_in_nothing_and_a_box_has_ground_to_its_edge() -> None:
    outlined, boxed = WIDE.picture(TEXT), PAINTERS[(640, 360), "box"].picture(TEXT)
    assert outlined.getchannel("A").getpixel((outlined.width // 2, 0)) == 0
    middle = boxed.getpixel((boxed.width // 2, 1))
    assert middle == (*colour(USUAL_STYLE.ground), round(255 * 0.82))
    assert boxed.getchannel("A").getpixel((0, 0)) == 0  # a round corner


def test_letters_of_a_box_are_opaque_whether_one_is_said_or_not() -> None:
    for word in (None, 1):
        assert of_colour(PAINTERS[(640, 360), "box"].picture(TEXT, word), USUAL_STYLE.letters) is not None


def test_letters_have_no_dark_fringe() -> None:
    """Straight alpha: ink that is half there has the colour of letter and outline alone, between the two."""
    ground, letters = colour(USUAL_STYLE.ground), colour(USUAL_STYLE.letters)
    picture = WIDE.picture("I").convert("RGB")
    for band, low, high in zip(picture.getextrema(), ground, letters, strict=True):
        assert isinstance(band, tuple)
        assert low <= band[0] <= band[1] <= high


class TestTheWordThatIsSaid:
    def test_is_in_another_colour_where_it_stands(self) -> None:
        assert of_colour(WIDE.picture(TEXT), USUAL_STYLE.highlight) is None
        boxes = [of_colour(WIDE.picture(TEXT, number), USUAL_STYLE.highlight) for number in range(12)]
        assert all(boxes)
        first_line = [box for box in boxes if box and box[1] < 20]
        lefts = [box[0] for box in first_line]
        assert lefts == sorted(lefts)
        assert 3 < len(lefts) < 12
        assert len({picture.size for picture in (WIDE.picture(TEXT, 1), WIDE.picture(TEXT, 9))}) == 1

    def test_and_the_others_keep_theirs(self) -> None:
        without, lit = WIDE.picture(TEXT), WIDE.picture(TEXT, 4)
        box = of_colour(lit, USUAL_STYLE.highlight)
        assert box is not None
        assert without.getchannel("A").tobytes() == lit.getchannel("A").tobytes()
        right = (box[2] + 3, 0, lit.width, lit.height)
        assert without.crop(right).tobytes() == lit.crop(right).tobytes()

    def test_has_nothing_of_the_other_colour_at_its_edges(self) -> None:
        lit = WIDE.picture(TEXT, 4)
        box = of_colour(lit, USUAL_STYLE.highlight)
        assert box is not None
        assert lit.crop(box).getchannel("B").getextrema() == (colour(USUAL_STYLE.ground)[2], 0x4D)

    def test_may_be_a_stretch_of_a_script_without_blanks(self) -> None:
        text = "吾輩は猫である"
        boxes = [
            of_colour(WIDE.picture(text, span), USUAL_STYLE.highlight) for span in ((0, 2), (3, 4), (4, 7))
        ]
        edges = [edge for box in boxes if box for edge in (box[0], box[2])]
        assert len(edges) == 6
        assert edges == sorted(edges)

    @needs_fribidi
    def test_moves_from_the_right_where_the_script_does(self) -> None:
        boxes = [
            of_colour(WIDE.picture("מגדלור על החוף", number), USUAL_STYLE.highlight) for number in range(3)
        ]
        lefts = [box[0] for box in boxes if box]
        assert lefts == sorted(lefts, reverse=True)
        assert len(lefts) == 3

    def test_is_counted_with_symbols_that_no_font_has(self) -> None:
        assert WIDE.left_out("go \U0001faa9 now") == ("\U0001faa9",)
        lit, plainly = WIDE.picture("go \U0001faa9 now", 2), WIDE.picture("go now", 1)
        assert lit.tobytes() == plainly.tobytes()

    def test_that_is_not_there_lights_nothing(self) -> None:
        assert WIDE.picture(TEXT, 99).tobytes() == WIDE.picture(TEXT).tobytes()


def test_captions_of_one_line_stand_on_one_height() -> None:
    assert WIDE.picture("moon").size[1] == WIDE.picture("fly").size[1]


class TestTooMuch:
    def test_is_refused_rather_than_cut(self) -> None:
        with pytest.raises(TooMuchText, match="does not fit"):
            WIDE.picture("word " * 60)

    def test_and_cut_into_captions_on_request(self) -> None:
        parts = WIDE.parts("word " * 60)
        assert len(parts) > 2
        assert " ".join(parts).split() == ["word"] * 60
        for part in parts:
            WIDE.picture(part)

    @pytest.mark.parametrize("text", ["", " \n", "\x07", "x" * 1001])
    def test_or_nothing_at_all(self, text: str) -> None:
        with pytest.raises(BadInput, match="A caption"):
            WIDE.picture(text)


class TestAStyle:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"letters": "#333333"},
            {"highlight": "#101010"},
            {"ground": "white"},
            {"size": 0.5},
            {"box_opacity": 0.1},
        ],
    )
    def test_that_cannot_be_read_is_refused(self, wrong: dict[str, str | float]) -> None:
        with pytest.raises(BadInput):
            CaptionStyle(**wrong)  # type: ignore[arg-type] # what a file says is of any type

    def test_contrast_is_that_of_the_guideline(self) -> None:
        assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
        assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=70), st.sampled_from(sorted(PAINTERS)), st.none() | st.integers(0, 5))
@needs_fribidi
def test_any_text_is_drawn_inside_the_safe_area_or_refused_by_name(
    text: str, which: tuple[tuple[int, int], str], word: int | None
) -> None:
    painter = PAINTERS[which]
    refused, picture = "", None
    try:
        picture = painter.picture(text, word)
    except BadInput as error:
        refused = error.message
    if picture is None:
        assert refused.isprintable()
        return
    left, top = painter.corner(picture.size)
    area = safe_area(*which[0])
    assert area.left <= left
    assert area.top <= top
    assert left + picture.width <= area.right
    assert visible(plain(text)).strip()
