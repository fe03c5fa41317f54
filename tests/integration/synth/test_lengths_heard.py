"""Ten scripts are as long as `plan` says, within 7 % (Q48 asks for 10): news, dialogue, one-word lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.clock import SystemClock
from lib.jobs.plan import RegistryCheck, plan_job_file
from lib.voices import VoiceRegistry
from synth.engines import Engine, create_engine
from synth.speech.performance import perform
from synth.speech.request import request_from_spec

SCRIPTS = sorted((Path(__file__).parents[2] / "corpus/scripts").glob("*.yaml"))


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = create_engine("hibari")
    made.load()
    return made


def test_there_are_ten() -> None:
    assert len(SCRIPTS) == 10


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_as_long_as_its_plan_says(script: Path, engine: Engine) -> None:
    registry = VoiceRegistry()
    plan = plan_job_file(script, RegistryCheck(registry, "hibari"))
    assert plan.problems == ()

    heard_s = 0.0
    for job in plan.jobs:
        made = perform(
            request_from_spec(job.spec, registry, "hibari"), engine, SystemClock(), lambda *_: None
        )
        heard_s += len(made.takes[0].samples) / made.takes[0].sample_rate

    assert plan.totals()["estimated_audio_s"] == pytest.approx(heard_s, rel=0.07)
