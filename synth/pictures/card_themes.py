"""The looks of cards, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from synth.typeset.contrast import LEAST_CONTRAST, check_contrast, colour

_SANS: Final = ("Inter",)
_SERIF: Final = ("Source Serif 4", "Noto Serif")
_GROTESQUE: Final = ("Space Grotesk", "Inter")
USUAL_THEME: Final = "ink"


@dataclass(frozen=True, slots=True)
class CardTheme:
    """A card's colours (#rrggbb), fonts and where its letters stand.

    `base` and `base_end` are the ground at its top and bottom; `tones` are what its pattern is drawn with.
    """

    about: str
    pattern: Literal["glow", "hills", "paper", "rings", "blocks", "frame", "flat"]
    base: str
    base_end: str
    tones: tuple[str, ...]
    text: str
    muted: str
    accent: str
    title_fonts: tuple[str, ...] = _SANS
    body_fonts: tuple[str, ...] = _SANS
    title_weight: int = 700
    is_centred: bool = False
    stands: Literal["low", "middle", "high"] = "low"

    def __post_init__(self) -> None:
        """Raises `BadInput` where letters cannot be read on the ground: on its pattern a test looks."""
        for what, name in (("text", self.text), ("muted text", self.muted), ("accent", self.accent)):
            for ground in (self.base, self.base_end):
                check_contrast(f"The {what} of a theme", colour(name), colour(ground), LEAST_CONTRAST)


THEMES: Final[dict[str, CardTheme]] = {
    "ink": CardTheme(
        "dark blue with a soft light; the default",
        "glow", "#111a2e", "#070a13", ("#2f5488", "#184a58"), "#f5f2ea", "#b8c2d2", "#eab54f",
        title_weight=750,
    ),
    "dusk": CardTheme(
        "an evening sky over hills, with serifs",
        "hills", "#1b1433", "#6d2c3c", ("#a84a2a", "#4a2140", "#331838", "#1f102b"),
        "#fff3e4", "#f6e6dc", "#ffc07f",
        _SERIF, _SERIF, 600, stands="high",
    ),
    "paper": CardTheme(
        "warm paper with a fine frame, centred, with serifs",
        "paper", "#f6f0e4", "#f1e9da", ("#9c3b2e", "#d8cbb4"), "#26211c", "#5b5247", "#9a382c",
        _SERIF, _SERIF, 550, is_centred=True, stands="middle",
    ),
    "sage": CardTheme(
        "light green with rings",
        "rings", "#e9efe5", "#d7e2d5", ("#8fb09a", "#c6d6c5"), "#15301f", "#33493b", "#23603f",
    ),
    "ocean": CardTheme(
        "deep blue-green with rings",
        "rings", "#07293b", "#041a28", ("#246883", "#0b3a50"), "#eef8fb", "#c4dee8", "#5fd6ce",
    ),
    "signal": CardTheme(
        "bold yellow with round shapes, a grotesque",
        "blocks", "#f6c936", "#f3c127", ("#ffd95c", "#efb514", "#fbe08a"), "#17150f", "#463c14", "#8f1218",
        _GROTESQUE, _SANS, 700,
    ),
    "slate": CardTheme(
        "grey with the corners of a viewfinder, for storyboards",
        "frame", "#23272f", "#191c22", ("#5a6270", "#2c313a"), "#f3f4f6", "#b7bdc8", "#ffd166",
        title_weight=650, stands="high",
    ),
    "contrast": CardTheme(
        "white on black and nothing else, for whoever sees little",
        "flat", "#000000", "#000000", (), "#ffffff", "#ffffff", "#ffe14d",
    ),
}  # fmt: skip
