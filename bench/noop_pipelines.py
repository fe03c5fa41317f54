"""Pipelines that do nothing, for `bench.pipeline`."""

from __future__ import annotations

from typing import Any

from job_pipeline import Dag

single = Dag("single")
chain = Dag("chain")


@single.task()
def only(inputs: dict[str, Any]) -> None:
    return None


@chain.task()
def first(inputs: dict[str, Any]) -> None:
    return None


@chain.task(requires=["first"])
def left(inputs: dict[str, Any]) -> None:
    return None


@chain.task(requires=["first"])
def right(inputs: dict[str, Any]) -> None:
    return None


@chain.task(requires=["left", "right"])
def joined(inputs: dict[str, Any]) -> None:
    return None


@chain.task(requires=["joined"])
def last(inputs: dict[str, Any]) -> None:
    return None
