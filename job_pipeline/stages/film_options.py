"""How pictures and films of a run are made: what its configuration says under `film`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from job_pipeline.operator_rules import shipped_rules

_STEP = 8  # what picture models take as sides


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
