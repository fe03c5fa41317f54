"""Jobs for the tests of batches, and what is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synth.engines import Utterance
from tests.unit.synth.worker_bench import Bench

LETTERS = "abcdefgh"


def jobs(*texts: str, **fields: Any) -> list[dict[str, Any]]:
    """One job for each text, named a, b, c and so on."""
    return [{"name": name, "text": text, **fields} for name, text in zip(LETTERS, texts, strict=False)]


def eight(**fields: Any) -> list[dict[str, Any]]:
    return jobs(*(f"Text of {name}." for name in LETTERS), **fields)


def texts(call: Sequence[Utterance]) -> list[str]:
    return [utterance.text for utterance in call]


def starts(bench: Bench, entry: str) -> int:
    path = bench.root / "work" / f"{entry}.starts"
    return path.stat().st_size if path.exists() else 0
