"""Pictures of scenes: looked at with suspicion, and laid out for a frame as planes of luma and chroma."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from PIL import Image, ImageFilter, ImageOps

from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.units import MIB

MOST_BYTES: Final = 64 * MIB
_MOST_SIDE: Final = 12_000  # pixels; what is larger takes a gigabyte to look at
_MOST_PIXELS: Final = 64_000_000
_KINDS: Final = ("PNG", "JPEG", "WEBP")
_BEHIND: Final = (12, 14, 18)  # shows through pictures that are not opaque
_DIMMED: Final = 0.45  # how bright the blurred picture behind a whole one is
_BLUR: Final = 64  # pixels that the blurred one is made small to
#: RGB to luma and chroma of BT.709 in the range of video. Source: ITU-R BT.709-6, items 3.2 to 3.5.
_LUMA: Final = (0.18259, 0.61423, 0.06201, 16.0)
_BLUE: Final = (-0.10064, -0.33857, 0.43922, 128.0)
_RED: Final = (0.43922, -0.39894, -0.04027, 128.0)

PlaneImage: TypeAlias = Image.Image  # one number of 8 bits a pixel, Pillow's mode L


class UnusablePicture(BadInput):
    """A scene's picture is missing, no picture, damaged, or too large."""


@dataclass(frozen=True, slots=True)
class Planes:
    """A picture as video has it: `luma` (height, width), `blue` and `red` half as wide and high."""

    luma: PlaneImage
    blue: PlaneImage
    red: PlaneImage

    def blended(self, other: Planes, share: float) -> Planes:
        """`share` of the other one, 0 to 1, over this."""
        return Planes(
            Image.blend(self.luma, other.luma, share),
            Image.blend(self.blue, other.blue, share),
            Image.blend(self.red, other.red, share),
        )


def planes_of(picture: Image.Image) -> Planes:
    """The planes of an RGB picture whose sides are even."""
    blue, red = (picture.convert("L", weights).reduce(2) for weights in (_BLUE, _RED))
    return Planes(picture.convert("L", _LUMA), blue, red)


def read_picture(path: Path) -> bytes:
    """The bytes of a picture whose header is sound; it is not decoded.

    Raises:
        UnusablePicture: the sentence says what is wrong.
    """
    try:
        data = read_plain(path, MOST_BYTES, follow=True)
    except FileNotFoundError:
        raise UnusablePicture(f"The picture {path} is missing: there is no such file.") from None
    except NotPlain:
        raise UnusablePicture(f"The picture {path} is no file; name a PNG, JPEG or WebP.") from None
    except OSError as error:
        raise UnusablePicture(f"The picture {path} cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise UnusablePicture(f"The picture {path} is larger than {MOST_BYTES // MIB} MiB; make it smaller.")
    width, height = _opened(path, data).size
    if max(width, height) > _MOST_SIDE or width * height > _MOST_PIXELS:
        raise UnusablePicture(
            f"The picture {path} says that it is {width} by {height} pixels, and at most "
            f"{_MOST_PIXELS // 1_000_000} million are decoded; make it smaller."
        )
    if min(width, height) < 2:
        raise UnusablePicture(f"The picture {path} is {width} by {height} pixels; that shows nothing.")
    return data


def laid_out(path: Path, data: bytes, width: int, height: int, fit: str) -> Image.Image:
    """The picture as an RGB picture of that size: `cover` fills it, `contain` shows the whole.

    Raises:
        UnusablePicture: it is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about facts beside the picture that are damaged
            found = _opened(path, data)
            found.load()
            picture = _opaque(ImageOps.exif_transpose(found))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnusablePicture(f"The picture {path} is damaged ({_why(error)}); save it anew.") from None
    size = (width, height)
    if fit == "cover" or picture.width * height == picture.height * width:
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    whole = ImageOps.contain(picture, size, Image.Resampling.LANCZOS)
    behind = _behind(picture, size)
    behind.paste(whole, ((width - whole.width) // 2, (height - whole.height) // 2))
    return behind


def _opened(path: Path, data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its size is judged by `read_picture`
            return Image.open(io.BytesIO(data), formats=_KINDS)
    except Image.DecompressionBombError:
        raise UnusablePicture(
            f"The picture {path} says that it is larger than can be decoded; make it smaller."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError):
        raise UnusablePicture(f"The picture {path} is no picture; save it as PNG, JPEG or WebP.") from None


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # sixteen bits of grey
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        full = picture.convert("RGBA")
        ground = Image.new("RGBA", full.size, (*_BEHIND, 255))
        return Image.alpha_composite(ground, full).convert("RGB")
    return picture.convert("RGB")


def _behind(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture so blurred and dark that it is ground only."""
    share = _BLUR / max(size)
    tiny = ImageOps.fit(picture, (max(round(size[0] * share), 1), max(round(size[1] * share), 1)))
    blurred: Any = tiny.filter(ImageFilter.GaussianBlur(3)).point(lambda value: value * _DIMMED)
    behind: Image.Image = blurred.resize(size, Image.Resampling.BICUBIC)
    return behind


def _why(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:80] or type(error).__name__
