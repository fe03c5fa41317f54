"""Pipelines: runs of stages on a ledger that never loses its place.

Definitions are plain Python (`Dag`). A run is bound to a snapshot of its graph for life, and every change of
it is one transaction that also writes its event (docs/explanation/ledger.md).
"""

from __future__ import annotations

from lib.pipeline.definition import BadPipeline, Dag
from lib.pipeline.run_inputs import RunInput

__all__ = ["BadPipeline", "Dag", "RunInput"]
