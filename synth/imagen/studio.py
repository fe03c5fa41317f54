"""From a row to a picture: the order is checked, its backend opened once, and what it returns is a PNG."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Final

from lib.picture_tables.model import ImageJob
from synth.pictures.backend import Picture, PictureBackend, PictureOrder, check_order
from synth.pictures.recorded import RecordedDrawing

_SEEDS: Final = 2**31


def seed_of(job: ImageJob) -> int:
    """The row's seed, else one that follows from its id: drawn again, it is the same picture."""
    if job.seed is not None:
        return job.seed
    return int.from_bytes(hashlib.sha256(job.id.encode()).digest()[:8], "big") % _SEEDS


def order_of(job: ImageJob) -> PictureOrder:
    """What the row asks for. Raises BadOrder."""
    order = PictureOrder(job.prompt, job.width, job.height, seed_of(job))
    check_order(order)
    return order


def order_hash(job: ImageJob) -> str:
    """64 hex digits for what the row asks for."""
    asked = json.dumps([job.prompt, job.backend, job.width, job.height, seed_of(job)])
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


class Studio:
    """The backends that were asked for, each opened at its first row and kept.

    `open_backend` is given a name, and raises what `synth.pictures.open_backend.open_backend` does.
    """

    def __init__(self, open_backend: Callable[[str], PictureBackend], drawing: RecordedDrawing) -> None:
        self._open, self._drawing = open_backend, drawing
        self._opened: dict[str, PictureBackend] = {}

    def draw(self, job: ImageJob) -> Picture:
        """Draw what the row asks for; blocks as long as the backend does.

        Raises:
            BadOrder: nobody can draw that.
            BackendUnavailable: the backend does not answer, or gave no picture.
            BadConfiguration: a package, a token or a setting is missing.
        """
        order = order_of(job)
        backend = self._opened.get(job.backend)
        if backend is None:
            backend = self._opened[job.backend] = self._open(job.backend)
        return self._drawing.draw(backend, order)

    def close(self) -> None:
        """Close what was opened."""
        for backend in self._opened.values():
            backend.close()
        self._opened.clear()
