"""Specifications for tests."""

from __future__ import annotations

from typing import Any

from lib.jobqueue import JobSpec


def job(request_id: str, **fields: Any) -> JobSpec:
    """A specification with that id; further fields by name."""
    base: dict[str, Any] = {
        "output_name": request_id.replace(":", "/"),
        "text": f"This is {request_id}.",
        "speaker": "Ryan",
    }
    return JobSpec(request_id=request_id, **{**base, **fields})
