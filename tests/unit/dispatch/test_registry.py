"""What a dispatcher tells the registry of watchers of its role and its end (W1, W15)."""

from __future__ import annotations

from dataclasses import replace

from lib.dispatch import Dispatcher
from lib.jobqueue import WatcherRole, drains, role_of
from tests.unit.dispatch.bench import Bench


def test_it_says_its_role_and_its_term(bench: Bench) -> None:
    Dispatcher(replace(bench.parts("ann.1"), role=WatcherRole.LEADS, epoch=7)).register()
    Dispatcher(bench.parts("bob")).register()

    ann, bob = bench.queue.watchers()

    assert (role_of(ann), ann.data["epoch"]) == (WatcherRole.LEADS, 7)
    assert (role_of(bob), bob.data.get("epoch")) == (WatcherRole.WORKS, None)


def test_it_says_that_it_drains_in_the_pass_after_it_was_told_to(bench: Bench) -> None:
    made = bench.dispatcher()
    made.register()
    made.step()
    assert not drains(bench.queue.watchers()[0])

    made.end()  # no time passes: a heartbeat is not due yet
    made.step()

    assert drains(bench.queue.watchers()[0])


def test_it_says_that_the_store_refused_though_it_has_no_result_to_store(bench: Bench) -> None:
    Dispatcher(replace(bench.parts("ann.1"), store_trouble=lambda: "The store refuses.")).register()

    (ann,) = bench.queue.watchers()

    assert ann.data["trouble"] == "The store refuses."
