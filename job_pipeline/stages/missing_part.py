"""Stages whose part is not here: a clear end, or a placeholder that says in itself that it is one."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lib.errors import BadConfiguration
from lib.pipeline.context import TaskContext


class MissingPart(BadConfiguration):
    """What this stage needs does not come with this version; a retry finds the same."""


def placeholder(
    context: TaskContext, path: str, what: str, measures: Mapping[str, float] | None = None
) -> None:
    """Write a file that stands where `what` would be, and says so: no player opens it.

    Raises:
        MissingPart: the worker was not told that placeholders will do.
    """
    if not context.allow_placeholders:
        raise MissingPart(
            f"{context.task} of {context.run} needs {what}, and this version has nothing that makes it; "
            "start the worker with --allow-placeholders to go on with a file that says so"
        )
    content = {
        "placeholder": True,
        "run": context.run,
        "stage": context.task,
        "file": path,
        "stands_for": what,
        "why": "This version has nothing that makes it, and the worker was told that placeholders will do.",
    }
    data = json.dumps(content, indent=2) + "\n"
    context.write(path, data, type="application/json", measures=measures, placeholder=True)
