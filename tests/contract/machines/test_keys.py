"""The key of each machine: there before it is rented, for whoever leads, and gone with the machine."""

from __future__ import annotations

import pytest

from lib.machines.model import MachineKey
from lib.machines.port import Ledger
from tests.contract.machines.rows import planned, step

KEY = MachineKey("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")


def test_a_key_is_kept_until_the_machine_is_gone(ledger: Ledger) -> None:
    """W15: the next leader reads it from the ledger, not from this leader's disk."""
    row = planned(ledger)

    assert ledger.key(row.token) is None
    assert ledger.keep_key(row.token, KEY) == KEY
    assert ledger.key(row.token) == KEY

    row = ledger.change(step(row))
    assert ledger.key(row.token) == KEY
    ledger.change(step(row, "gone", closed=True))
    assert ledger.key(row.token) is None


def test_the_first_key_stays(ledger: Ledger) -> None:
    """A machine may have been rented with it, though nobody knows."""
    row = planned(ledger)
    ledger.keep_key(row.token, KEY)

    assert ledger.keep_key(row.token, MachineKey("another")) == KEY
    assert ledger.key(row.token) == KEY


def test_a_machine_is_known_by_the_first_host_key(ledger: Ledger) -> None:
    row = planned(ledger)
    ledger.keep_key(row.token, KEY)

    assert ledger.pin(row.token, "ssh-ed25519 AAAA") == "ssh-ed25519 AAAA"
    assert ledger.pin(row.token, "ssh-ed25519 BBBB") == "ssh-ed25519 AAAA"
    assert ledger.key(row.token) == MachineKey(KEY.private, "ssh-ed25519 AAAA")


def test_no_key_is_kept_for_a_machine_that_nobody_planned(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="never planned"):
        ledger.keep_key("token-00000009", KEY)


def test_a_key_is_not_shown(ledger: Ledger) -> None:
    """No secret stands in a log or an error."""
    assert "PRIVATE" not in repr(KEY)
