"""A watcher process over machines reached by SSH: to be killed, and started again.

Argument: JSON with redis_url, data, and for each machine address, key, known_hosts and folder.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from job_watcher.watcher import Watcher
from lib.clock import SystemClock
from lib.dispatch import (
    Dispatcher,
    DispatchIntervals,
    DispatchLimits,
    DispatchParts,
    LeaseJournal,
    LeftSpools,
    StorageDelivery,
)
from lib.jobqueue import connect
from lib.storage import open_storage
from lib.workers.ssh import KnownHosts, SshAddress, SshHost, SshMachine, SshOptions, SshThread, SshWorkerSetup

COMMAND = (sys.executable, "-P", "-m", "synth.main")


def host_of(told: dict[str, Any], thread: SshThread) -> SshHost:
    """The worker of one machine."""
    machine = SshMachine(
        thread,
        SshAddress.read(told["address"]),
        key_file=Path(told["key"]),
        known_hosts=KnownHosts(Path(told["known_hosts"])),
        options=SshOptions(call_s=3.0, longest_pause_s=2.0),
    )
    setup = SshWorkerSetup(
        COMMAND,
        told["folder"],
        "hibari",
        told["folder"],
        SystemClock(),
        grace_s=5.0,
        environ={"PYTHONPATH": os.getcwd(), "HOME": told["folder"]},
    )
    return SshHost(f"far/{machine.address.port}", machine, setup)


def main() -> None:
    """Work until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    told = json.loads(sys.argv[1])
    data = Path(told["data"])
    clock, intervals = SystemClock(), DispatchIntervals()
    limits = DispatchLimits(lease_ms=10_000, drain_s=30.0)
    with SshThread() as thread:
        queue, renewals = connect(told["redis_url"]), connect(told["redis_url"])
        storage = open_storage(f"file://{data}/storage")
        scratch = Path(tempfile.mkdtemp(dir=data))
        parts = DispatchParts(
            name=f"far-{os.getpid()}",
            provider="ssh",
            queue=queue,
            delivery=StorageDelivery(storage, provider="ssh", scratch=scratch, clock=clock),
            journal=LeaseJournal(data / "leases"),
            clock=clock,
            limits=limits,
            intervals=intervals,
        )
        dispatcher = Dispatcher(parts, renewals=renewals)
        hosts = [host_of(machine, thread) for machine in told["machines"]]
        for host in hosts:
            dispatcher.add(host, lambda: 4)
        watcher = Watcher(dispatcher, LeftSpools(dispatcher, []), clock, limits, intervals)
        signal.signal(signal.SIGTERM, lambda *_: watcher.drain())
        watcher.run()
        for host in hosts:
            host.close()


if __name__ == "__main__":
    main()
