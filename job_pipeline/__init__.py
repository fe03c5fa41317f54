"""Runs of stages: workers, the orchestrator, gates, and the pipelines that are shipped."""

from lib.pipeline import BadPipeline, Dag

__all__ = ["BadPipeline", "Dag"]
