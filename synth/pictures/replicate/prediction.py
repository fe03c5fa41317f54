"""A prediction, which is what Replicate calls one run of a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import parse_rfc3339

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ENDED: Final = ("succeeded", "failed", "canceled", "aborted")


class NoPrediction(ValueError):
    """What came is no prediction."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is known of one."""

    id: str
    status: str
    model: str
    told: Mapping[str, Any]  # its input
    picture: str | None  # the URL of the first file
    error: str
    made_at: float | None  # seconds since the epoch, by the server's clock

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in _ENDED


def read_prediction(value: Any) -> Prediction:
    """The prediction that a JSON object describes. Raises NoPrediction."""
    if not isinstance(value, dict):
        raise NoPrediction
    name, status, told = value.get("id"), value.get("status"), value.get("input")
    if not isinstance(name, str) or not _ID.fullmatch(name) or not isinstance(status, str):
        raise NoPrediction
    output = value.get("output")
    first = output[0] if isinstance(output, list) and output else output
    error, model = value.get("error"), value.get("model")
    return Prediction(
        name,
        status,
        model if isinstance(model, str) else "",
        told if isinstance(told, dict) else {},
        first if isinstance(first, str) else None,
        error if isinstance(error, str) else "",
        _moment(value.get("created_at")),
    )


def _moment(text: Any) -> float | None:
    try:
        return parse_rfc3339(text) if isinstance(text, str) else None
    except ValueError:
        return None
