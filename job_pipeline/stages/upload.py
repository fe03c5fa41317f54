"""Upload: what a run made, copied to the store that STORAGE_URL names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from job_pipeline.stages import wiring
from lib.pipeline.context import TaskContext, measure_file
from lib.storage import Claim


def upload(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Copy every file of the stages before to `outputs/runs/<run>/` of the store, verified.

    Raises:
        StorageUnavailable: the store refuses; it is tried again.
        OSError: a file is gone from the run's folder.
    """
    store = wiring.chosen_storage()
    if store is None:
        return {"uploaded": [], "why": "STORAGE_URL is not set: the files stay in the run's folder"}
    places = []
    claim = Claim(f"{context.run}.{context.task}", context.attempt, round(time.time() * 1000))
    for result in inputs.values():
        for file in result.get("files", []):
            local = context.folder / file["path"]
            size, sha256 = measure_file(local)
            stored = store.put(local, sha256=sha256, bytes=size)
            name = f"runs/{context.run}/{file['path']}"
            published = store.publish(claim, name.rpartition(".")[0], {name: stored})
            places.append({"path": file["path"], "sha256": sha256, "place": published.places.get(name)})
    return {"uploaded": places, "why": ""}
