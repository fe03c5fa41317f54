"""Draws and looks at what came: nobody gets anything but a whole PNG of the size that was ordered."""

from __future__ import annotations

from lib.png import NotPng, check_png
from synth.pictures.backend import BackendUnavailable, Picture, PictureBackend, PictureOrder, check_order


class UnfitPicture(BackendUnavailable):
    """A backend returned something that is not the picture that was ordered; it may have cost money."""


def draw_checked(backend: PictureBackend, order: PictureOrder) -> Picture:
    """Draw one picture; blocks as long as the backend does.

    Raises:
        BadOrder, BackendUnavailable, lib.errors.BadConfiguration: as PictureBackend.draw.
        UnfitPicture: what came is no PNG, or of another size.
    """
    check_order(order)
    picture = backend.draw(order)
    try:
        size = check_png(picture.png)
    except NotPng as error:
        raise UnfitPicture(
            f"The backend {backend.name} gave no picture: it {error}.", picture.cost_usd
        ) from None
    if size != (order.width, order.height):
        raise UnfitPicture(
            f"The backend {backend.name} gave a picture of {size[0]} x {size[1]} pixels; "
            f"{order.width} x {order.height} were ordered.",
            picture.cost_usd,
        )
    return picture
