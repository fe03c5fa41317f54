"""A machine that passed its checks works at once, whenever the next pass is due (W9: seconds are paid)."""

from __future__ import annotations

import pytest

from job_watcher.provisioning.ports import Contact
from job_watcher.provisioning.reconcile import Reconciler
from lib.fleet import State
from lib.providers.rental import Listing
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import Bench


def rented(bench: Bench) -> tuple[Reconciler, str]:
    """A watcher with a job and a machine that runs and does not answer yet."""
    bench.queue.enqueue([spec("a")])
    watcher = bench.watcher()
    watcher.step()
    bench.clock.advance(10)
    watcher.step()
    (instance,) = bench.company.rentals
    return watcher, instance


def ask_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> Listing:
        raise AssertionError("the provider was asked")

    monkeypatch.setattr(bench.company, "list", asked)


def states(bench: Bench) -> list[str]:
    return [row.state for row in bench.rented()]


def test_it_gets_its_job_between_two_passes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher, instance = rented(bench)
    ask_nobody(bench, monkeypatch)
    watcher.go_on()
    assert (states(bench), watcher.held) == ([State.RENTED.value], 0)

    bench.host(instance)
    watcher.go_on()

    assert (states(bench), watcher.held) == ([State.READY.value], 1)


def test_one_that_failed_a_check_gets_none_and_waits_for_the_pass_that_gives_it_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher, instance = rented(bench)
    bench.host(instance)
    monkeypatch.setattr(bench.access, "look", lambda row, rental: Contact("golden"))

    watcher.go_on()
    assert (states(bench), watcher.held) == ([State.RENTED.value], 0)
    assert not bench.company.destroyed

    bench.clock.advance(10)
    watcher.step()
    assert bench.company.destroyed == [instance]


def test_nothing_is_begun_by_a_watcher_that_leads_no_more(bench: Bench) -> None:
    watcher, instance = rented(bench)
    bench.host(instance)
    bench.lead.leads = False

    watcher.go_on()

    assert (states(bench), watcher.leading) == ([State.RENTED.value], False)
