"""Captions as they are burned in: drawn once, laid over every frame that has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from synth.video.pictures import PlaneImage, Planes, planes_of
from synth.video.pieces import ShownCaption

_MARGIN: Final = 0.06  # of the height, under the caption: players lay their own bar there


@dataclass(frozen=True, slots=True)
class CaptionPlate:
    """A drawn caption: its planes, how opaque it is (`mask`, and `half` for chroma), and its upper left."""

    planes: Planes
    mask: PlaneImage
    half: PlaneImage
    left: int
    top: int

    def over(self, frame: Planes) -> Planes:
        """The frame with it; the frame itself is left alone."""
        found = Planes(frame.luma.copy(), frame.blue.copy(), frame.red.copy())
        found.luma.paste(self.planes.luma, (self.left, self.top), self.mask)
        small = (self.left // 2, self.top // 2)
        found.blue.paste(self.planes.blue, small, self.half)
        found.red.paste(self.planes.red, small, self.half)
        return found


class CaptionDrawer:
    """Draws captions for frames of one size, each only once while it is shown."""

    def __init__(self, width: int, height: int, theme: str) -> None:
        self._size, self._theme = (width, height), theme
        self._last: tuple[tuple[str, int | None], CaptionPlate] | None = None

    def plate(self, caption: ShownCaption) -> CaptionPlate:
        """The plate of a caption."""
        known = (caption.text, caption.word)
        if self._last is None or self._last[0] != known:
            self._last = (known, self._drawn(*known))
        return self._last[1]

    def _drawn(self, text: str, word: int | None) -> CaptionPlate:
        width, height = self._size
        box = caption_picture(text, width, height, self._theme, word)
        # Chroma is half as fine, so the plate stands on even pixels and has even sides.
        even = Image.new("RGBA", (box.width + box.width % 2, box.height + box.height % 2))
        even.paste(box)
        left = (width - even.width) // 4 * 2
        top = (height - even.height - round(height * _MARGIN)) // 2 * 2
        mask = even.getchannel("A")
        ground = Image.new("RGB", even.size)
        ground.paste(even.convert("RGB"))
        return CaptionPlate(planes_of(ground), mask, mask.reduce(2), max(left, 0), max(top, 0))


def caption_picture(text: str, width: int, height: int, theme: str, word: int | None = None) -> Image.Image:
    """The caption's box for a frame of that size, as RGBA, at most as wide as the safe area."""
    size = max(round(min(width, height) * 0.045), 9)
    font = ImageFont.load_default(size)
    room = round(width * 0.86)
    lines: list[list[str]] = [[]]
    for each in text.split():
        if lines[-1] and font.getlength(" ".join([*lines[-1], each])) > room:
            lines.append([])
        lines[-1].append(each)
    pad, step = round(size * 0.5), round(size * 1.3)
    wide = max(round(max(font.getlength(" ".join(line)) for line in lines)) + 2 * pad, 2)
    box = Image.new("RGBA", (min(wide, width), step * len(lines) + 2 * pad))
    pen = ImageDraw.Draw(box)
    pen.rounded_rectangle((0, 0, box.width - 1, box.height - 1), radius=pad, fill=(0, 0, 0, 170))
    number = 0
    for row, line in enumerate(lines):
        left = (box.width - font.getlength(" ".join(line))) / 2
        for each in line:
            colour = (255, 214, 90, 255) if number == word else (255, 255, 255, 255)
            pen.text((left, pad + row * step), each, font=font, fill=colour)
            left += font.getlength(each + " ")
            number += 1
    return box
