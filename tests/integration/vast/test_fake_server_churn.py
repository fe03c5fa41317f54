"""Machines of the fake Vast that come and go, many at once, leave nothing behind. Facts 8, 9 and 15."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer
from job_watcher.rehearsal.vast.confinement import marked
from tests.integration.sshd import need_sshd
from tests.integration.vast.fake_vast import client, rent

AT_ONCE = Conduct(null_s=0, created_s=0, loading_s=0, ssh_after_s=0)


@pytest.mark.parametrize("machines", [2, pytest.param(100, marks=pytest.mark.soak)])
def test_nothing_is_left_of_machines_that_came_and_went(tmp_path: Path, machines: int) -> None:
    need_sshd()
    folder, hosts = tmp_path / "machines", 2
    with FakeVast(folder, offers=[HostOffer(each, conduct=AT_ONCE) for each in range(hosts)]) as vast:

        def come_and_go(number: int) -> str:
            sdk = client(vast)
            ask = vast.market.ask_of(number % hosts)
            instance = rent(sdk, ask, onstart_cmd="setsid sleep 4000 & echo up")
            found = vast.machine(instance)
            assert vast.wait_for(lambda _: "up\n" in found.log() and found.open_doors == (True, True), 30)
            sdk.destroy_instance(instance)
            return found.mark

        come_and_go(0)
        descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        marks = list[str]()
        for start in range(0, machines, hosts):
            with ThreadPoolExecutor(hosts) as pool:
                marks += pool.map(come_and_go, range(start, min(start + hosts, machines)))
        assert len(set(marks)) == machines
        assert [pid for mark in marks for pid in marked(mark)] == []
        assert (vast.living(), vast.billing()) == ([], [])
        assert vast.bill().total == pytest.approx(25.0 - vast.credit)
        assert vast.wait_for(lambda _: list(folder.iterdir()) == [])
        assert vast.wait_for(lambda _: len(os.listdir("/proc/self/fd")) <= descriptors)
        assert vast.wait_for(lambda _: threading.active_count() <= threads)
