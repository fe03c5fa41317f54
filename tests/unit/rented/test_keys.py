"""Each machine has a key of its own, which any leader finds and nobody else does (W12, W15)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from job_watcher.providers.rented.keys import KeyMissing, MachineKeys, nonce_of
from lib.machines.memory import MemoryLedger
from lib.machines.model import Epoch
from lib.workers.ssh import HostKeyChanged, SshAddress, new_key_pair
from tests.contract.machines.rows import NOON, planned

TOKEN = "token-00000001"
asyncssh = pytest.importorskip("asyncssh", reason="asyncssh is not installed (the extra watcher)")
WAY = SshAddress("root", "203.0.113.7", 40022)


@pytest.fixture
def ledger() -> MemoryLedger:
    made = MemoryLedger()
    made.open_epoch(Epoch(1, "ann", NOON))
    planned(made)
    return made


def test_the_next_leader_has_the_same_key_and_nonce(ledger: MemoryLedger, tmp_path: Path) -> None:
    """It shares the ledger, and no disk."""
    ann, bob = MachineKeys(ledger, tmp_path / "ann"), MachineKeys(ledger, tmp_path / "bob")
    pair = ann.make(TOKEN)

    assert bob.make(TOKEN) == pair
    assert bob.file(TOKEN).read_text() == pair.private
    assert bob.nonce(TOKEN) == ann.nonce(TOKEN)


def test_the_file_is_for_its_owner_alone_and_goes_with_the_machine(
    ledger: MemoryLedger, tmp_path: Path
) -> None:
    keys = MachineKeys(ledger, tmp_path / "machines")
    keys.make(TOKEN)

    file = keys.file(TOKEN)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    keys.forget(TOKEN)
    assert not file.exists()


def test_what_a_machine_is_told_says_nothing_of_the_key() -> None:
    pair, other = new_key_pair(), new_key_pair()

    assert nonce_of(pair.private) != nonce_of(other.private)
    assert nonce_of(pair.private) not in pair.private
    assert pair.public.startswith("ssh-ed25519 ")
    assert len(pair.public.split()) == 2


def test_a_machine_without_a_key_cannot_be_reached(ledger: MemoryLedger, tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="cannot be reached"):
        MachineKeys(ledger, tmp_path).file("token-00000002")


class TestTheHostKey:
    def test_is_pinned_at_first_sight_for_every_leader_and_every_way(
        self, ledger: MemoryLedger, tmp_path: Path
    ) -> None:
        keys = MachineKeys(ledger, tmp_path)
        keys.make(TOKEN)
        key = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()

        known = keys.known(TOKEN)
        assert known.pins(WAY).trusted == ()
        known.pin(WAY, key)

        proxy = SshAddress("root", "proxy.example", 12345)
        assert keys.known(TOKEN).pins(proxy).trusted == (key,)

    def test_that_another_leader_saw_first_is_the_one_that_counts(
        self, ledger: MemoryLedger, tmp_path: Path
    ) -> None:
        keys = MachineKeys(ledger, tmp_path)
        keys.make(TOKEN)
        first, second = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        ann, bob = keys.known(TOKEN), keys.known(TOKEN)
        ann.pin(WAY, first)

        with pytest.raises(HostKeyChanged, match="seen first"):
            bob.pin(WAY, second)
