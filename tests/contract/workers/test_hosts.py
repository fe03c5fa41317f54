"""What a dispatcher may rely on, wherever a worker runs (W12)."""

from __future__ import annotations

import time

from lib.spool import Phase, SpoolClient, SpoolJob
from lib.workers import WorkerDeath, WorkerHost
from tests.contract.workers.conftest import Place

JOB = SpoolJob("a", 1, "marknone", 1, "v1:any", {"output_name": "a", "text": "Hello."})


def deaths_at_once(place: Place) -> list[WorkerDeath]:
    """What three looks report."""
    return [death for _ in range(3) if (death := place.host.tend()) is not None]


def deaths(place: Place) -> list[WorkerDeath]:
    """As `deaths_at_once`, as soon as a host that keeps its worker has found it dead."""
    found: list[WorkerDeath] = []
    end = time.monotonic() + 20
    while place.keeps and not found and time.monotonic() < end:
        found += [death for death in [place.host.tend()] if death is not None]
        time.sleep(0.002)
    return found + deaths_at_once(place)


def test_a_host_says_in_words_which_it_is_and_where(host: WorkerHost) -> None:
    """Both are written into rows of leases and into what is held against a job."""
    assert isinstance(host.name, str)
    assert isinstance(host.machine, str)
    assert host.name
    assert host.machine


def test_its_files_are_one_spool_however_often_they_are_asked_for(host: WorkerHost) -> None:
    entry = SpoolClient(host.files()).submit(JOB)

    assert SpoolClient(host.files()).entries() == {entry: Phase.INBOX}
    assert SpoolClient(host.files()).fingerprint(entry, Phase.INBOX) == "v1:any"


def test_a_look_does_not_wait_for_the_worker_and_starts_no_second_one(place: Place) -> None:
    """The worker of this suite runs for ten minutes: a look that waited for it would be the end here."""
    assert [place.host.tend() for _ in range(3)] == [None] * 3

    first = place.worker()
    assert (first is not None) is place.keeps
    place.host.tend()
    assert place.worker() == first


def test_each_death_is_reported_once_and_a_new_worker_follows(place: Place) -> None:
    place.host.tend()
    first = place.worker()

    place.kill()
    reported = deaths(place)

    assert [(death.status, death.blames_the_job) for death in reported] == [(-9, True)] * place.keeps
    place.wait_out_pauses()
    assert place.host.tend() is None
    assert (place.worker() not in (None, first)) is place.keeps


def test_a_worker_that_is_replaced_is_no_death(place: Place) -> None:
    """Whoever asked for it knows; it must not be counted against a job again."""
    place.host.tend()
    first = place.worker()

    place.host.restart()

    assert place.host.tend() is None
    assert (place.worker() not in (None, first)) is place.keeps
    assert deaths_at_once(place) == []


def test_stopping_may_be_repeated_and_is_no_death(place: Place) -> None:
    place.host.stop(0.0)
    place.host.tend()

    for _ in range(2):
        place.host.stop(5.0)

    assert place.worker() is None
    assert deaths_at_once(place) == []


def test_the_spool_outlives_its_worker(place: Place) -> None:
    """What is finished there is still to be had."""
    place.host.tend()
    entry = SpoolClient(place.host.files()).submit(JOB)

    place.host.stop(0.0)
    place.host.restart()

    assert SpoolClient(place.host.files()).entries() == {entry: Phase.INBOX}
