"""Where no machine can be made to speak, no further one is paid for to find that out again (W9)."""

from __future__ import annotations

import pytest

from lib.fleet.host_history import EXCUSED, MUTE, HostIncident, remembered
from lib.machine_checks import Gate
from lib.machines.model import HostNote
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import Bench, offer


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


def test_hosts_that_were_mute_by_our_fault_are_taken_again_at_once_when_it_is_mended(bench: Bench) -> None:
    """Their cool-down would be for days: it was the third time of this one."""
    watcher = bench.watcher()
    watcher.step()
    bench.company.offered = [offer(machine_id="m0")]
    for machine in ("m0", "m0", "m0", "m1", "m2", "m3"):
        note(bench, machine, "engine")
    bench.queue.enqueue([spec("a")])
    bench.live(watcher, 600)
    assert not bench.company.asked
    excused = [note.machine_id for note in bench.ledger.host_notes(0.0) if note.reason == EXCUSED]
    assert sorted(excused) == ["m0", "m1", "m2", "m3"]

    mended = bench.watcher()  # what was wrong is corrected, and the watcher started again
    bench.live(mended, 60)
    assert bench.company.asked == ["o1"]


def test_a_host_that_is_mute_alone_is_not_excused(bench: Bench) -> None:
    watcher = bench.watcher()
    watcher.step()
    bench.company.offered = [offer(machine_id="m0")]
    for machine in ("m0", "m0", "m0", "m1", "m2"):
        note(bench, machine, "install")
    bench.queue.enqueue([spec("a")])
    bench.live(watcher, 4000)
    assert not bench.company.asked


def test_what_a_host_does_after_it_was_excused_counts() -> None:
    told = [
        HostIncident("m", "engine", ok=False, at=100.0),
        HostIncident("m", "ssh", ok=False, at=110.0),
        HostIncident("m", EXCUSED, ok=False, at=120.0),
        HostIncident("m", "engine", ok=False, at=130.0),
    ]
    assert remembered(told, 140.0)["m"].reasons == ("ssh", "engine")
    assert Gate.ENGINE.value in MUTE
