"""Where a text comes from, said in every result and every file: a model, a template, or the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lib.errors import BadConfiguration
from lib.jobspec.normalize import check_defaults, problem_of
from lib.pipeline.context import TaskContext
from lib.pipeline.operator_rules import shipped_rules

LLM: Final = "llm"
TEMPLATE: Final = "template"
USER: Final = "user"
NO_MODEL: Final = "no language model is set (LLM_BASE_URL)"


def source_line(source: str, how: str) -> str:
    """The line that says it in a text file: `Source: template. No language model is set ...`."""
    return f"Source: {source}. {how[:1].upper()}{how[1:]}."


def files_of(context: TaskContext) -> list[dict[str, Any]]:
    """What a result says of the files that its task made."""
    return [
        {"path": file.path, "sha256": file.sha256, "placeholder": file.placeholder}
        for file in context.artifacts
    ]


def narration_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of every job of narration: of the run's configuration, else as shipped.

    Raises:
        BadConfiguration: the run was started with fields that no job has.
    """
    given = config.get("narration")
    if given is None:
        return dict(shipped_rules().narration)
    checked = check_defaults(given)
    if checked.findings:
        problem = problem_of(checked.findings[0])
        raise BadConfiguration(f"the run's configuration cannot be used: narration: {problem}")
    return {name: dict(v) if isinstance(v, Mapping) else v for name, v in checked.values.items()}
