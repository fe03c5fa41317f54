"""Spoken pieces go from one machine over a real SSH server to the next: whole, or not at all (V8)."""

from __future__ import annotations

from pathlib import Path

from lib.clock import ManualClock
from lib.dispatch import CarriedPieces
from lib.jobqueue import Lease
from lib.spool import job_digest
from lib.spool.pieces import MAX_PIECE_BYTES, PieceFile, piece_name
from lib.workers.ssh import SshMachine
from tests.integration.ssh.test_voices import spool_on
from tests.unit.dispatch.bench import Bench, spec

KEYS = [f"{number:064x}" for number in range(4)]


def a_lease(folder: Path) -> Lease:
    bench = Bench(folder)
    bench.enqueue(spec("a", chunk=True))
    (lease,) = bench.queue.claim("ann")
    return lease


def test_the_pieces_of_one_machine_are_there_on_the_next(ssh_machine: SshMachine, tmp_path: Path) -> None:
    lease = a_lease(tmp_path / "here")
    job = job_digest(lease.request_id)
    first, second = (tmp_path / name / "spool/pieces" / job for name in ("one", "two"))
    first.mkdir(parents=True)
    whole = [PieceFile(key, 24_000, bytes(200_000), 5, (), ()).to_bytes() for key in KEYS]
    for key, data in zip(KEYS[:2], whole[:2], strict=True):
        (first / piece_name(key)).write_bytes(data)
    (first / piece_name(KEYS[2])).write_bytes(whole[2] + bytes(MAX_PIECE_BYTES))
    (first / piece_name(KEYS[3])).symlink_to(first / piece_name(KEYS[0]))
    carried = CarriedPieces(tmp_path / "carried", ManualClock())

    assert not carried.fetch(spool_on(ssh_machine, tmp_path / "one"), lease)
    assert carried.bring(spool_on(ssh_machine, tmp_path / "two"), lease.request_id) == 2

    found = {path.name: path.read_bytes() for path in second.iterdir()}
    assert found == {piece_name(key): data for key, data in zip(KEYS[:2], whole[:2], strict=True)}
