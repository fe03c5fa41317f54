"""The health gates: what a machine must show before its first job. Decisions only; nothing is asked here."""

from __future__ import annotations

from lib.machine_checks.checks import (
    GOLDEN_TEXT,
    LEAST_BYTES_PER_S,
    LEAST_FREE_BYTES,
    Gpu,
    bandwidth,
    disk,
    engine,
    golden,
    gpu,
    nonce,
    read_free,
    read_gpus,
)
from lib.machine_checks.gate import DEADLINES, Gate, GateFailed

__all__ = [
    "DEADLINES",
    "GOLDEN_TEXT",
    "LEAST_BYTES_PER_S",
    "LEAST_FREE_BYTES",
    "Gate",
    "GateFailed",
    "Gpu",
    "bandwidth",
    "disk",
    "engine",
    "golden",
    "gpu",
    "nonce",
    "read_free",
    "read_gpus",
]
