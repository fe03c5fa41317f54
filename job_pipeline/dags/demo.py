"""The pipeline of `job-pipeline demo`: a text is cut, looked at from two sides at once, and summed up.

Plain computing, nothing to install, done in a moment; the shape is that of larger ones: one stage whose
result two others take, and one that waits for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lib.pipeline import Dag
from lib.pipeline.context import TaskContext

dag = Dag("demo")

#: Words a minute that a narrator speaks.
_PACE = 150


@dag.task()
def lines(inputs: Mapping[str, Any]) -> list[str]:
    """The text line by line, without the empty ones."""
    return [line.strip() for line in str(inputs.get("text", "")).splitlines() if line.strip()]


@dag.task(requires=["lines"])
def words(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """How many words there are, and which comes most often."""
    found = Counter(word.strip(".,;:!?").lower() for line in inputs["lines"] for word in line.split())
    return {"count": found.total(), "most": found.most_common(1)[0][0] if found else None}


@dag.task(requires=["lines"])
def seconds(inputs: Mapping[str, Any]) -> list[float]:
    """How long each line would take to speak."""
    return [round(len(line.split()) * 60 / _PACE, 1) for line in inputs["lines"]]


@dag.task(requires=["lines", "words", "seconds"])
def summary(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """All of it in a sentence, and as a file of the run."""
    told = {
        "lines": len(inputs["lines"]),
        "words": inputs["words"]["count"],
        "seconds": round(sum(inputs["seconds"]), 1),
    }
    sentence = f"{told['lines']} lines, {told['words']} words, {told['seconds']} seconds to speak.\n"
    context.write("summary.txt", sentence, type="text/plain", measures=told)
    return told
