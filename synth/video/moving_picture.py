"""A picture that a frame shows any part of, to a fraction of a pixel."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synth.video.pictures import PlaneImage, Planes, planes_of

#: The luma is kept twice as fine: between such pixels a straight line is as good as a cubic curve between the
#: picture's own, in a sixth of its time.
_FINE: Final = 2
_MOST_FINE_PIXELS: Final = 64_000_000

# Pieces are drawn side by side, a thread for each: threads of OpenCV's own would be in their way.
cv2.setNumThreads(1)


class MovingPicture:
    """The planes of an RGB picture whose sides are even, which can be framed again and again."""

    def __init__(self, picture: Image.Image) -> None:
        planes = planes_of(picture)
        self._planes = planes
        self.size: tuple[int, int] = planes.luma.size
        wide, high = self.size
        self._fine = _FINE if wide * high * _FINE**2 <= _MOST_FINE_PIXELS else 1
        fine = planes.luma.resize((wide * self._fine, high * self._fine), Image.Resampling.LANCZOS)
        self._luma, self._blue, self._red = (np.asarray(each) for each in (fine, planes.blue, planes.red))

    def framed(self, box: tuple[float, float, float, float], width: int, height: int) -> Planes:
        """What the box (left, top, right, bottom in pixels, to fractions) shows, at that size."""
        if self.size == (width, height) and box == (0.0, 0.0, float(width), float(height)):
            return self._planes
        small = (width // 2, height // 2)
        return Planes(
            _shown(self._luma, box, self._fine, (width, height)),
            _shown(self._blue, box, 0.5, small),
            _shown(self._red, box, 0.5, small),
        )


def _shown(
    plane: NDArray[np.uint8], box: tuple[float, float, float, float], scale: float, size: tuple[int, int]
) -> PlaneImage:
    """The box of a plane that is `scale` times as fine as its pixels; beyond an edge all is as the edge."""
    left, top, right, bottom = (side * scale for side in box)
    across, down = (right - left) / size[0], (bottom - top) / size[1]
    # The middle of a pixel is half a pixel from its side, here and there.
    where = np.array([[across, 0.0, left + across / 2 - 0.5], [0.0, down, top + down / 2 - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shown = cv2.warpAffine(plane, where, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return Image.fromarray(shown)
