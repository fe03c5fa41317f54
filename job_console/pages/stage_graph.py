"""Where the stages of a pipeline stand in its drawing: layers by what they require, from top to bottom.

An edge that follows from others is not drawn: what requires all that came before it is a chain to the eye.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from lib.pipeline.graph import Graph

#: Of one stage, in units of the drawing, which are pixels where there is room.
WIDTH: Final = 176
HEIGHT: Final = 54
_GAP_X: Final = 20
_GAP_Y: Final = 38
_BEND_WIDTH: Final = 12  # where an edge passes a layer
_SWEEPS: Final = 6


@dataclass(frozen=True, slots=True)
class PlacedStage:
    """A stage and the upper left corner of its box."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class StageDrawing:
    """The whole: its size, its boxes in the order of the stages, and each edge as the path of a pen."""

    width: float
    height: float
    stages: Sequence[PlacedStage]
    edges: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Spot:
    """A stage in its layer, or the bend of an edge (stage None) that passes it."""

    stage: str | None
    edge: tuple[str, str] | None = None


def draw_stages(graph: Graph) -> StageDrawing:
    """Lay out a graph. Pure, and the same for equal graphs."""
    layers = _layers(graph)
    edges = [(above, stage.name) for stage in graph.stages for above in _nearest(graph, stage.name)]
    rows: list[list[_Spot]] = [[] for _ in range(max(layers.values()) + 1)]
    for stage in graph.stages:
        rows[layers[stage.name]].append(_Spot(stage.name))
    for above, below in edges:
        for layer in range(layers[above] + 1, layers[below]):
            rows[layer].append(_Spot(None, (above, below)))
    ways = [_way(edge, layers) for edge in edges]
    _untangle(rows, ways)
    return _placed(graph, rows, ways)


def _layers(graph: Graph) -> Mapping[str, int]:
    """How many stages there are above each, on the longest way; requirements come first in a graph."""
    found: dict[str, int] = {}
    for stage in graph.stages:
        found[stage.name] = 1 + max((found[name] for name in stage.requires), default=-1)
    return found


def _nearest(graph: Graph, name: str) -> Sequence[str]:
    """What a stage requires and nothing else that it requires does."""
    required = graph.by_name[name].requires
    return [each for each in required if not any(other in graph.below(each) for other in required)]


def _way(edge: tuple[str, str], layers: Mapping[str, int]) -> list[tuple[int, _Spot]]:
    """The spots that an edge touches, from above to below, each with its layer."""
    above, below = edge
    bends = [(layer, _Spot(None, edge)) for layer in range(layers[above] + 1, layers[below])]
    return [(layers[above], _Spot(above)), *bends, (layers[below], _Spot(below))]


def _untangle(rows: list[list[_Spot]], ways: Sequence[Sequence[tuple[int, _Spot]]]) -> None:
    """Put each spot near the middle of those it is joined to, downwards and upwards by turns."""
    up: dict[_Spot, list[_Spot]] = {}
    down: dict[_Spot, list[_Spot]] = {}
    for way in ways:
        for (_, one), (_, next_) in pairwise(way):
            down.setdefault(one, []).append(next_)
            up.setdefault(next_, []).append(one)
    for sweep in range(_SWEEPS):
        joined, order = (up, range(1, len(rows))) if sweep % 2 == 0 else (down, range(len(rows) - 2, -1, -1))
        for layer in order:
            beside = rows[layer - 1 if sweep % 2 == 0 else layer + 1]
            _near(rows[layer], beside, joined)


def _near(row: list[_Spot], beside: Sequence[_Spot], joined: Mapping[_Spot, Sequence[_Spot]]) -> None:
    place = {spot: (number + 0.5) / len(beside) for number, spot in enumerate(beside)}
    own = {spot: (number + 0.5) / len(row) for number, spot in enumerate(row)}

    def middle(spot: _Spot) -> float:
        near = [place[each] for each in joined.get(spot, ()) if each in place]
        return sum(near) / len(near) if near else own[spot]

    row.sort(key=middle)


def _placed(
    graph: Graph, rows: Sequence[Sequence[_Spot]], ways: Sequence[Sequence[tuple[int, _Spot]]]
) -> StageDrawing:
    widths = [sum(_wide(spot) for spot in row) + _GAP_X * (len(row) - 1) for row in rows]
    whole = max(widths)
    middles: dict[_Spot, float] = {}
    for row, wide in zip(rows, widths, strict=True):
        x = (whole - wide) / 2
        for spot in row:
            middles[spot] = x + _wide(spot) / 2
            x += _wide(spot) + _GAP_X
    tops = {
        spot.stage: number * (HEIGHT + _GAP_Y)
        for number, row in enumerate(rows)
        for spot in row
        if spot.stage
    }
    stages = [
        PlacedStage(stage.name, middles[_Spot(stage.name)] - WIDTH / 2, tops[stage.name])
        for stage in graph.stages
    ]
    return StageDrawing(
        whole, len(rows) * (HEIGHT + _GAP_Y) - _GAP_Y, stages, [_pen(way, middles) for way in ways]
    )


def _wide(spot: _Spot) -> int:
    return _BEND_WIDTH if spot.stage is None else WIDTH


def _pen(way: Sequence[tuple[int, _Spot]], middles: Mapping[_Spot, float]) -> str:
    """An edge as it is drawn: down, in curves, through the gaps and straight past the layers between."""
    drawn = []
    for (layer, one), (_, next_) in pairwise(way):
        begin, x, end_x = layer * (HEIGHT + _GAP_Y) + HEIGHT, middles[one], middles[next_]
        end, half = begin + _GAP_Y, begin + _GAP_Y / 2
        first = f"M{x:g} {begin:g}" if one.stage else f"V{begin:g}"
        drawn.append(f"{first}C{x:g} {half:g} {end_x:g} {half:g} {end_x:g} {end:g}")
    return "".join(drawn)
