"""No job of a file can meet what an output folder needs for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_runner.execution.task_tracking import RECORD
from lib.jobs.plan import RegistryCheck, load_speakable, plan_job_file
from lib.jobspec import InvalidJobFile
from lib.jobspec.names import KEPT_NAMES
from lib.manifest import MANIFEST, compiler
from lib.manifest.folder import DRAFT, WORKROOM
from lib.voices import VoiceRegistry

OURS = {MANIFEST, RECORD, WORKROOM, DRAFT, compiler.DECIDED, compiler._DRAFTS}


def test_the_names_that_are_kept_are_those_that_are_used() -> None:
    assert OURS == KEPT_NAMES


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_job_of_such_a_name_is_a_problem_for_plan_and_run_alike(name: str, tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text(f"- {{output_name: {name}/a, request_id: a, text: Hello., speaker: Ryan}}\n")
    voices = RegistryCheck(VoiceRegistry([tmp_path]), "hibari")

    (problem,) = plan_job_file(path, voices).problems
    with pytest.raises(InvalidJobFile) as refused:
        load_speakable(path, voices)  # what `run` and `compile` begin with

    assert "an output folder needs for itself" in problem.message
    assert [str(each) for each in refused.value.problems] == [str(problem)]
