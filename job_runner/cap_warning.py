"""Says before anything is enqueued that a batch may cost more than it is allowed to."""

from __future__ import annotations

import time
from collections.abc import Sequence

from job_runner import wiring
from lib.cli import output
from lib.jobs import plan_cost
from lib.jobspec import JobSpec
from lib.voices import engine_facts, estimated_audio_s


def warn_of_caps(here: wiring.Here, specs: Sequence[JobSpec]) -> None:
    """Warn in one line where the worst case of a batch is over SPEND_CAP_BATCH, at the prices seen last.

    It refuses nothing: the watcher stops renting for the batch when its cap is reached. Says nothing where
    nothing is rented, no cap is set, or no market was seen lately.
    """
    found = here.found
    url = found.redis_url or plan_cost.embedded_url(found.jobs_data_dir)
    if found.provider != "vast" or found.spend_cap_batch is None or not url:
        return
    question = plan_cost.MarketQuestion(url, found.jobs_prefix)
    market = question.answer()
    if market is None:
        return
    cost = plan_cost.cost_of(
        [_priced(spec, found.voice_engine) for spec in specs], market, found, now=time.time()
    )
    if isinstance(cost, plan_cost.Cost) and cost.over_cap:
        output.warn(f"{cost.over_cap}: what is left then waits until it is raised (prices: {cost.basis()})")


def _priced(spec: JobSpec, engine: str) -> plan_cost.PricedWork:
    facts = engine_facts(engine)
    audio_s = estimated_audio_s(
        spec.text,
        facts.letters_per_second,
        pronounce=spec.pronounce,
        speed=spec.speed,
        language=spec.language,
    )
    return plan_cost.PricedWork(audio_s * spec.variants, engine, spec.batch or "")
