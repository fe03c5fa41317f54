"""Where no machine can be made to speak, no further one is paid for to find that out again (W9)."""

from __future__ import annotations

import pytest

from lib.machines.model import HostNote
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import Bench


def note(bench: Bench, machine: str, reason: str, *, ok: bool = False) -> None:
    """What a host did a moment ago."""
    bench.clock.advance(1)
    bench.ledger.note_host(HostNote("fake", machine, "h", reason, ok, bench.clock.now()), epoch=1)


@pytest.mark.parametrize("reason", ["engine", "install"])
def test_after_four_machines_that_stay_mute_none_is_rented_and_it_is_told_why(
    bench: Bench, reason: str
) -> None:
    watcher = bench.watcher()
    watcher.step()
    for number in range(4):
        note(bench, f"m{number}", reason)
    bench.queue.enqueue([spec("a")])
    bench.live(watcher, 600)

    assert not bench.company.asked
    assert any("could not be made to speak" in text for kind, text in bench.told if kind == "programs")

    bench.live(watcher, 3600)  # what was wrong may have been mended from outside
    assert bench.company.asked


@pytest.mark.parametrize(
    "notes",
    [
        [("a", "engine"), ("a", "engine"), ("a", "engine"), ("a", "engine"), ("b", "engine")],
        [("a", "engine"), ("b", "engine"), ("c", "engine"), ("", "work"), ("d", "engine")],
        [("a", "gpu"), ("b", "gpu"), ("c", "gpu"), ("d", "gpu")],
    ],
    ids=["two hosts", "one worked between", "hosts that are broken"],
)
def test_machines_that_are_only_bad_keep_nobody_from_renting(
    bench: Bench, notes: list[tuple[str, str]]
) -> None:
    watcher = bench.watcher()
    watcher.step()
    for machine, reason in notes:
        note(bench, machine or "good", reason, ok=not machine)
    bench.queue.enqueue([spec("a")])
    bench.live(watcher, 600)

    assert bench.company.asked
