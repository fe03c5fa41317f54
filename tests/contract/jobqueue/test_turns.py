"""Turns among the priorities go on from one claim to the next, however many jobs each takes."""

from __future__ import annotations

import pytest

from lib.jobqueue import JobQueue
from tests.contract.jobqueue.jobs import job

ROUND = ["high"] * 6 + ["normal"] * 3 + ["low"]


@pytest.mark.parametrize("counts", [[6, 3, 1, 6], [4, 4, 4, 4], [1] * 16])
def test_a_claim_goes_on_where_the_last_one_ended(queue: JobQueue, counts: list[int]) -> None:
    queue.enqueue(
        [job(f"{name}:{at}", priority=name) for name in ("high", "normal", "low") for at in range(16)]
    )

    taken = []
    for count in counts:
        taken += sorted(lease.spec.priority for lease in queue.claim("ann", count=count))

    expected, begin = [], 0
    for count in counts:
        expected += sorted((ROUND * 2)[begin : begin + count])
        begin += count
    assert taken == expected
