"""A list of pictures to draw (docs/reference/picture-orders.md), read with suspicion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lib.errors import BadInput
from lib.records.reading import Fields
from synth.order_file import read_order
from synth.pictures.backend import PictureOrder, check_order

FORMAT: Final = 1
_MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_PICTURES: Final = 10_000
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.png")
_KEYS: Final = ("file", "prompt", "card", "width", "height", "seed", "theme")


@dataclass(frozen=True, slots=True)
class OrderedPicture:
    """A picture and the name of its file. `card` is what a typeset picture says in place of the prompt."""

    file: str
    order: PictureOrder
    card: str = ""


def read_orders(path: Path) -> list[OrderedPicture]:
    """Read the file.

    Raises:
        BadInput: it cannot be read, or something in it is wrong; the sentence says what.
    """
    return read_order(
        path, _orders_of, called="list of pictures", page="picture-orders.md", form=FORMAT, most=_MOST_BYTES
    )


def _orders_of(fields: Fields) -> list[OrderedPicture]:
    fields.only(("format", "pictures"))
    items = fields.items("pictures")
    if not 0 < len(items) <= _MOST_PICTURES:
        fields.refuse("pictures", f"must be a list of 1 to {_MOST_PICTURES}")
    found: dict[str, OrderedPicture] = {}
    for at, item in enumerate(items):
        where = f"pictures[{at}]"
        picture = _picture_of(item, where)
        if picture.file in found:
            Fields(item, where).refuse("file", f"is {picture.file}, which stands before already")
        found[picture.file] = picture
    return list(found.values())


def _picture_of(item: Any, where: str) -> OrderedPicture:
    fields = Fields(item, where).only(_KEYS)
    name = fields.text("file")
    if not _NAME.fullmatch(name):
        fields.refuse("file", "must be a name of letters, digits, '.', '_' and '-' that ends in .png")
    order = PictureOrder(
        prompt=fields.text("prompt"),
        width=fields.whole("width"),
        height=fields.whole("height"),
        seed=fields.whole("seed") if fields.has("seed") else 0,
        theme=fields.text("theme", ""),
    )
    card = fields.text("card", "")
    for text in (order.prompt, card or order.prompt):
        try:
            check_order(PictureOrder(text, order.width, order.height, order.seed))
        except BadInput as error:
            raise ValueError(f"its {where}: {error.message}") from None
    return OrderedPicture(name, order, card)
