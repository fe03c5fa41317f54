"""Orders, names and the test picture."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.errors import BadConfiguration, UsageError
from lib.picture_backends.names import CLASSES, PictureSettings, UnknownBackend, configured
from lib.png import check_png
from synth.pictures.backend import BadOrder, Picture, PictureOrder, check_order
from synth.pictures.checked import UnfitPicture, draw_checked
from synth.pictures.mock import MockBackend
from synth.pictures.open_backend import check_takes_preset, open_backend
from synth.pictures.presets import PRESETS, with_preset

ORDER = PictureOrder("A lighthouse in the fog.", 128, 64, seed=3)


# --- orders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order",
    [
        PictureOrder("x", 64, 4096, 0),
        PictureOrder("x" * 4000, 4096, 64, 2**32 - 1),
        PictureOrder("東京 🗼\n", 72, 72),
    ],
)
def test_an_order_at_the_bounds_is_taken(order: PictureOrder) -> None:
    """I1."""
    check_order(order)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (PictureOrder("x", 56, 64), "width of a picture must be 64 to 4096"),
        (PictureOrder("x", 4104, 64), "width"),
        (PictureOrder("x", 65, 64), "multiple of 8; not 65"),
        (PictureOrder("x", 64, 0), "height"),
        (PictureOrder("x", 64, -64), "height"),
        (PictureOrder("", 64, 64), "empty"),
        (PictureOrder(" \n\t", 64, 64), "empty"),
        (PictureOrder("a\0b", 64, 64), "NUL"),
        (PictureOrder("a" * 4001, 64, 64), "4001 characters but may have at most 4000"),
        (PictureOrder("a" * 100_000, 64, 64), "100000 characters"),
        (PictureOrder("a\ud800", 64, 64), "surrogate"),
        (PictureOrder("x", 64, 64, -1), "seed"),
        (PictureOrder("x", 64, 64, 2**32), "seed"),
    ],
)
def test_an_order_out_of_bounds_is_refused_in_one_line(order: PictureOrder, words: str) -> None:
    """I1."""
    with pytest.raises(BadOrder, match=words) as caught:
        MockBackend("mock").draw(order)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200


# --- the test picture -----------------------------------------------------------------------------


def test_the_same_order_is_the_same_picture_byte_for_byte() -> None:
    """I1."""
    first, again = (MockBackend("mock").draw(ORDER) for _ in range(2))
    assert first.png == again.png
    assert check_png(first.png) == (first.width, first.height) == (128, 64)
    assert (first.backend, first.seed, first.cost_usd) == ("mock", 3, 0.0)


@pytest.mark.parametrize(
    "other",
    [
        PictureOrder("Another.", 128, 64, seed=3),
        PictureOrder(ORDER.prompt, 128, 64, seed=4),
        PictureOrder(ORDER.prompt, 128, 72, seed=3),
        PictureOrder(ORDER.prompt, 128, 64, seed=3, theme="dark"),
    ],
)
def test_another_order_is_another_picture(other: PictureOrder) -> None:
    """I1."""
    assert MockBackend("mock").draw(other).png != MockBackend("mock").draw(ORDER).png


def test_the_prompt_stands_in_the_picture() -> None:
    """I1: whoever looks for what a picture was made from finds it."""
    assert "Föhr 東京".encode() in MockBackend("mock").draw(PictureOrder("Föhr 東京", 64, 64)).png


# --- names ----------------------------------------------------------------------------------------


def test_the_shipped_names_are_there() -> None:
    """I1."""
    assert sorted(configured(PictureSettings())) == [
        "card",
        "flux-dev-replicate",
        "flux-schnell-local",
        "mock",
    ]


def test_an_unknown_name_is_said_with_the_list() -> None:
    """I1."""
    with pytest.raises(UnknownBackend) as caught:
        open_backend("moc", PictureSettings())
    assert caught.value.message == (
        "There is no picture backend 'moc'; there are: card, flux-dev-replicate, flux-schnell-local, mock. "
        "Did you mean mock?"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "picture-backends.toml"


def test_a_file_adds_names_and_stands_before_the_shipped_ones(file: Path) -> None:
    """I1."""
    file.write_text(
        '[test]\nclass = "mock"\n'
        '[flux-dev-local]\nclass = "diffusers"\nmodel = "/srv/flux"\nsteps = 28\nguidance = 3\n'
        '[flux-dev-replicate]\nclass = "replicate"\nmodel = "me/mine"\nusd_per_picture = 0.01\n'
    )
    settings = PictureSettings(backends_file=file)

    assert {"test", "flux-dev-local", "mock"} <= set(configured(settings))
    assert open_backend("test", settings).draw(ORDER).backend == "test"
    assert configured(settings)["flux-dev-replicate"]["model"] == "me/mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[x", "is no TOML"),
        ("x = 1", r"\[x\] must be a table"),
        ("[x]", "class must be one of"),
        ('[x]\nclass = "magic"', "class must be one of mock, card, diffusers, replicate; not 'magic'"),
        ("[x]\nclass = [1]", "class must be one of"),
        ('["X Y"]\nclass = "mock"', "a name is made of"),
        ('[x]\nclass = "mock"\nsteps = 1', "the class mock has no option 'steps'; it has: none"),
        ('[x]\nclass = "replicate"\ntoken = "secret"', "has no option 'token'"),
        ('[x]\nclass = "replicate"\nsteps = 1.5', "steps must be a whole number"),
        ('[x]\nclass = "replicate"\nsteps = true', "steps must be a whole number"),
        ('[x]\nclass = "replicate"\nwithin_s = nan', "within_s must be a number from 0"),
        ('[x]\nclass = "replicate"\nwithin_s = -1', "within_s must be a number from 0"),
        ('[x]\nclass = "card"\nsystem_fonts = 1', "system_fonts must be true or false"),
        ('[x]\nclass = "replicate"\nmodel = 3', "model must be a text"),
    ],
)
def test_a_file_that_breaks_a_rule_is_said_in_one_line(file: Path, text: str, words: str) -> None:
    """I1."""
    file.write_text(text)
    with pytest.raises(BadConfiguration, match=words) as caught:
        open_backend("mock", PictureSettings(backends_file=file))
    assert "\n" not in caught.value.message
    assert str(file) in caught.value.message


@pytest.mark.parametrize("kind", ["folder", "pipe", "large", "bytes"])
def test_a_file_that_is_none_is_said_and_nothing_waits_for_it(file: Path, kind: str) -> None:
    """I1."""
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.write_bytes(b"#" * 70_000 if kind == "large" else b"\xff\xfe")
    with pytest.raises(BadConfiguration, match=str(file)):
        open_backend("mock", PictureSettings(backends_file=file))


def test_every_class_can_be_told_what_its_docstring_says() -> None:
    """I1: the options that docs/reference/image-synth.md lists."""
    page = (Path(__file__).parents[4] / "docs/reference/image-synth.md").read_text(encoding="utf-8")
    for name, about in CLASSES.items():
        assert f"`{name}`" in page
        assert all(f"`{option}`" in page for option in about.options)


# --- presets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "joined"), [("A harbour", "A harbour. "), ("Fog! ", "Fog! "), ("x.", "x. ")]
)
def test_a_preset_follows_the_prompt(prompt: str, joined: str) -> None:
    """I1."""
    assert with_preset(prompt, "photo") == joined + PRESETS["photo"]
    assert with_preset(prompt, None) == prompt


def test_an_empty_prompt_stays_empty_with_a_preset() -> None:
    """I1: nobody gets a picture of the preset."""
    assert with_preset("  ", "photo") == ""


def test_an_unknown_preset_is_said_with_the_list() -> None:
    """I1."""
    with pytest.raises(UsageError, match="there are: photo, illustration, storyboard"):
        with_preset("x", "phto")


def test_a_backend_that_sets_text_takes_no_preset() -> None:
    """I1: its words would stand on the card."""
    check_takes_preset("mock", PictureSettings())
    with pytest.raises(UsageError, match="card sets the prompt as text"):
        check_takes_preset("card", PictureSettings())


def test_the_presets_stand_on_their_page() -> None:
    """I1."""
    page = (Path(__file__).parents[4] / "docs/reference/image-synth.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | {words} |" in page for name, words in PRESETS.items())


# --- what comes back ------------------------------------------------------------------------------


class Returning:
    """A backend that returns whatever it is told."""

    name = "odd"

    def __init__(self, png: bytes) -> None:
        self.png = png

    def draw(self, order: PictureOrder) -> Picture:
        return Picture(self.png, order.width, order.height, order.seed, self.name, cost_usd=0.5)

    def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("png", "words"),
    [
        (b"GIF89a", "odd gave no picture: it is no PNG"),
        (MockBackend("mock").draw(ORDER).png[:-20], "odd gave no picture: it is cut off"),
        (MockBackend("mock").draw(PictureOrder("x", 64, 64)).png, "64 x 64 pixels; 128 x 64 were ordered"),
    ],
)
def test_what_is_no_picture_of_that_size_is_refused_with_its_price(png: bytes, words: str) -> None:
    """I1."""
    with pytest.raises(UnfitPicture, match=words) as caught:
        draw_checked(Returning(png), ORDER)
    assert caught.value.spent_usd == 0.5
