"""How pictures and films of a run are made: what its configuration says under `film`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.pipeline.operator_rules import shipped_rules

_STEP = 8  # what picture models take as sides
_DRAFT_LINES = 480  # of the shorter side of a draft


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """Sizes in pixels. `captions`: burned, soft, both or off. `pictures`, `theme`: "" is the usual one."""

    width: int
    height: int
    fps: int
    captions: str
    pictures: str
    theme: str

    @property
    def picture_size(self) -> tuple[int, int]:
        """Of the pictures: as the film, up to what models take; what is over is cut off."""
        return -(-self.width // _STEP) * _STEP, -(-self.height // _STEP) * _STEP

    @property
    def draft_size(self) -> tuple[int, int]:
        """Of animatics: the film's shape, small enough that nobody waits for a draft."""
        share = min(_DRAFT_LINES / min(self.width, self.height), 1.0)
        return round(self.width * share / 2) * 2, round(self.height * share / 2) * 2


def film_options(config: Mapping[str, Any]) -> FilmOptions:
    """Those of a run, by its configuration, else as shipped."""
    told = {**shipped_rules().film, **(config.get("film") or {})}
    return FilmOptions(
        width=int(told["width"]),
        height=int(told["height"]),
        fps=int(told["fps"]),
        captions=str(told["captions"]),
        pictures=str(told.get("pictures") or ""),
        theme=str(told.get("theme") or ""),
    )
