"""Runs of stages: workers, the orchestrator, gates, and the pipelines that are shipped."""

from __future__ import annotations

from lib.pipeline import BadPipeline, Dag

__all__ = ["BadPipeline", "Dag"]
