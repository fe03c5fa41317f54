"""In which order the letters of a line stand: the bidirectional algorithm, one line at a time.

Without its explicit embeddings, whose characters `plain` takes away: a title or a caption has none. Pillow's
own shaping does the same for a text in one font; lines here may need several.
Source: https://www.unicode.org/reports/tr9/ (P2, P3, W1 to W7, N0 to N2, I1, I2, L2).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_STRONG: Final = frozenset("LR")
_NEUTRAL: Final = frozenset(("B", "S", "WS", "ON"))
_RIGHT_TO_LEFT: Final = frozenset(("R", "AL"))
_PAIRS: Final = {"(": ")", "[": "]", "{": "}", "«": "»", "‹": "›", "「": "」", "（": "）", "⟨": "⟩"}
_CLOSERS: Final = frozenset(_PAIRS.values())


def is_right_to_left(text: str) -> bool:
    """Whether its first letter with a direction is of a script written from the right."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind == "L":
            return False
        if kind in _RIGHT_TO_LEFT:
            return True
    return False


def levels(text: str, right_to_left: bool) -> list[int]:
    """The embedding level of each character; odd ones run from the right."""
    base = int(right_to_left)
    if not right_to_left and (text.isascii() or not any(map(_is_turning, text))):
        return [0] * len(text)
    original = [unicodedata.bidirectional(char) or "L" for char in text]
    kinds = _numbers(_weak(original, "R" if base else "L"), "R" if base else "L")
    _brackets(text, kinds, "R" if base else "L")
    _neutrals(kinds, "R" if base else "L")
    return [_level(kind, base) for kind in kinds]


def visual_order(run_levels: list[int]) -> list[int]:
    """The numbers of runs with these levels, from left to right. Source: rule L2."""
    order = list(range(len(run_levels)))
    odd = [level for level in run_levels if level % 2]
    if not odd:
        return order
    for level in range(max(run_levels), min(odd) - 1, -1):
        at = 0
        while at < len(order):
            end = at
            while end < len(order) and run_levels[order[end]] >= level:
                end += 1
            order[at:end] = order[at:end][::-1]
            at = max(end, at + 1)
    return order


@lru_cache(maxsize=8192)
def _is_turning(char: str) -> bool:
    return unicodedata.bidirectional(char) in ("R", "AL", "AN")


def _level(kind: str, base: int) -> int:
    if base:
        return 2 if kind in ("L", "EN", "AN") else 1
    return {"R": 1, "AN": 2, "EN": 2}.get(kind, 0)


def _weak(kinds: list[str], start: str) -> list[str]:
    """W1 to W3: marks as what they stand on, European digits among Arabic letters as Arabic ones."""
    found: list[str] = []
    before, strong = start, start
    for kind in kinds:
        if kind in ("NSM", "BN"):
            kind = before
        if kind in ("L", "R", "AL"):
            strong = kind
        if kind == "EN" and strong == "AL":
            kind = "AN"
        found.append(kind)
        before = kind
    return ["R" if kind == "AL" else kind for kind in found]


def _numbers(kinds: list[str], start: str) -> list[str]:
    """W4 to W7: separators and signs of numbers, and numbers among letters written from the left."""
    for at in range(1, len(kinds) - 1):
        left, right = kinds[at - 1], kinds[at + 1]
        if left == right and (
            (kinds[at] == "CS" and left in ("EN", "AN")) or (kinds[at] == "ES" and left == "EN")
        ):
            kinds[at] = left
    at = 0
    while at < len(kinds):
        end = at
        while end < len(kinds) and kinds[end] == "ET":
            end += 1
        if end > at:
            beside = (at > 0 and kinds[at - 1] == "EN") or (end < len(kinds) and kinds[end] == "EN")
            kinds[at:end] = ["EN" if beside else "ON"] * (end - at)
        at = max(end, at + 1)
    strong = start
    for at, kind in enumerate(kinds):
        if kind in _STRONG:
            strong = kind
        elif kind in ("ES", "CS", "ET"):
            kinds[at] = "ON"
        elif kind == "EN" and strong == "L":
            kinds[at] = "L"
    return kinds


def _side(kind: str) -> str:
    """The direction that a neutral character sees in it."""
    return "R" if kind in ("EN", "AN", "R") else kind


def _brackets(text: str, kinds: list[str], base: str) -> None:
    """N0: both brackets of a pair go with what stands between them, or before them."""
    open_at: list[int] = []
    pairs: list[tuple[int, int]] = []
    for at, char in enumerate(text):
        if kinds[at] != "ON":
            continue
        if char in _PAIRS:
            open_at.append(at)
        elif char in _CLOSERS:
            for depth in range(len(open_at) - 1, -1, -1):
                if _PAIRS[text[open_at[depth]]] == char:
                    pairs.append((open_at[depth], at))
                    del open_at[depth:]
                    break
    for start, end in sorted(pairs):
        inside = {_side(kind) for kind in kinds[start + 1 : end]} & _STRONG
        if base in inside:
            kinds[start] = kinds[end] = base
        elif inside:
            before = next((_side(kind) for kind in reversed(kinds[:start]) if _side(kind) in _STRONG), base)
            other = inside.pop()
            kinds[start] = kinds[end] = other if before == other else base


def _neutrals(kinds: list[str], base: str) -> None:
    """N1, N2: between two of one direction they take it, elsewhere that of the line."""
    at = 0
    while at < len(kinds):
        end = at
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > at:
            left = _side(kinds[at - 1]) if at else base
            right = _side(kinds[end]) if end < len(kinds) else base
            kinds[at:end] = [left if left == right else base] * (end - at)
        at = max(end, at + 1)
