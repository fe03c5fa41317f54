"""Brings a picture to the size that was ordered, for models that know sizes of their own only."""

from __future__ import annotations

import io

from lib.errors import MissingExtra


def fitted(png: bytes, width: int, height: int) -> bytes:
    """`png`, scaled until it covers `width` x `height` pixels, its middle cut out. Same input, same bytes.

    Raises:
        MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError:
        raise MissingExtra("A picture of another size than the model draws", "images") from None
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        whole = ImageOps.fit(picture.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    whole.save(written, "PNG", compress_level=6)
    return written.getvalue()
