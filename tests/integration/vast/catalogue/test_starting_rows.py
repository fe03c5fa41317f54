"""Rows 6 to 11 of the failure catalogue: machines that do not come up as they should (W10, W11, W16)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from job_watcher.rehearsal.vast import Mishap
from tests.integration.vast.catalogue.conftest import OpenOffice
from tests.integration.vast.catalogue.office import POLICY, behaving, first_quick, host

IMAGE_ERRORS = [
    "manifest for example/image:1 not found: manifest unknown: manifest unknown",
    "pull access denied for example/image, repository does not exist or may require 'docker login'",
    "unauthorized: authentication required",
]
NETWORK_ERRORS = [
    "net/http: TLS handshake timeout",
    "download failed after attempts=6",
    "toomanyrequests: limit",
]
GPU_ERRORS = [
    "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8",
    "OCI runtime create failed: unresolvable CDI devices nvidia.com/gpu=0",
]


@pytest.mark.parametrize("status", first_quick(["null", "created", "loading"]))
def test_row_06_a_machine_that_never_comes_up_is_given_back_and_another_does_the_work(
    office: OpenOffice, status: str
) -> None:
    here = office(behaving(1, 0.20, stuck_at=status), host(2))
    here.work()

    here.finish()

    first, second = here.rentals()
    assert first.destroyed_at is not None
    assert first.destroyed_at - first.created_at < 660.0
    assert second.host.machine_id == 2
    assert ("1", "boot_stalled", False) in here.notes()
    assert here.vast.bill().of(first.id) < 0.01  # its disk alone
    here.check(cents=5)


@pytest.mark.parametrize("message", first_quick(NETWORK_ERRORS))
def test_row_07_an_image_that_one_host_cannot_load_is_loaded_on_another(
    office: OpenOffice, message: str
) -> None:
    here = office(behaving(1, 0.20, stuck_at="loading", message=message), host(2))
    here.work()

    here.finish()

    first, _ = here.rentals()
    assert first.destroyed_at is not None
    assert first.destroyed_at - first.created_at < 60.0
    assert here.rented_hosts() == [1, 2]
    here.check()


@pytest.mark.parametrize("message", first_quick(IMAGE_ERRORS))
def test_row_07_an_image_that_nobody_can_load_ends_the_renting(office: OpenOffice, message: str) -> None:
    """It is the same on each machine: after two of them a person has to correct it."""
    here = office(*[behaving(number, 0.2, stuck_at="loading", message=message) for number in range(1, 9)])
    here.work()

    here.live(1800.0)

    assert len(here.rentals()) == 2
    (told,) = here.told("image")
    assert "VAST_IMAGE" in told.text
    assert here.own_living() == []
    here.check_gone()


@pytest.mark.parametrize("message", first_quick(GPU_ERRORS))
def test_row_08_09_a_host_whose_gpu_cannot_be_used_is_rented_once(office: OpenOffice, message: str) -> None:
    """It stays the cheapest offer, and would be rented again and again."""
    here = office(behaving(1, 0.20, stuck_at="created", message=message), host(2))
    here.work()
    here.finish()
    here.work(1, 5)

    here.finish()

    assert here.rented_hosts() == [1, 2, 2]
    assert ("1", "broken", False) in here.notes()
    here.check()


def test_row_08_a_host_with_an_older_cuda_is_not_rented(office: OpenOffice) -> None:
    here = office(host(1, 0.20, cuda_max_good=12.2), host(2), policy=replace(POLICY, least_cuda=12.4))
    here.work()

    here.finish()

    assert here.rented_hosts() == [2]
    here.check()


@pytest.mark.parametrize(("shown", "reason"), [("Tesla T4", "wrong_gpu"), ("", "no_gpu")])
def test_row_08_a_machine_that_runs_without_the_gpu_takes_no_work(
    office: OpenOffice, shown: str, reason: str
) -> None:
    here = office(behaving(1, 0.20, gpu_shown=shown), host(2))
    here.work()

    here.finish()

    assert here.rented_hosts() == [1, 2]
    assert ("1", reason, False) in here.notes()
    here.check()


def test_row_10_a_machine_that_runs_and_lets_nobody_in_is_given_back(office: OpenOffice) -> None:
    """It bills all the time that it is waited for."""
    here = office(behaving(1, 0.20, befalls=((0.0, Mishap.SSH_DEAD),)), host(2))
    here.work()

    here.finish()

    assert here.rented_hosts() == [1, 2]
    assert here.vast.bill().of(here.rentals()[0].id) < 0.20 * 1600 / 3600
    assert [reason for machine, reason, _ in here.notes() if machine == "1"] == ["boot_timeout"]
    here.check(cents=15)


def test_row_11_hosts_with_a_slow_network_or_a_bad_record_are_left_aside(office: OpenOffice) -> None:
    here = office(host(1, 0.05, inet_down=80.0), host(2, 0.06, reliability=0.91), host(3))
    here.work()

    here.finish()

    assert here.rented_hosts() == [3]
    here.check()


def test_row_11_what_a_host_takes_for_bytes_counts_in_its_price(office: OpenOffice) -> None:
    """Cheap by the hour and dear by the gigabyte."""
    here = office(host(1, 0.25, inet_down_cost=0.90), host(2, 0.30, inet_down_cost=0.002))
    here.work()

    here.finish()

    assert here.rented_hosts() == [2]
    here.check()
