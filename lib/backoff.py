"""Reckons how long to wait before something that failed is tried again."""

from __future__ import annotations


def backoff_s(tries: int, chance: float, *, base_s: float, cap_s: float) -> float:
    """Seconds to wait after the `tries`-th try failed: full jitter, so that no herd comes back together.

    Drawn evenly from 0 to `base_s` times 2^(tries-1), at most `cap_s`; `chance` is the random part,
    0 <= chance < 1, or 1 for whoever is alone and waits the whole of it. However many tries there were.
    """
    doublings = min(max(tries, 1) - 1, 62)  # beyond that every cap is reached
    return float(min(cap_s, base_s * 2**doublings) * chance)
