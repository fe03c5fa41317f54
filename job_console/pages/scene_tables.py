"""Storyboards as people read them: a table of scenes, where a file has the shape of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.foreign import parse_json

_MOST: Final = 500  # scenes; beyond that the file is read


@dataclass(frozen=True, slots=True)
class SceneRow:
    """One scene: its number, what is said while it stands, and what is seen."""

    scene: int
    said: str
    seen: str


def scene_rows(text: str | None) -> Sequence[SceneRow]:
    """The scenes of a storyboard; none where it is not one, as far as its shape tells."""
    if text is None:
        return ()
    try:
        rows = [_row(each) for each in parse_json(text)["scenes"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ()
    return rows if len(rows) <= _MOST else ()


def _row(scene: Any) -> SceneRow:
    number, said, seen = scene["scene"], scene["narration"], scene["picture"]
    if not isinstance(number, int) or not isinstance(said, str) or not isinstance(seen, str):
        raise TypeError
    return SceneRow(number, said, seen)
