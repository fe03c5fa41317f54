"""Draws a list of pictures in one process; what was drawn before and still fits is not drawn again.

Beside the pictures lies `.drawn`: each picture once more under the sha256 of all that it depends on, with
what is known of it. A picture that moves to another place of the list, or was lost, is taken from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from lib.errors import BadConfiguration, TryAgain
from lib.files import draft_beside, replace_whole, sweep_drafts, take_folder_lock, write_whole
from lib.foreign import parse_json
from synth.pictures.backend import PictureBackend, PictureOrder
from synth.pictures.order_file import OrderedPicture
from synth.pictures.recorded import RecordedDrawing

_KEPT: Final = ".drawn"

#: Told how many pictures are there, of how many; may raise what is to end the work.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ListedPicture:
    """One picture of the list, as it lies there. `drawn`: now, and not some time before."""

    file: str
    bytes: int
    sha256: str
    width: int
    height: int
    seed: int
    model: str
    seconds: float
    cost_usd: float | None
    drawn: bool

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Drawer:
    """Who draws: the backend, and what its name stands for, as the pictures depend on it."""

    backend: PictureBackend
    facts: Mapping[str, Any]  # class and options
    drawing: RecordedDrawing

    def shown(self, picture: OrderedPicture) -> PictureOrder:
        """What is really ordered: a card says the words that are meant for it."""
        if picture.card and self.facts.get("class") == "card":
            return replace(picture.order, prompt=picture.card)
        return picture.order

    def key(self, picture: OrderedPicture) -> str:
        """What tells this picture from every other one, 64 hexadecimal digits."""
        text = json.dumps([1, dict(self.facts), asdict(self.shown(picture))], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def draw_pictures(
    orders: Sequence[OrderedPicture], folder: Path, drawer: Drawer, progress: Progress
) -> list[ListedPicture]:
    """Have every picture of the list in `folder`, in its order; one after the other.

    Raises:
        BackendUnavailable: it does not answer, or gave no picture; those before it stay.
        BadOrder: it will not draw one.
        TryAgain: another one draws into this folder.
        BadConfiguration: the folder cannot be written.
    """
    try:
        kept = folder / _KEPT
        kept.mkdir(parents=True, exist_ok=True)
        lock = take_folder_lock(kept)
        if lock is None:
            raise TryAgain(f"Another image-synth draws into {folder}; wait for its end.")
        try:
            sweep_drafts(folder)
            sweep_drafts(kept)
            return _all_drawn(orders, folder, drawer, progress)
        finally:
            os.close(lock)
    except OSError as error:
        raise BadConfiguration(f"{folder} cannot be written: {error.strerror or error}.") from None


def _all_drawn(
    orders: Sequence[OrderedPicture], folder: Path, drawer: Drawer, progress: Progress
) -> list[ListedPicture]:
    found, keys = [], set[str]()
    for number, picture in enumerate(orders):
        progress(number, len(orders))
        key = drawer.key(picture)
        keys.add(key)
        drawn = _kept_picture(folder / _KEPT, key, picture.file)
        if drawn is None:
            drawn = _drawn_picture(folder / _KEPT, key, picture, drawer)
        _publish(folder / _KEPT / f"{key}.png", folder / picture.file, drawn)
        found.append(drawn)
    progress(len(orders), len(orders))
    for path in (folder / _KEPT).iterdir():
        if path.suffix in (".png", ".json") and path.stem not in keys:
            path.unlink(missing_ok=True)
    return found


def _kept_picture(kept: Path, key: str, file: str) -> ListedPicture | None:
    """What was drawn for this key, if it is whole."""
    try:
        known = parse_json((kept / f"{key}.json").read_bytes())
        drawn = ListedPicture(**{**known, "file": file, "drawn": False})
        data = (kept / f"{key}.png").read_bytes()
    except (OSError, ValueError, TypeError):
        return None
    return drawn if hashlib.sha256(data).hexdigest() == drawn.sha256 else None


def _drawn_picture(kept: Path, key: str, picture: OrderedPicture, drawer: Drawer) -> ListedPicture:
    """Draw it, and keep it; what is known of it is written last."""
    order = drawer.shown(picture)
    made = drawer.drawing.draw(drawer.backend, order)
    drawn = ListedPicture(
        file=picture.file,
        bytes=len(made.png),
        sha256=hashlib.sha256(made.png).hexdigest(),
        width=made.width,
        height=made.height,
        seed=made.seed,
        model=made.model,
        seconds=round(made.seconds, 3),
        cost_usd=made.cost_usd,
        drawn=True,
    )
    write_whole(kept / f"{key}.png", made.png, sync=True)
    write_whole(kept / f"{key}.json", json.dumps(drawn.to_json()).encode(), sync=True)
    return drawn


def _publish(kept: Path, target: Path, drawn: ListedPicture) -> None:
    """Give the picture its name. Its bytes are shared with what is kept where the disk can do that."""
    try:
        if hashlib.sha256(target.read_bytes()).hexdigest() == drawn.sha256:
            return
    except OSError:
        pass
    with draft_beside(target) as draft:
        draft.unlink()
        try:
            os.link(kept, draft)
        except OSError:
            shutil.copyfile(kept, draft)
        replace_whole(draft, target)
