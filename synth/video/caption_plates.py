"""Captions as they are burned in: drawn once, laid over every frame that has them."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from synth.typeset.caption_painter import CaptionPainter, CaptionStyle
from synth.video.pictures import PlaneImage, Planes, planes_of
from synth.video.pieces import ShownCaption


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

    def __init__(self, width: int, height: int, style: CaptionStyle) -> None:
        self._painter = CaptionPainter(width, height, style)
        self._last: tuple[tuple[str, int | None], CaptionPlate] | None = None

    def plate(self, caption: ShownCaption) -> CaptionPlate:
        """The plate of a caption."""
        known = (caption.text, caption.word)
        if self._last is None or self._last[0] != known:
            self._last = (known, self._drawn(*known))
        return self._last[1]

    def _drawn(self, text: str, word: int | None) -> CaptionPlate:
        box = self._painter.picture(text, word)
        # Chroma is half as fine, so the plate stands on even pixels and has even sides.
        left, top = (max(side // 2 * 2, 0) for side in self._painter.corner(box.size))
        width, height = (side + side % 2 for side in box.size)
        mask = Image.new("L", (width, height))
        mask.paste(box.getchannel("A"))
        ground = Image.new("RGB", (width, height), self._painter.style.ground)
        ground.paste(box.convert("RGB"))
        return CaptionPlate(planes_of(ground), mask, mask.reduce(2), left, top)
