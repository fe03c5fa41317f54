"""The run that `new-job` starts where nothing else is said."""

from __future__ import annotations

from importlib import resources
from typing import Any


def sample_inputs() -> dict[str, Any]:
    """Inputs of the shipped pipelines: the script of a short film."""
    script = resources.files("job_pipeline.dags") / "sample.md"
    return {"title": "The lamp at the end of the pier", "script": script.read_text(encoding="utf-8")}
