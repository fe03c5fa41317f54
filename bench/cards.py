"""How long cards and burned captions take to draw; and the sheet of them that the documentation shows.

    python -m bench.cards [--json] [--times 15]
    python -m bench.cards --sheet docs/images/cards.png

Milliseconds, the median: of a card of 1920 by 1080 in each theme, packed as PNG; of a caption of twelve words
at that size that was never drawn before, in letters that were (goal: under 10), and of one whose highlight
moves on by a word; beside them the first caption of a process, which opens its fonts.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from PIL import Image

from synth.pictures.backend import PictureOrder
from synth.pictures.card import CardBackend
from synth.pictures.card_grounds import paint_ground
from synth.pictures.card_themes import THEMES
from synth.typeset.caption_painter import CaptionPainter, CaptionStyle

_STORY: Final = (
    "the keeper climbed stairs to light lamp one last time before storm came over sea and took "
    "everything away from people of coast who had waited all winter for ships that never returned"
)
_PROMPT: Final = "The Keeper of the Last Light | A quiet history of the sea, told by those who kept it lit"
_SHEET: Final = (
    (_PROMPT, 1920, 1080, "ink"),
    ("The Long Way Home | Episode 4", 1920, 1080, "dusk"),
    ("What the Tide Leaves | Essays from the shore", 1920, 1080, "paper"),
    ("Scene 3: The storm comes in | Wide shot, dusk. The keeper climbs the spiral stair with a lamp in her "
     "hand; waves break over the gallery.", 1920, 1080, "slate"),
    ("Moss, Lichen, Fern | A field guide in nine walks", 1920, 1080, "sage"),
    ("How deep is the ocean? | Part one: light", 1920, 1080, "ocean"),
    ("Five things about bees | that nobody told you", 1920, 1080, "signal"),
    ("A lighthouse at dusk, waves breaking over the rocks, a single lamp in the window, gulls overhead, "
     "melancholy and quiet.", 1920, 1080, "ink"),
    ("Plain words | white on black", 1920, 1080, "contrast"),
    ("منارة الشاطئ الأخير | تاريخ هادئ للبحر يرويه من أبقوا مصابيحه مضيئة", 1080, 1920, "dusk"),
    ("最後の灯台守 | 百年の冬のあいだ灯りを守り続けた人々が語る、静かな海の物語。", 1080, 1920, "paper"),
    ("ประภาคารหลังสุดท้าย | เรื่องเล่าอันเงียบสงบของท้องทะเล", 1080, 1080, "signal"),
    ("המגדלור האחרון | היסטוריה שקטה של הים", 1080, 1080, "ocean"),
    ("अंतिम प्रकाशस्तंभ | समुद्र का एक शांत इतिहास", 1080, 1080, "ink"),
)  # fmt: skip


def milliseconds(work: Callable[[], object], times: int) -> float:
    """The median of some times."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(taken), 2)


def measure(times: int) -> dict[str, Any]:
    cards = CardBackend("card", {})
    cards.draw(PictureOrder(_PROMPT, 640, 360))
    found: dict[str, Any] = {}
    for theme in THEMES:
        found[f"card {theme}"] = milliseconds(
            partial(cards.draw, PictureOrder(_PROMPT, 1920, 1080, 7, theme)), 3
        )
    for style in (CaptionStyle(), CaptionStyle(look="box")):
        found |= _captions(style, times)
    return found


def _captions(style: CaptionStyle, times: int) -> dict[str, float]:
    painter, dice = CaptionPainter(1920, 1080, style), random.Random(1)
    words = _STORY.split(" ")
    first = " ".join(words[:12])
    found = {f"caption {style.look}, first": milliseconds(partial(painter.picture, first), 1)}
    for start in range(0, len(words), 10):
        painter.picture(" ".join(words[start : start + 12]))
    fresh = iter([" ".join(dice.sample(words, 12)) for _ in range(times)])
    found[f"caption {style.look}, new"] = milliseconds(lambda: painter.picture(next(fresh)), times)
    word = itertools.cycle(range(12))
    painter.picture(first)
    found[f"caption {style.look}, next word"] = milliseconds(
        lambda: painter.picture(first, next(word)), times
    )
    return found


def sheet(path: Path) -> None:
    """A contact sheet, small enough for a page."""
    cards = CardBackend("card", {})
    wide, gap = 320, 10
    canvas = Image.new("RGB", (3 * wide + 4 * gap, 3 * (180 + gap) + 336 + 2 * gap), "#ffffff")
    for number, (prompt, width, height, theme) in enumerate(_SHEET):
        picture = Image.open(io.BytesIO(cards.draw(PictureOrder(prompt, width, height, 11, theme)).png))
        small = picture.convert("RGB").resize(_small(width, height, wide), Image.Resampling.LANCZOS)
        canvas.paste(small, _corner(number, wide, gap))
    left, top = _corner(11, wide, gap)
    for look, above in (("outline", 193), ("box", 193 + 76)):
        strip = _captioned(look, canvas.width - gap - left)
        canvas.paste(strip.crop((0, strip.height - 67, strip.width, strip.height)), (left, top + above))
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=3).save(path, optimize=True)


def _captioned(look: str, wide: int) -> Image.Image:
    """A frame of a film with a caption."""
    style = CaptionStyle(look="outline" if look == "outline" else "box")
    painter = CaptionPainter(1920, 1080, style)
    frame = paint_ground(THEMES["dusk" if look == "outline" else "sage"], 1920, 1080, 5)
    said = painter.picture("She climbed the stairs with a lamp in her hand.", 6)
    frame.paste(said, painter.corner(said.size), said)
    return frame.resize((wide, wide * 9 // 16), Image.Resampling.LANCZOS)


def _small(width: int, height: int, wide: int) -> tuple[int, int]:
    return {True: (wide, 180), False: (189, 336) if height > width else (183, 183)}[width > height]


def _corner(number: int, wide: int, gap: int) -> tuple[int, int]:
    """Three rows of wide ones; below them the upright ones and the square ones."""
    if number < 9:
        return gap + number % 3 * (wide + gap), gap + number // 3 * (180 + gap)
    return gap + (number - 9) * 199, gap + 3 * (180 + gap)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--sheet", type=Path)
    told = parser.parse_args()
    if told.sheet:
        sheet(told.sheet)
        return
    found = measure(told.times)
    if told.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:36} {value:9.2f} ms")


if __name__ == "__main__":
    main()
