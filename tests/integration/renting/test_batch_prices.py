"""What each batch of a file would cost under its cap, in a plan and before it is enqueued: Q3, W8."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from lib.jobs.plan_cost import Cost, PricedWork, cost_of
from lib.market.model import Market
from tests import warm
from tests.integration.renting.test_plan_prices import CLASSES, TERMS, publish

ROOT = Path(__file__).parents[3]


def batches_file(folder: Path) -> Path:
    """Two jobs of the batch film, and one of no batch."""
    path = folder / "batches.yaml"
    path.write_text(
        "defaults: {speaker: Ryan}\njobs:\n"
        "  - {output_name: a/one, batch: film, text: One line.}\n"
        "  - {output_name: a/two, text: Another line.}\n"
        "  - {output_name: a/three, batch: film, text: The last line.}\n"
    )
    return path


def enqueue(folder: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    usual = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT), **warm.usual()}
    argv = ["job-runner", "enqueue", str(batches_file(folder)), *args]
    return warm.run(argv, warm.CALLS["job-runner"], cwd=folder, environ=usual | environ, timeout_s=60)


def work_of(*batches: tuple[str, float]) -> list[PricedWork]:
    return [PricedWork(audio_s, "hibari", batch) for batch, audio_s in batches]


def test_each_batch_of_a_file_is_priced_under_its_own_cap() -> None:
    market, now = Market("rehearsal", 1_000.0, CLASSES), 1_010.0
    free = cost_of(work_of(("film", 120_000.0), ("film", 80_000.0)), market, TERMS, now=now)
    short = cost_of(work_of(("book", 60.0)), market, TERMS, now=now)
    assert isinstance(free, Cost)
    assert isinstance(short, Cost)
    cap = Decimal((free.worst_micros + short.worst_micros) // 2) / 1_000_000
    terms = replace(TERMS, spend_cap_batch=cap)

    both = cost_of(work_of(("film", 120_000.0), ("book", 60.0), ("film", 80_000.0)), market, terms, now=now)

    assert isinstance(both, Cost)
    assert both.worst_micros == cap * 1_000_000 + short.worst_micros
    assert sum(both.worst_shares) == both.worst_micros
    assert both.worst_shares[1] == short.worst_micros
    assert both.over_cap == (
        f"the batch film may cost up to ${free.worst_micros / 1_000_000:.4f}, "
        f"and SPEND_CAP_BATCH is ${cap:.4f}"
    )
    assert both.stopped.startswith("at worst the batch film is not finished within SPEND_CAP_BATCH: up to $")


def test_enqueue_warns_in_one_line_of_a_batch_that_may_cost_more_than_its_cap(
    redis_url: str, tmp_path: Path
) -> None:
    publish(redis_url)
    environ = {"REDIS_URL": redis_url, "PROVIDER": "vast", "VAST_API_KEY": "k" * 20}

    tight = enqueue(tmp_path, SPEND_CAP_BATCH="0.05", **environ)
    assert tight.returncode == 0
    (line,) = [line for line in tight.stderr.splitlines() if "SPEND_CAP_BATCH" in line]
    assert "the batch film may cost up to $0." in line
    assert "and SPEND_CAP_BATCH is $0.0500; this work, which names no batch, may cost up to $0." in line
    assert "what is left then waits until it is raised (prices: RTX 3060 at rehearsal, as seen at 20" in line

    for more in ({"SPEND_CAP_BATCH": "5"}, {"SPEND_CAP_BATCH": "0.05", "PROVIDER": "local"}):
        assert "may cost up to" not in enqueue(tmp_path, **(environ | more)).stderr
