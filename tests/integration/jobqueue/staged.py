"""A file that is too large for one call, staged script by script."""

from __future__ import annotations

from typing import Final

from lib.jobqueue.codec import intake
from lib.jobqueue.redis.enqueuer import CHUNK_JOBS
from lib.jobqueue.redis.script_calls import ScriptCalls
from tests.contract.jobqueue.jobs import job

JOBS: Final = [job(f"j{number:04}") for number in range(1100)]
ITEMS: Final = [intake(spec) for spec in JOBS]
PAUSE_MS: Final = 30_000


def stage_all(faces: ScriptCalls, batch: str = "b1") -> None:
    """Stage every job, as a producer does who is not committed yet."""
    for start in range(0, len(ITEMS), CHUNK_JOBS):
        chunk = ITEMS[start : start + CHUNK_JOBS]
        assert faces.stage(chunk, batch, PAUSE_MS, first=start == 0).word == "ok"
