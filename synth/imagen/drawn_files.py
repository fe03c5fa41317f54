"""Pictures on this machine's disk, from when they are drawn until they are stored: nothing is drawn twice."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration
from lib.files import sweep_drafts, write_whole
from lib.foreign import parse_json
from lib.storage.port import StorageUnavailable
from synth.pictures.backend import Picture

_KEYS: Final = frozenset({"width", "height", "seed", "backend", "model", "seconds", "cost_usd"})


class DrawnFiles:
    """A folder of pictures by the id of their row and a hash of what was asked for.

    Several workers of one machine share it. Two files each: what is known of the picture, then the picture.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise BadConfiguration(
                f"the folder of pictures {folder} cannot be made: {error.strerror}; correct JOBS_DATA_DIR"
            ) from None

    def keep(self, id: str, order: str, picture: Picture) -> None:
        """Write a picture, on the disk when this returns. Raises StorageUnavailable: the disk refuses."""
        facts = {name: value for name, value in asdict(picture).items() if name in _KEYS}
        path = self._path(id, order)
        try:
            write_whole(path.with_suffix(".json"), json.dumps(facts).encode(), sync=True)
            write_whole(path, picture.png, sync=True)
        except OSError as error:
            raise StorageUnavailable(
                f"the disk does not take the picture {path}: {error.strerror}; free some space there"
            ) from None

    def find(self, id: str, order: str) -> Picture | None:
        """The picture that was kept for that order; None where there is none that can be read."""
        path = self._path(id, order)
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            png = path.read_bytes()
            facts = parse_json(path.with_suffix(".json").read_bytes())
            return Picture(png=png, **{name: facts[name] for name in _KEYS})
        return None

    def drop(self, id: str) -> None:
        """Remove what is kept for a row."""
        for path in self._folder.glob(f"{id}.*"):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def sweep(self, still_open: Callable[[Collection[str]], set[str]]) -> None:
        """Remove what killed workers left: drafts, and pictures of rows that have ended."""
        sweep_drafts(self._folder)
        kept = {path.name.partition(".")[0] for path in self._folder.iterdir()} - {""}
        ids = [id for id in kept if len(id) == 36]
        for id in set(ids) - still_open(ids) if ids else ():
            self.drop(id)

    def _path(self, id: str, order: str) -> Path:
        return self._folder / f"{id}.{order[:16]}.png"
